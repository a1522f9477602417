import * as z from "zod";
import type { Nudge } from "../records/cursors.ts";
import { isSigned } from "./signature.ts";

/** What came in. */
export interface Delivery {
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly body: Uint8Array;
}

/** What is answered; the nudge is followed where there is one. */
export interface Received {
  readonly status: 202 | 400 | 401 | 415;
  /** A word for metrics, and for who reads the answer. */
  readonly result:
    | "taken"
    | "ignored"
    | "another-event"
    | "wrong-type"
    | "not-signed"
    | "not-json"
    | "another-shape";
  readonly nudge?: Nudge;
}

const repository = z.object({ full_name: z.string() });

/**
 * All that is believed of a delivery, by event: which comment to look at, or which pull request. The rest the forge is
 * asked for.
 */
const payloads = {
  issue_comment: z
    .object({
      ...{ action: z.string(), is_pull: z.boolean().optional(), repository },
      comment: z.object({ id: z.int().min(1) }),
    })
    .transform(({ action, is_pull, comment, ...rest }) => ({
      ...{ ...rest, kind: "comment" as const, number: comment.id },
      isForUs: action === "created" && is_pull !== false,
    })),
  pull_request: z
    .object({ action: z.string(), number: z.int().min(1), repository })
    .transform(({ action, ...rest }) => ({
      ...{ ...rest, kind: "push" as const, isForUs: action === "synchronized" },
    })),
} as const;

/**
 * Judges one delivery of the forge's hook.
 *
 * @param keys that it may be signed with
 * @param recipes owner and name of the repositories that count
 */
export function receive(
  { header, body }: Delivery,
  keys: readonly string[],
  recipes: readonly string[],
): Received {
  const type = (header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return { status: 415, result: "wrong-type" };
  const signed = header("x-forgejo-signature") ?? header("x-gitea-signature") ?? "";
  if (!isSigned(body, signed, keys)) return { status: 401, result: "not-signed" };
  const event = header("x-forgejo-event") ?? header("x-gitea-event");
  if (event !== "issue_comment" && event !== "pull_request")
    return { status: 202, result: "another-event" };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return { status: 400, result: "not-json" };
  }
  const { data } = payloads[event].safeParse(value);
  if (data === undefined) return { status: 400, result: "another-shape" };
  const { kind, number, isForUs } = data;
  const name = data.repository.full_name.toLowerCase();
  const recipe = recipes.find((each) => each.toLowerCase() === name);
  if (!isForUs || recipe === undefined) return { status: 202, result: "ignored" };
  return { status: 202, result: "taken", nudge: { repository: recipe, kind, number } };
}
