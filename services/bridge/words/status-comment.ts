import type { Request } from "../records/requests.ts";
import { duration } from "./duration.ts";
import { inert, inertBlock, shortened } from "./inert.ts";
import { state } from "./state.ts";

/** What the one comment on a pull request tells of. */
export interface StatusView {
  /** The tests of it, the newest first: one or more. */
  readonly requests: readonly [Request, ...Request[]];
  /** The newest commit there. */
  readonly head: string;
  /** The last lines that the newest test printed, where it failed and everybody may see them. */
  readonly lastLines: readonly string[];
  /** The page of a build. */
  readonly linkOf: (build: number) => string;
  /** The recipe's page on the dashboard, if there is one. */
  readonly dashboard: string | undefined;
  /** What is in the way of going on, such as a Drone that does not answer. */
  readonly trouble: string | undefined;
}

/** How a comment of ours begins that tells of a pull request: nobody sees it, and we find it again. */
export const statusMarker = "<!-- cc-ci: tests of this pull request -->";

/** How much of a sentence of others is shown, in characters. */
const longestReason = 600;

/** And of a line that a test printed. */
const longestLine = 300;

/** How many of the tests before the newest one are told of. */
const mostEarlier = 5;

/** A whole commit with a blank, a stop or a comma after it is shown shortened by the forge, and leads to it. */
export function statusComment(view: StatusView): string {
  const [newest, ...earlier] = view.requests;
  const isStale = newest.head !== view.head;
  const lastLines = view.lastLines.map((line) => shortened(line, longestLine));
  const parts = [
    statusMarker,
    headline(newest, view),
    ...(isStale
      ? [`**This is stale:** the newest commit is now ${view.head}. \`!testme\` tests that one.`]
      : []),
    ...(newest.reason === null ? [] : [inert(shortened(newest.reason, longestReason))]),
    ...(newest.phase !== "ended" && view.trouble !== undefined
      ? [`It waits: ${inert(shortened(view.trouble, longestReason))}.`]
      : []),
    ...stageTable(newest),
    ...(lastLines.length === 0
      ? []
      : [`The last lines that it printed:\n\n${inertBlock(lastLines)}`]),
    ...(earlier.length === 0 ? [] : [earlierTests(earlier.slice(0, mostEarlier), view)]),
    footer(view),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function headline(request: Request, { linkOf }: StatusView): string {
  const { recipe, head, quick, build } = request;
  const what = `**${recipe}** at ${head}${quick ? ", quick" : ""}`;
  const link = build === null ? "" : ` · [build ${build}](${linkOf(build)})`;
  return `${state(request)} · ${what}${link}`;
}

const stageWords = {
  passed: "✅ passed",
  failed: "❌ failed",
  skipped: "⚪ skipped",
  unverified: "⚠️ not run",
  aborted: "⏹️ aborted",
} as const;

function stageTable({ stages }: Request): readonly string[] {
  if (stages.length === 0) return [];
  const rows = stages.map(({ name, status, reason, startedAt, endedAt }) => {
    const time =
      startedAt === null || endedAt === null
        ? ""
        : duration(Date.parse(endedAt) - Date.parse(startedAt));
    const why = reason === null ? "" : inert(shortened(reason, longestReason));
    return `| ${name} | ${stageWords[status]} | ${time} | ${why} |`;
  });
  return [["| stage | result | time | why |", "|---|---|---|---|", ...rows].join("\n")];
}

function earlierTests(requests: readonly Request[], { linkOf }: StatusView): string {
  const rows = requests.map((request) => {
    const { head, build, quick } = request;
    const link = build === null ? "" : ` · [build ${build}](${linkOf(build)})`;
    return `- ${state(request)} · ${head}${quick ? ", quick" : ""}${link}`;
  });
  return `Before that:\n\n${rows.join("\n")}`;
}

function footer({ dashboard }: StatusView): string {
  const more = dashboard === undefined ? "" : `[All tests of this recipe](${dashboard}) · `;
  return `<sub>${more}\`!testme help\` says what can be written here.</sub>`;
}
