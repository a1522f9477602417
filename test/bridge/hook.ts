import { createHmac } from "node:crypto";
import * as z from "zod";
import { hookEvents } from "../forge/recipes.ts";
import { type OpenPull, organisation } from "./forge.ts";
import type { BridgeProcess } from "./process.ts";
import { hookKey, type Stage } from "./stage.ts";

/** That a bridge never looks by itself within the time of a case. */
export const seldom = { pollSeconds: 3600, sweepSeconds: 3600 } as const;

/**
 * Has the forge tell a port of this machine, as docs/enroll-recipe.md has it.
 *
 * @param of whose hook it is. @default the organisation
 */
export async function hook(
  stage: Stage,
  port: number,
  { secret = hookKey, of = `orgs/${organisation}` } = {},
): Promise<AsyncDisposable> {
  const path = `${of}/hooks`;
  const { id } = await stage.forge.does(
    ...([stage.forge.admin, z.object({ id: z.int() }), "POST", path] as const),
    {
      ...{ type: "gitea", active: true, events: hookEvents },
      config: { url: `http://127.0.0.1:${port}/hook`, content_type: "json", secret },
    },
  );
  return {
    [Symbol.asyncDispose]: async () => {
      await stage.forge.does(stage.forge.admin, z.unknown(), "DELETE", `${path}/${id}`);
    },
  };
}

/** Delivers word of a comment, as the forge does. @returns the status of the answer */
export async function delivery(
  bridge: BridgeProcess,
  { repository }: Pick<OpenPull, "repository">,
  comment: number,
  key: string = hookKey,
): Promise<number> {
  const body = JSON.stringify({
    ...{ action: "created", is_pull: true, comment: { id: comment } },
    repository: { full_name: repository },
  });
  const signature = key === "" ? "" : createHmac("sha256", key).update(body).digest("hex");
  const headers = {
    ...{ "Content-Type": "application/json", "X-Gitea-Event": "issue_comment" },
    "X-Gitea-Signature": signature,
  };
  const { status } = await fetch(`${bridge.url}/hook`, { method: "POST", body, headers });
  return status;
}
