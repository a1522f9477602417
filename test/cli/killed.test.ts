import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkoutWith, type Outcome, runCli, scratch, writeFiles } from "./cli.ts";
import { contentsOf } from "./tree.ts";
import { configuration } from "./yaml.ts";

// Named so that its files come after the manifest, were they written in the order of their names.
const before = configuration({ zed: { release: "5.1.1", apps: { old: {} } } });
const after = configuration({ zed: { release: "5.2.0", apps: { wiki: {} } } });
const another = configuration({ zed: { release: "5.1.1", apps: { old: {} } }, zoo: {} });
const preload = new URL("./kill-at.ts", import.meta.url).href;

/** A name that a synth gives to what it has not finished. */
const partial = /\.\d+\.\d+\.partial$/;

function killedSynth(root: string, at: number, where: "before" | "within"): Promise<Outcome> {
  return runCli(root, ["synth"], {
    nodeOptions: `--import=${preload}`,
    env: { KILL_AT: String(at), KILL_WHERE: where },
  });
}

/** A checkout in one state whose sources say the other, and what a synth makes of it. */
async function prepare(from: string, to: string) {
  const root = checkoutWith({ "cc-ci.yaml": from });
  await runCli(root, ["synth"]);
  writeFiles(root, { "cc-ci.yaml": to });
  const wanted = scratch();
  cpSync(root, wanted, { recursive: true });
  const counted = await runCli(wanted, ["synth"], { nodeOptions: `--import=${preload}` });
  const calls = Number(/calls: (\d+)/.exec(counted.stderr)?.[1]);
  return { root, calls, old: contentsOf(root), wanted: contentsOf(wanted) };
}

const checks = new Map<string, number | undefined>();

/** What `check` exits with, asked once for each state of the files that a synth has finished. */
async function checkOf(
  root: string,
  left: ReadonlyMap<string, string>,
): Promise<number | undefined> {
  const finished = [...left].filter(([path]) => !partial.test(path));
  const key = JSON.stringify(finished);
  if (!checks.has(key)) checks.set(key, (await runCli(root, ["check"])).code);
  return checks.get(key);
}

async function expectRecovery(
  { root, old, wanted }: Awaited<ReturnType<typeof prepare>>,
  at: number,
  where: "before" | "within",
): Promise<void> {
  // given
  const copy = scratch();
  cpSync(root, copy, { recursive: true });

  // when
  const killed = await killedSynth(copy, at, where);
  const left = contentsOf(copy);
  const checked = await checkOf(copy, left);
  const completed = await runCli(copy, ["synth"]);

  // then
  const place = `${where} call ${at}`;
  expect({ place, signal: killed.signal }).toEqual({ place, signal: "SIGKILL" });
  for (const [path, text] of left) {
    // The manifest has a state between the two, in which it knows the paths of both.
    if (partial.test(path) || path.endsWith("/") || path === "out/manifest.json") continue;
    expect([old.get(path), wanted.get(path)], `${place}: ${path}`).toContain(text);
  }
  expect(() => JSON.parse(left.get("out/manifest.json") ?? "")).not.toThrow();
  const finished = [...wanted].every(([path, text]) => left.get(path) === text);
  const same = finished && left.size === wanted.size;
  expect({ place, code: checked }).toEqual({ place, code: same ? 0 : 1 });
  expect({ place, code: completed.code, stderr: completed.stderr }).toEqual({
    place,
    code: 0,
    stderr: "",
  });
  expect(contentsOf(copy), place).toEqual(wanted);
}

/** Runs the steps two at a time: each is a few processes, one after the other. */
async function inPairs(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...steps];
  const work = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) await step();
  };
  await Promise.all([work(), work()]);
}

test("a synth that is killed at any call leaves whole files, is seen and is completed", {
  timeout: 600_000,
}, async () => {
  // given
  const state = await prepare(before, after);
  const calls = Array.from({ length: state.calls }, (_, index) => index + 1);

  // when, then
  expect(state.calls).toBeGreaterThan(20);
  await inPairs(calls.map((at) => () => expectRecovery(state, at, "before")));
});

test("a synth that is killed in the middle of writing a file leaves every file whole", {
  timeout: 120_000,
}, async () => {
  // given
  const state = await prepare(before, after);

  // when: everything is written before anything is renamed
  const writes = [1, 2, 5];

  // then
  await inPairs(writes.map((at) => () => expectRecovery(state, at, "within")));
});

test("a synth that is killed while a host goes leaves nothing of that host", {
  timeout: 120_000,
}, async () => {
  // given
  const state = await prepare(another, before);

  // when: the last file, its folder, the manifest
  const { calls } = state;

  // then
  await inPairs(
    [calls - 2, calls - 1, calls].map((at) => () => expectRecovery(state, at, "before")),
  );
});

test("a synth goes on after one that had the same process id and was killed", async () => {
  // given: as in a container, where each one is the first process
  const root = checkoutWith({ "cc-ci.yaml": after });
  const within = 'exec unshare --pid --fork --kill-child "$@"';
  const left = Array.from({ length: 40 }, (_, index) => `out/zed/swarm.nix.${index}.1.partial`);
  writeFiles(root, Object.fromEntries(left.map((path) => [path, "hal"])));

  // when
  const { code, stderr } = await runCli(root, ["synth"], { within });

  // then
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect([...contentsOf(root).keys()].filter((path) => partial.test(path))).toEqual([]);
  expect((await runCli(root, ["check"])).code).toBe(0);
});

test("what a living synth is writing is left alone", async () => {
  // given: this very process is alive
  const root = checkoutWith({ "cc-ci.yaml": after });
  const path = `out/zed/swarm.nix.1.${process.pid}.partial`;
  writeFiles(root, { [path]: "half" });

  // when
  const { code, stdout } = await runCli(root, ["synth"]);

  // then
  expect(code).toBe(0);
  expect(stdout).toContain(`? ${path} is generated by nothing: move it out of out/\n`);
  expect(contentsOf(join(root, "out")).get(path.slice("out/".length))).toBe("half");
});
