// cc-ci-bridge: has recipes tested when somebody asks for it on a pull request, and answers there.
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { bridgePlaces, bridgeSettingsSchema } from "../lib/bridge-settings.ts";
import { DroneClient } from "../lib/drone/client.ts";
import { ForgeClient } from "../lib/forge/client.ts";
import { isNotThere } from "../lib/not-there.ts";
import { NudgeBox } from "./listen/nudge-box.ts";
import { listen, metricsPages, publicPages } from "./listen/servers.ts";
import { Alarm } from "./pacing/alarm.ts";
import type { Bridge } from "./pipeline/bridge.ts";
import { DroneLane } from "./pipeline/drone-lane.ts";
import { ForgeLane } from "./pipeline/forge-lane.ts";
import { Gate } from "./pipeline/gate.ts";
import { RunFolders } from "./pipeline/run-folders.ts";
import { SelfWatch } from "./pipeline/self.ts";
import { Records } from "./records/index.ts";
import { Health } from "./telemetry/health.ts";
import { makeLog } from "./telemetry/log.ts";
import { Metrics } from "./telemetry/metrics.ts";

z.config({ jitless: true });

/** How long what goes on may take to come to a rest when we are told to end, in milliseconds: Docker waits for 15 s. */
const graceMilliseconds = 8000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { root: { type: "string", default: "/" } } });
  const at = (path: string) => join(values.root, path);
  const log = makeLog();
  const settings = bridgeSettingsSchema.parse(
    JSON.parse(await readFile(at(bridgePlaces.settings), "utf8")),
  );
  const { forgeToken, droneToken, webhookKey, previousWebhookKey } = bridgePlaces.secrets;
  const records = new Records(at(bridgePlaces.database));
  const health = new Health({
    ...{ settings, now: Date.now },
    unreadable: () => records.attempts.countNoes("read"),
  });
  const metrics = new Metrics(records, () => health.lookedAt);
  const alarms = { forge: new Alarm(), drone: new Alarm() };
  const recipes = settings.recipes.map(({ repository }) => repository);
  const box = new NudgeBox(records, () => alarms.forge.ring());
  const keys = await secrets([at(webhookKey), at(previousWebhookKey)]);
  const hook = settings.mode === "webhook" ? { keys, recipes, box } : undefined;
  const { port, metricsPort } = settings.listen;
  const ports = {
    port: await listen(publicPages({ health, metrics, log, hook }), port),
    metricsPort: await listen(metricsPages({ metrics, health }), metricsPort),
  };
  log.info({ mode: settings.mode, recipes: recipes.length, ...ports }, "listens");
  const [token = "", drone = ""] = [
    ...(await secrets([at(forgeToken)])),
    ...(await secrets([at(droneToken)])),
  ];
  const forge = new ForgeClient({ server: settings.forge.server, token });
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info({ signal }, "ends");
      stopping.abort();
      for (const alarm of Object.values(alarms)) alarm.ring();
      setTimeout(() => process.exit(0), graceMilliseconds).unref();
    });
  }
  const watch = new SelfWatch({ forge, settings, health, log, now: Date.now });
  const self = await watch.waitUntilFit(stopping.signal);
  if (self === undefined) process.exit(0);
  const bridge: Bridge = {
    ...{ settings, records, forge, log, metrics, self },
    drone: new DroneClient({ server: settings.drone.server, token: drone }),
    runs: new RunFolders(at(bridgePlaces.runs)),
    gate: new Gate(log, metrics),
    ...{ now: Date.now, random: Math.random },
    stopped: () => stopped(at(bridgePlaces.control)),
  };
  const forgeLane = new ForgeLane(bridge);
  const droneLane = new DroneLane(bridge);
  const goingOn = () => JSON.stringify([records.requests.goingOn(), records.attempts.troubles()]);
  const lanes = [
    goOn({ signal: stopping.signal, own: alarms.forge, other: alarms.drone, goingOn }, async () => {
      // What is left of the last turn may be so because the forge tells us of nobody any more.
      const isInDoubt = records.commands.countUnjudged() > 0;
      const whenNot = await watch.againAt(isInDoubt);
      if (whenNot !== undefined) return whenNot;
      const next = await forgeLane.turn();
      health.lookedAt = forgeLane.lookedAt;
      return next;
    }),
    goOn({ signal: stopping.signal, own: alarms.drone, other: alarms.forge, goingOn }, () =>
      droneLane.turn(),
    ),
  ];
  await Promise.all(lanes);
  records.close();
  process.exit(0);
}

interface Lane {
  readonly signal: AbortSignal;
  readonly own: Alarm;
  /** Of the lane that works on the same tests. */
  readonly other: Alarm;
  /** All that is known of tests that go on, and of what is in their way. */
  readonly goingOn: () => string;
}

async function goOn({ signal, own, other, goingOn }: Lane, turn: () => Promise<number>) {
  while (!signal.aborted) {
    const before = goingOn();
    const next = await turn();
    // Only then: two that wake each other for nothing never sleep.
    if (goingOn() !== before) other.ring();
    if (!signal.aborted) await own.sleep(next - Date.now());
  }
}

/** What there is of these files, without a line break at the end. */
async function secrets(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      try {
        return (await readFile(path, "utf8")).trim();
      } catch (error) {
        if (isNotThere(error)) return "";
        throw error;
      }
    }),
  );
  return found.filter((secret) => secret !== "");
}

/** The operator's word that no test is taken, and why; undefined where nothing has that name. */
async function stopped(folder: string): Promise<string | undefined> {
  const path = join(folder, "stop");
  try {
    await lstat(path);
  } catch (error) {
    if (isNotThere(error)) return undefined;
  }
  // Whatever it is, somebody means it.
  return (await readFile(path, "utf8").catch(() => "")).trim().slice(0, 500);
}

main().catch((error: unknown) => {
  makeLog().fatal({ error: error instanceof Error ? error.stack : String(error) }, "cannot go on");
  process.exit(1);
});
