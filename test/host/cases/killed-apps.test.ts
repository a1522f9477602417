import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, type Host } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import {
  fromRunOf,
  killEverywhere,
  killsToTry,
  startsNothing,
} from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { putPassword, withEverything, withWebs } from "../library/web-app.ts";
import { Witnesses } from "../library/witnesses.ts";
import { buildSystem, type System } from "../system/system.ts";

const withoutWorker = withEverything.replace(" compose.worker.yml,", "");
const webAt = (release: string, keys: string) =>
  startsNothing(withWebs({ web: { release, keys } }).app);
/** Never gets healthy: Docker takes it back. */
const bad = webAt("0.3.0", withEverything);
const [good, better] = [webAt("0.1.0", withoutWorker), webAt("0.2.0", withoutWorker)];
const removed = startsNothing(withWebs({}).app);

describe("an app", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())(
    "that gets well after a release that was taken back, and leaves, survives a kill (%s) %s every call",
    async ([kill, moment]) => {
      const prepare = (_root: string, host: Host) => putPassword(host);
      await using host = await bootHost({ configuration: good, prepare });
      await runAsPlanned(host);
      const witnesses = await Witnesses.put(host);
      const [toGood, toBad] = [host.system, await buildSystem(bad)];
      const [toBetter, without] = [await buildSystem(better), await buildSystem(removed)];
      const recovery = (system: System) => ({
        ...{ piece: "app-web", turn: "a good release after a bad one" },
        begin: async () => {
          // The bad one brings a second service and another secret, which the good one is rid of again.
          putPassword(host, "a password that goes with the bad release");
          const line = await fromRunOf(host, "app-web", [toBad, system]);
          expect(line).toBe("service-rolled-back");
          putPassword(host);
        },
      });
      const removal = {
        ...{ piece: "retire", turn: "app removed" },
        begin: async () => void (await fromRunOf(host, "app-web", [toGood, without])),
      };
      const options = { kill, moment, witnesses };
      const killed = [
        ...(await killEverywhere(host, [recovery(toBetter), recovery(toGood)], options)),
        ...(await killEverywhere(host, [removal], options)),
      ];
      expect(verbsOf(killed)).toEqual(killedVerbs["killed-apps"]);
    },
  );
});
