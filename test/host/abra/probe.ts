// `npm run probe:abra -- --abra <path>`: holds an abra against the contract, on the swarm of this
// machine. An operator runs it once for each version of abra; the tests run it on the stand-in.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createRepository } from "../recipes/repositories.ts";
import type { ContractEntry } from "./contract/entry.ts";
import { Differs } from "./contract/entry.ts";
import { ProbeApp, type ProbeRun, probeLabel, start } from "./contract/probe-app.ts";
import { contract } from "./contract.ts";

/** Several at once: most of the time is spent on waiting for Docker. */
const atOnce = 4;

const removalSeconds = 120;

/** What became of one entry. */
export interface Verdict {
  readonly id: string;
  readonly verdict: "ok" | "differs" | "not tried";
  /** What was seen instead, or why it was not tried; empty when it is as the contract says. */
  readonly seen: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      abra: { type: "string" },
      only: { type: "string", multiple: true },
      json: { type: "boolean", default: false },
    },
  });
  if (values.abra === undefined) {
    throw new Error("which abra? npm run probe:abra -- --abra <path> [--only <id>] [--json]");
  }
  const entries = contract.filter(({ id }) => values.only?.includes(id) ?? true);
  const unknown = (values.only ?? []).filter((id) => !contract.some((entry) => entry.id === id));
  if (unknown.length > 0) throw new Error(`no entry of the contract is called ${unknown[0]}`);
  const abra = resolve(values.abra);
  if (!existsSync(abra)) throw new Error(`${abra}: there is no such program`);
  await demandSwarm();
  const verdicts = await probe(abra, entries);
  console.log(values.json ? JSON.stringify(verdicts) : table(entries, verdicts));
  if (verdicts.some(({ verdict }) => verdict === "differs")) process.exitCode = 1;
}

async function demandSwarm(): Promise<void> {
  const info = ["info", "--format", "{{.Swarm.ControlAvailable}}"];
  const { stdout, stderr } = await start("docker", info, {});
  if (stdout.trim() === "true") return;
  throw new Error(
    `the probe deploys to a swarm of this machine, and there is none: run 'docker swarm init' first ${stderr.trim()}`,
  );
}

async function probe(abra: string, entries: readonly ContractEntry[]): Promise<readonly Verdict[]> {
  const folder = mkdtempSync(join(tmpdir(), "cc-ci-probe-"));
  const mark = randomBytes(3).toString("hex");
  try {
    mkdirSync(join(folder, "home"));
    const { folder: repository } = createRepository(folder, "probe");
    const run: ProbeRun = { abra, repository, folder, mark };
    const verdicts = new Map<string, Verdict>();
    const queue = [...entries];
    const worker = async (): Promise<void> => {
      for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
        const number = String(contract.indexOf(entry));
        verdicts.set(entry.id, await tried(entry, new ProbeApp(run, number)));
        await removeStacks(`probe-${mark}-${number}`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return entries.flatMap(({ id }) => verdicts.get(id) ?? []);
  } finally {
    await removeEverything(mark);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tried(entry: ContractEntry, app: ProbeApp): Promise<Verdict> {
  try {
    await app.prepare();
  } catch (error) {
    return { id: entry.id, verdict: "not tried", seen: String(error) };
  }
  try {
    await entry.probe(app);
    return { id: entry.id, verdict: "ok", seen: "" };
  } catch (error) {
    // Anything else is Docker's or git's refusal to show what abra should have made.
    const seen = error instanceof Differs ? error.message : String(error);
    return { id: entry.id, verdict: "differs", seen };
  }
}

/** What a command of Docker's that lists things prints, a line each. */
async function listed(...command: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await start("docker", command, {});
  return stdout.split("\n").filter((line) => line !== "");
}

/** Removes the stacks whose names start so, without waiting for their end. */
async function removeStacks(prefix: string): Promise<void> {
  for (const stack of await listed("stack", "ls", "--format", "{{.Name}}")) {
    // `probe-ab12cd-1` is no beginning of `probe-ab12cd-12_example_org`.
    const ours = stack.startsWith(prefix) && !/^\d/.test(stack.slice(prefix.length));
    if (ours) await start("docker", ["stack", "rm", stack], {});
  }
}

/** Removes all that carries the mark of this run, and nothing else. */
async function removeEverything(mark: string): Promise<void> {
  const prefix = `probe-${mark}-`;
  const ours = (name: string): boolean => name.startsWith(prefix);
  for (const stack of (await listed("stack", "ls", "--format", "{{.Name}}")).filter(ours)) {
    await start("docker", ["stack", "rm", stack], {});
  }
  const containers = ["container", "ls", "--all", "--format", "{{.Names}}"];
  const end = Date.now() + removalSeconds * 1000;
  while ((await listed(...containers)).some(ours) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const label = `label=${probeLabel}=${mark}`;
  for (const kind of ["secret", "config"]) {
    for (const id of await listed(kind, "ls", "--quiet", "--filter", label)) {
      await start("docker", [kind, "rm", id], {});
    }
  }
  for (const volume of (await listed("volume", "ls", "--quiet")).filter(ours)) {
    await start("docker", ["volume", "rm", volume], {});
  }
}

function table(entries: readonly ContractEntry[], verdicts: readonly Verdict[]): string {
  const rows = verdicts.flatMap(({ id, verdict, seen }) => {
    const entry = entries.find((each) => each.id === id);
    const [mark, says] = [entry?.mark ?? "", entry?.says ?? ""];
    const line = `${verdict.padEnd(10)}${mark.padEnd(9)}${id.padEnd(26)}${says}`;
    return seen === "" ? [line] : [line, `${" ".repeat(19)}seen: ${seen.replaceAll("\n", " ")}`];
  });
  const count = (verdict: string): number =>
    verdicts.filter((each) => each.verdict === verdict).length;
  const sum = `${count("ok")} as the contract says, ${count("differs")} otherwise, ${count("not tried")} not tried`;
  return [...rows, sum].join("\n");
}

try {
  await main();
} catch (error) {
  console.error(`probe: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
