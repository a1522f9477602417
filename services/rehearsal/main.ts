// cc-ci-rehearsal: stands in for the test of a recipe, until there is one. It says what it was asked for, and
// obeys a script that root may have put on the host.
import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { writeDurably } from "../lib/durable-file.ts";
import { type RunRequest, type RunResults, runRequestSchema, runVersion } from "../lib/run.ts";
import { type Act, type Scene, sceneOf, stagesOf } from "./script.ts";

z.config({ jitless: true });

const usage = `cc-ci-rehearsal run <folder>        what a run does, until there is a test
cc-ci-rehearsal tear-down <folder>  what is done after it, however it ended
`;

async function main([verb, folder, ...others]: readonly string[]): Promise<number> {
  if (folder === undefined || others.length > 0 || (verb !== "run" && verb !== "tear-down")) {
    process.stderr.write(usage);
    return 64;
  }
  const text = await readFile(join(folder, "request.json"), "utf8");
  const request = runRequestSchema.parse(JSON.parse(text));
  const scene = await sceneOf(request.recipe);
  return verb === "run" ? await rehearse(folder, request, scene) : await tearDown(folder, scene);
}

async function rehearse(folder: string, request: RunRequest, scene: Scene): Promise<number> {
  if (scene.ignoresEnd) process.on("SIGTERM", () => console.log("asked to end, and goes on"));
  const startedAt = new Date().toISOString();
  console.log(`rehearses ${JSON.stringify(request)}`);
  for (const act of scene.acts) await perform(act);
  const { outcome, reason } = scene;
  const times = { startedAt, endedAt: new Date().toISOString() };
  const results: RunResults = {
    ...{ version: runVersion, request, outcome, stages: stagesOf(scene, request, times) },
    reason: outcome === "passed" ? reason : (reason ?? "its script says so"),
    ...times,
  };
  const path = join(folder, "results.json");
  if (scene.results === "garbage") await writeFile(path, "{ results");
  if (scene.results === "written")
    await writeDurably(path, `${JSON.stringify(results, null, 2)}\n`);
  return scene.exitStatus ?? (outcome === "passed" ? 0 : 1);
}

async function perform(act: Act): Promise<void> {
  if ("say" in act) console.log(act.say);
  else if ("sleepSeconds" in act) await sleep(act.sleepSeconds * 1000);
  else if ("floodBytes" in act) await flood(act.floodBytes);
  else for (let made = 0; made < act.children; made += 1) leaveBehind();
}

async function flood(bytes: number): Promise<void> {
  const line = `${"flood ".repeat(20)}\n`;
  for (let printed = 0; printed < bytes; printed += line.length) {
    if (!process.stdout.write(line)) {
      await new Promise((resolve) => process.stdout.once("drain", resolve));
    }
  }
}

/** A process that nothing but a signal that cannot be ignored will end. */
function leaveBehind(): void {
  const script = 'trap "" TERM INT HUP; exec sleep 86400';
  const stdio = ["ignore", "inherit", "inherit"] as const;
  spawn("/bin/sh", ["-c", script], { detached: true, stdio: [...stdio] }).unref();
}

const evidenceSchema = z.object({ times: z.int() });

/** Says in the run's artefacts that it was asked, and how often. */
async function tearDown(folder: string, { tearDown }: Scene): Promise<number> {
  await sleep(tearDown.sleepSeconds * 1000);
  const artefacts = join(folder, "artefacts");
  await mkdir(artefacts, { recursive: true, mode: 0o700 });
  const path = join(artefacts, "torn-down.json");
  const before = await readFile(path, "utf8").catch(() => '{ "times": 0 }');
  const { times } = evidenceSchema.parse(JSON.parse(before));
  await writeDurably(path, `${JSON.stringify({ times: times + 1 })}\n`);
  console.log("torn down");
  return tearDown.exitStatus;
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.log(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
