import { describe, expect, test } from "vitest";
import { observed, runAll, statusOf } from "../../library/as-planned.ts";
import { callsOf, expectAtRest, stopsOf } from "../../library/at-rest.ts";
import { type DroneScene, expectBuild, toldByDrone } from "../../library/shared-drone.ts";
import { beforeCases } from "../../library/shared-host.ts";
import { placesOf } from "../../library/web-app.ts";
import { until } from "../../machine/processes.ts";

const app = placesOf("drone");
const runner = "cc-ci-runner.service";
const rpcSecret = "/var/lib/cc-ci/secrets/drone-rpc-secret";

/** It is switched to another configuration, and is left with another one than it had. */
export function switches(shared: () => DroneScene): void {
  describe("that is switched", () => {
    beforeCases(() =>
      shared().runs.script({
        wiki: { acts: [{ say: "hello" }] },
        slow: { acts: [{ say: "begun" }, { sleepSeconds: 40 }] },
      }),
    );

    test("that may run more at once ends no build for it, and then does", async () => {
      const scene = shared();
      const { host, forge, drone, runs, configured } = scene;
      const before = await host.unit(runner);
      const build = await drone.start(forge, { recipe: "slow" });
      const id = build.params.CCCI_ID ?? "";
      await runs.unitOf(id, "begun");
      // when
      const { exitStatus } = await host.switchTo(configured({ host: "runs: { maxTests: 3 }" }));
      expect(exitStatus).toBe(0);
      expect((await statusOf(host))["drone-runner"]).toMatchObject({
        ...{ state: "pending", line: { id: "service-drains" } },
      });
      expect((await host.unit(runner)).invocation).toBe(before.invocation);
      // then
      const { status } = await drone.until(build.number, ({ finished }) => finished !== null, 90);
      expect(status).toBe("success");
      expect(runs.resultsOf(id)?.outcome).toBe("passed");
      await until("another runner", 60, async () => {
        const now = await host.unit(runner);
        return now.state === "active" && now.invocation !== before.invocation ? true : undefined;
      });
      const after = await runAll(host);
      expect([stopsOf(after), callsOf(after)]).toEqual([{}, {}]);
      const three = [0, 1, 2].map(
        async () => (await drone.start(forge, { recipe: "slow" })).number,
      );
      for (const number of await Promise.all(three)) {
        await drone.until(number, ({ status }) => status === "running", 30);
      }
      await until("three runs", 60, async () =>
        (await runs.list()).length === 3 ? true : undefined,
      );
      for (const number of await Promise.all(three)) await drone.cancel(number);
      await runs.none();
      await expectAtRest(host);
    });

    test.for([
      ["older", "1.8.0"],
      ["newer", "1.9.0"],
    ])("keeps all accounts with an %s release of the recipe", async ([, release]) => {
      const scene = shared();
      const { host, configured } = scene;
      const before = await toldByDrone(scene);
      const keys = { release: release ?? "", host: "runs: { maxTests: 3 }" };
      const runs = await observed(host, async () => {
        expect((await host.switchTo(configured(keys))).exitStatus).toBe(0);
      });
      expect(stopsOf(runs)).toEqual({});
      expect(Object.keys(callsOf(runs))).toEqual(["drone"]);
      expect(runs.drone?.calls).toContain(`app deploy ${app.domain}`);
      expect(await toldByDrone(scene)).toEqual(before);
      await expectAtRest(host);
    });

    test("gives its runner another secret when that is replaced", async () => {
      const scene = shared();
      const { host } = scene;
      const before = await toldByDrone(scene);
      // The path units of both pieces see it.
      const runs = await observed(host, async () => {
        host.write(rpcSecret, "0123456789abcdef".repeat(4), 0o600);
      });
      expect(stopsOf(runs)).toEqual({});
      expect(Object.keys(callsOf(runs)).toSorted()).toEqual(["drone", "drone-runner"]);
      expect(runsOnSecret(runs.drone?.calls)).toBe(true);
      expect(runs["drone-runner"]?.calls).toEqual([`service restart ${runner}`]);
      expect(await toldByDrone(scene)).toEqual(before);
      await expectBuild(scene);
      await expectAtRest(host);
    });
  });
}

/** Whether a secret was made for the runner, and the one before it removed. */
function runsOnSecret(calls: readonly string[] = []): boolean {
  const name = `${app.stack}_rpc_secret_`;
  return ["create", "remove"].every((what) =>
    calls.some((call) => call.startsWith(`secret ${what} ${name}`)),
  );
}
