import { describe, expect, test } from "vitest";
import * as z from "zod";
import { outcomeOf } from "../../../../services/lib/drone/outcome.ts";
import { accounts, ciRepository, droneAddress } from "../../forge/seed.ts";
import type { Host } from "../../host.ts";
import { observed, runAsPlanned, statusOf } from "../../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, stopsOf } from "../../library/at-rest.ts";
import { hooksOf, requestOf } from "../../library/drone-api.ts";
import {
  endOf,
  expectAborted,
  expectNextRuns,
  expectNothingLeft,
  isOver,
  pickUpSeconds,
} from "../../library/ended-builds.ts";
import {
  type DroneScene,
  expectBuild,
  loggedTokens,
  toldByDrone,
} from "../../library/shared-drone.ts";

const usersSchema = z.array(
  z.object({ login: z.string(), admin: z.boolean(), machine: z.boolean(), active: z.boolean() }),
);

/** Takes the build that waits as a runner does, and does nothing more, like one that could not make it ready. */
async function takeAndLeave(host: Host, machine: string): Promise<void> {
  const secret = host.read("/var/lib/cc-ci/secrets/drone-rpc-secret").trim();
  const ask = async (path: string, body: unknown): Promise<string> => {
    const { stdout } = await host.exec([
      ...["curl", "--silent", "--fail", "--max-time", "40", "--data", JSON.stringify(body)],
      ...["--header", `X-Drone-Token: ${secret}`, `${droneAddress}/rpc/v2/${path}`],
    ]);
    return stdout;
  };
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const filter = { kind: "pipeline", type: "exec", os: "linux", arch };
  const { id } = z.object({ id: z.int() }).parse(JSON.parse(await ask("stage", filter)));
  await ask(`stage/${id}?machine=${machine}`, {});
}

/** From its first boot on. */
export function life(shared: () => DroneScene): void {
  describe("from boot to boot", () => {
    test("converges by itself at its first boot, every piece of it", async () => {
      const pieces = Object.values(await statusOf(shared().host));
      expect(pieces.length).toBeGreaterThan(7);
      expect(pieces.filter(({ state }) => state !== "converged")).toEqual([]);
      await expectAtRest(shared().host);
    });

    test("has the repository enabled as it is to be, for the owner, and no hook on the forge", async () => {
      const { host, forge, drone } = shared();
      const { id } = await drone.user();
      const repository = await drone.repository();
      expect(repository).toMatchObject({
        ...{ slug: ciRepository, active: true, user_id: id, config_path: "out/cc-ci/drone.yml" },
        ...{ visibility: "public", trusted: false, protected: false },
        ...{ ignore_forks: true, ignore_pull_requests: true },
      });
      // An hour for the run, what its end may take, and a wait for its slot.
      expect(repository.timeout).toBeGreaterThan(60);
      expect(await hooksOf(host, forge)).toEqual([]);
    });

    test("has three accounts, each of its kind, with the tokens that lie on the host", async () => {
      const { drone } = shared();
      const { body } = await drone.ask("/api/users");
      const users = usersSchema.parse(body).toSorted((a, b) => (a.login < b.login ? -1 : 1));
      const active = { active: true };
      expect(users).toEqual([
        { login: "cc-ci-metrics", admin: false, machine: true, ...active },
        { login: accounts.bridge.login, admin: false, machine: false, ...active },
        { login: accounts.owner.login, admin: true, machine: false, ...active },
      ]);
      for (const account of ["owner", "bridge"] as const) {
        const { login } = await drone.user(drone.token(account));
        expect(login).toBe(accounts[account].login);
      }
      const metrics = await drone.ask("/metrics", { token: drone.token("metrics") });
      expect(metrics.status).toBe(200);
    });

    test("has told its log one token, which is nobody's any more", async () => {
      const scene = shared();
      const logged = await loggedTokens(scene);
      expect(logged).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
      const { status } = await scene.drone.ask("/api/user", { token: logged[0] ?? "" });
      expect(status).toBe(401);
      expect(logged).not.toContain(scene.drone.token("owner"));
      expect(await scene.drone.user()).toMatchObject({ login: accounts.owner.login, admin: true });
    });

    test("runs a build that the bridge starts", async () => {
      await expectBuild(shared());
    });

    // Both take a minute, and so are had at once.
    test("has an end for a build that takes longer than Drone lets it, and for one that a runner took and did not begin", async () => {
      const { host, forge, drone, runs } = shared();
      runs.script({
        children: { acts: [{ children: 3 }, { say: "begun" }, { sleepSeconds: 600 }] },
      });
      const runner = "cc-ci-runner.service";
      // given
      await host.exec(["systemctl", "stop", runner]);
      const { number: taken } = await drone.start(forge);
      await takeAndLeave(host, "nobody");
      await host.exec(["systemctl", "start", runner]);
      const path = `/api/repos/${ciRepository}`;
      await drone.ask(path, { method: "PATCH", body: { timeout: 1 } });
      const request = requestOf({ recipe: "children" });
      const { number } = await drone.start(forge, request);
      // when nobody does anything, then
      const end = await drone.until(number, isOver, 90 + pickUpSeconds);
      expect([outcomeOf(end), ...endOf(end)]).toEqual(["timed-out", "killed", 137]);
      await expectAborted(host, request.id, /went away|cancel/);
      expect(runs.tearDownsOf(request.id)).toBe(1);
      // and when the watch on builds looks
      expect(await drone.build(taken)).toMatchObject({
        ...{ status: "pending", stages: [{ status: "pending", machine: "nobody" }] },
      });
      const since = Date.now();
      await host.start("cc-ci-drone-builds");
      const left = await drone.build(taken);
      expect([outcomeOf(left), left.status, left.finished]).toEqual([
        ...["cancelled", "killed", expect.any(Date)],
      ]);
      expect(await host.journal("cc-ci-drone-builds.service", since)).toContain(
        `build cancel ${ciRepository}/${taken}: it was taken by nobody, and not begun`,
      );
      await expectNextRuns(host);
      await expectNothingLeft(host);
      // and then only the timeout is another one
      expect(callsOf(await runAsPlanned(host, [], "drone-repository"))).toEqual({
        "drone-repository": [`repository set ${ciRepository}`],
      });
    });

    test("does nothing in a second pass, neither to Docker nor to Drone", async () => {
      const scene = shared();
      const before = await toldByDrone(scene);
      await expectIdlePass(scene.host);
      expect(await toldByDrone(scene)).toEqual(before);
    });

    test.for([
      ["a reboot", (host: DroneScene["host"]) => host.reboot()],
      ["a power cut", (host: DroneScene["host"]) => host.powerCut()],
    ] as const)("is as before after %s, and runs builds", async ([, act]) => {
      const scene = shared();
      const before = await toldByDrone(scene);
      const runs = await observed(scene.host, async () => await act(scene.host));
      expect(stopsOf(runs)).toEqual({});
      // The runner is no piece: it starts with its first pass.
      expect(callsOf(runs)).toEqual({
        "drone-runner": ["service start cc-ci-runner.service"],
      });
      expect(await toldByDrone(scene)).toEqual(before);
      expect(await loggedTokens(scene)).not.toContain(scene.drone.token("owner"));
      await expectBuild(scene);
      await expectAtRest(scene.host);
    });
  });
}
