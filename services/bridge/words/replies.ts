import type { NearMiss } from "./command.ts";
import { inert } from "./inert.ts";

/** Answers to one comment, in Markdown. What is of others in them is inert. */

const commands = [
  ["`!testme`", "tests the newest commit"],
  ["`!testme --quick`", "the same, without the slow stages"],
  ["`!testme <commit>`", "the same, if that is still the newest one: all 40 digits"],
  ["`!testme status`", "says what is going on"],
  ["`!testme cancel`", "ends it"],
  ["`!testme help`", "says this"],
] as const;

export const help = [
  "What can be written here, alone on a line:",
  "",
  "| command | what it does |",
  "|---|---|",
  ...commands.map(([command, does]) => `| ${command} | ${does} |`),
].join("\n");

const misses: Readonly<Record<NearMiss, string>> = {
  word: "There is no such command.",
  option: "That is no option of `!testme`.",
  "short-commit": "Please write all 40 digits of the commit.",
  several: "One command a comment, please: nothing was done.",
};

export function nearMiss(miss: NearMiss): string {
  const all = commands.map(([command]) => command).slice(0, -1);
  return `${misses[miss]} There are ${all.join(", ")}, each alone on a line; \`!testme help\` says more.`;
}

/** Why there is no test. */
export type Refusal =
  | { readonly why: "not-a-member"; readonly organisation: string }
  | { readonly why: "not-in-team" }
  | { readonly why: "late"; readonly minutes: number }
  | { readonly why: "closed" }
  | { readonly why: "other-branch"; readonly into: string; readonly mainBranch: string }
  | { readonly why: "other-head"; readonly head: string }
  | { readonly why: "pushed"; readonly head: string }
  | { readonly why: "fork" }
  | { readonly why: "fork-without-commit"; readonly head: string }
  | { readonly why: "too-many-of-person" | "too-many-of-pull"; readonly most: number }
  | { readonly why: "too-many-waiting"; readonly most: number }
  | { readonly why: "stopped"; readonly reason: string }
  | { readonly why: "goes-on"; readonly head: string; readonly link: string | undefined };

export function refusal(refused: Refusal): string {
  switch (refused.why) {
    case "not-a-member":
      return `Only members of ${inert(refused.organisation)} can ask for a test: please ask one of them.`;
    case "not-in-team":
      return "Only some people of this organisation can ask for a test: please ask one of them.";
    case "late":
      return `This was read only ${refused.minutes} minutes after it was written, so nothing was done. Please write it again.`;
    case "closed":
      return "This pull request is closed: reopen it to have it tested.";
    case "other-branch":
      return `This is to be merged into ${inert(refused.into)}, and only what is for ${inert(refused.mainBranch)} is tested. Change the branch with *Edit*, next to the title.`;
    case "other-head":
      return `That commit is not the newest one here, which is \`${refused.head}\`. Nothing was tested.`;
    case "pushed":
      return `Something was pushed here after this was written, or in the very second, so it is not clear what it was about. Nothing was tested: please look at the newest commit, and name it: \`!testme ${refused.head}\`.`;
    case "fork":
      return "Pull requests from forks are not tested here.";
    case "fork-without-commit":
      return `This comes from a fork. Please look at it, and name the commit that you looked at: \`!testme ${refused.head}\` for the newest one.`;
    case "too-many-of-person":
      return `You have asked for as many tests as one person may within an hour (${refused.most}). Please try again later.`;
    case "too-many-of-pull":
      return `As many tests were asked for here as may be within an hour (${refused.most}). Please try again later.`;
    case "too-many-waiting":
      return `As many tests wait or run as may at once (${refused.most}). Please try again later.`;
    case "stopped":
      return `No tests are taken at the moment${refused.reason === "" ? "" : `: ${inert(refused.reason)}`}. Please try again later.`;
    case "goes-on": {
      const link = refused.link === undefined ? "" : `: ${refused.link}`;
      return `A test of ${refused.head} goes on already${link}.`;
    }
  }
}

export const nothingToCancel = "There is no test here that could be ended.";
