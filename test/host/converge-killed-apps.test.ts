import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../tools.ts";
import { runAll } from "./as-planned.ts";
import { bootHost, type Host } from "./host.ts";
import { killEverywhere, startsNothing } from "./kill-everywhere.ts";
import { buildSystem, type System } from "./system.ts";
import { putPassword, withEverything, withWebs } from "./web-app.ts";
import { Witnesses } from "./witnesses.ts";

const whole = startsNothing(withWebs({ web: { keys: withEverything } }).app);
const withoutWorker = withEverything.replace(" compose.worker.yml,", "");
const dropped = startsNothing(withWebs({ web: { keys: withoutWorker } }).app);
const removed = startsNothing(withWebs({}).app);

describe("an app that loses an overlay, leaves the configuration and comes back", {
  timeout: 1_800_000,
}, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  // Where a run is killed after a call or before the next one, the world is the same.
  test("survives a kill after every call", async () => {
    const prepare = (_root: string, host: Host) => putPassword(host);
    await using host = await bootHost({ configuration: whole, prepare });
    await runAll(host);
    const witnesses = await Witnesses.put(host);
    const to = (system: System) => (host: Host) => host.install(system);
    const ways = [
      { piece: "app-web", turn: "overlay dropped", begin: to(await buildSystem(dropped)) },
      { piece: "retire", turn: "app removed", begin: to(await buildSystem(removed)) },
      { piece: "app-web", begin: to(await buildSystem(whole)) },
    ];
    const killed = await killEverywhere(host, ways, {
      kill: "in turn",
      moment: "after",
      witnesses,
    } as const);
    // .env, deploy, seal, removal of the service; undeploy, removal of the secret and of the config.
    expect(killed).toBeGreaterThanOrEqual(7);
  });
});
