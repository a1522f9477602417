import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, usualConfiguration } from "../host.ts";
import { Recovered, removeStack } from "../library/kill-everywhere.ts";
import { placesOf } from "../library/web-app.ts";
import { withoutTimer } from "../library/without-timer.ts";

const { domain } = placesOf("traefik");
const unit = "cc-ci-traefik.service";

/** Numbers from 0 to 1 that are the same again for the same seed (mulberry32). */
function randomsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("a run that is killed", { timeout: 1_800_000 }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test("at any moment, and by a power cut, from which the boot recovers alone", async () => {
    const configuration = withoutTimer(usualConfiguration());
    await using host = await bootHost({ configuration });
    await host.settle();
    const before = await Recovered.asNow(host);
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    console.log(`SEED=${seed}`);
    const random = randomsOf(seed);
    await removeStack(host, domain, "traefik");
    const begun = performance.now();
    await host.start(unit);
    const seconds = (performance.now() - begun) / 1000;
    for (const kill of ["unit", "power", "unit", "power", "unit"]) {
      await removeStack(host, domain, "traefik");
      await host.exec(["systemctl", "start", "--no-block", unit]);
      await sleep(random() * seconds * 1000);
      if (kill === "power") await host.powerCut();
      else await host.faults.killUnit(unit);
      await before.again();
    }
  });
});
