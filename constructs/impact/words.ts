import type { HostImpact, Impact } from "./impact.ts";
import type { ProxyAway } from "./proxy-away.ts";
import type { Reasoned } from "./reasoned.ts";

/** A heading with its sentences; the shape of both ways to print an impact. */
interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The impact for a terminal. */
export function impactText(impact: Impact, notes: readonly string[]): string {
  const hosts = impact.hosts.flatMap((host) => [
    `${host.host}: ${headline(host)}`,
    ...sectionsOf(host).flatMap(({ title, lines }) => [
      `  ${title}`,
      ...lines.map((line) => `    ${line}`),
    ]),
  ]);
  const lines = hosts.length === 0 ? [nothing] : hosts;
  return [...lines, ...notes.map((note) => `note: ${note}`)].join("\n");
}

/** The impact as Markdown, for a comment on a pull request. */
export function impactMarkdown(impact: Impact, notes: readonly string[]): string {
  const hosts = impact.hosts.flatMap((host) => [
    `### ${escaped(host.host)}: ${headline(host)}`,
    ...sectionsOf(host).flatMap(({ title, lines }) => [
      `**${title}**`,
      lines.map((line) => `- ${escaped(line)}`).join("\n"),
    ]),
  ]);
  const parts = hosts.length === 0 ? [nothing] : hosts;
  return [
    `## What the next switch does`,
    ...parts,
    ...notes.map((note) => `> ${escaped(note)}`),
  ].join("\n\n");
}

const nothing = "Nothing: no piece, unit, stack or secret differs.";

function headline(host: HostImpact): string {
  const { change, applies, refuses, redeploys, restarts, unreadable } = host;
  if (change === "gone") return "leaves the configuration; the machine itself is not touched";
  if (change === "new") return "a new host";
  const stops =
    refuses.length === 0
      ? []
      : [`${count(refuses.length, "piece stops", "pieces stop")} for a person to decide`];
  const unknown =
    unreadable.length === 0
      ? []
      : [`${count(unreadable.length, "file", "files")} cannot be compared`];
  return [
    ...stops,
    count(applies.length, "piece applies something", "pieces apply something"),
    count(redeploys.length, "stack is deployed", "stacks are deployed"),
    count(restarts.length, "service restarts", "services restart"),
    ...unknown,
  ].join(", ");
}

function sectionsOf(host: HostImpact): readonly Section[] {
  const { secrets, retired, proxyAway } = host;
  if (host.change === "gone") return [];
  const sections: Section[] = [
    {
      title: "Pieces that apply something (every piece runs; a converged one changes nothing)",
      lines: host.applies.map(sentence),
    },
    {
      title: "Pieces that stop with exit 2, since a person must decide (docs/runbook.md says how)",
      lines: host.refuses.map(sentence),
    },
    {
      title:
        "Values that Docker keeps as they are, with a warning: it sets them when a swarm is made",
      lines: host.keeps.map(sentence),
    },
    { title: "Pieces that do not run", lines: host.blocked.map(sentence) },
    { title: "Stacks that are deployed", lines: host.redeploys.map(sentence) },
    {
      title: "Services that restart (with Docker, every container stops and is started again)",
      lines: host.restarts.map(sentence),
    },
    { title: "Test runs (none that goes on is ended by a switch)", lines: host.runs },
    { title: "Builds in Drone (none that runs is ended by a switch)", lines: host.builds },
    {
      title: "Secrets",
      lines: [
        ...secrets.added.map((name) => `${name}: is new`),
        ...secrets.gone.map((name) => `${name}: is gone`),
        ...secrets.moved.map(
          ({ name, from, to }) => `${name}: is read from ${to} instead of ${from}`,
        ),
      ],
    },
    {
      title: "Retired: undeployed, volumes stay",
      lines: [
        ...retired.stacks.map((name) => `the stack ${name}`),
        ...retired.networks.map((name) => `the network ${name}`),
      ],
    },
    { title: "Units whose text changes", lines: host.units.map(sentence) },
    { title: "Other modules that change", lines: host.modules.map((name) => `${name}.nix`) },
    {
      title: "Overrides in force",
      lines: host.overrides.map(
        ({ unit, options }) => `${unit}: ${options.replaceAll(/\s+/g, " ")}`,
      ),
    },
    { title: "Cannot be compared, read them yourself", lines: host.unreadable },
    { title: "The proxy is away", lines: [duration(proxyAway)] },
  ];
  return sections.filter(({ lines }) => lines.length > 0);
}

function duration({ seconds, reason }: ProxyAway): string {
  if (typeof seconds === "string") return `${seconds}: ${reason}`;
  return seconds === 0 ? `not at all: ${reason}` : `for ${seconds} s at the most: ${reason}`;
}

function sentence({ name, reasons }: Reasoned): string {
  return `${name}: ${reasons.join("; ")}`;
}

function count(number: number, one: string, many: string): string {
  return `${number === 0 ? "no" : number} ${number === 1 ? one : many}`;
}

/**
 * Nothing of a name or a path is markup, a mention or a link. Forges look for mentions and numbers of
 * issues in what the Markdown has become, so a mark that nobody sees parts them from their sign.
 */
function escaped(line: string): string {
  return line
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[\\`*_[\]<>|#@!&~]/g, "\\$&")
    .replaceAll(/[@#]/g, `$&${wordJoiner}`)
    .replaceAll(/:(?=\/\/)|(?<=www)\./gi, "\\$&");
}

const wordJoiner = "\u2060";
