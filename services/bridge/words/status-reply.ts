import type { Request } from "../records/requests.ts";
import { inert } from "./inert.ts";
import { state } from "./state.ts";

interface StatusReply {
  /** The newest test of the pull request; undefined where there was none. */
  readonly newest: Request | undefined;
  /** How many tests wait or run, of all recipes. */
  readonly goingOn: number;
  /** Why none is taken at the moment; undefined where some are. */
  readonly stopped: string | undefined;
  readonly linkOf: (build: number) => string;
}

/** The answer to who asks what is going on. */
export function statusReply({ newest, goingOn, stopped, linkOf }: StatusReply): string {
  const link = newest?.build ? ` · [build ${newest.build}](${linkOf(newest.build)})` : "";
  const here =
    newest === undefined
      ? "Nothing was tested here yet."
      : `${state(newest)} · ${newest.head}${link}`;
  const everywhere = `${goingOn === 1 ? "One test waits or runs" : `${goingOn} tests wait or run`} over all recipes.`;
  const closed =
    stopped === undefined
      ? []
      : [`No tests are taken at the moment${stopped === "" ? "" : `: ${inert(stopped)}`}.`];
  return [here, everywhere, ...closed].join("\n\n");
}
