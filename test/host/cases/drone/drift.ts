import { describe, expect, test } from "vitest";
import { accounts, ciRepository } from "../../forge/seed.ts";
import { runAsPlanned } from "../../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, harm, stopsOf } from "../../library/at-rest.ts";
import { tokenFiles } from "../../library/drone-api.ts";
import { type DroneScene, expectBuild, withoutPaths } from "../../library/shared-drone.ts";
import { beforeCases } from "../../library/shared-host.ts";
import { placesOf } from "../../library/web-app.ts";
import { until } from "../../machine/processes.ts";

const { login: bridge } = accounts.bridge;
const metrics = "cc-ci-metrics";
const repository = `/api/repos/${ciRepository}`;
const app = placesOf("drone");
const runner = "cc-ci-runner.service";

const loggedIn = [`drone login ${bridge}`, `drone sync ${bridge}`];
const madeAnew = [`account remove ${bridge}`, `account create ${bridge}`, ...loggedIn];

/** Something that the owner's account is told to do in Drone. */
type Act = (scene: DroneScene) => Promise<void>;

const asOwner =
  (method: string, path: string, body?: unknown): Act =>
  async ({ drone }) => {
    const { status } = await drone.ask(path, { method, body });
    expect(status).toBeLessThan(300);
  };

const inOrder =
  (...acts: readonly Act[]): Act =>
  async (scene) => {
    for (const act of acts) await act(scene);
  };

const onHost =
  (script: string): Act =>
  async ({ host }) =>
    await harm(host, script);

/** Each alone is shown without a host. */
const settings = [
  { config_path: ".drone.yml", timeout: 5, visibility: "private" },
  { trusted: true, protected: true, ignore_forks: false, ignore_pull_requests: false },
];

/** Calls that a run makes, by piece. */
type Calls = Readonly<Record<string, readonly unknown[]>>;

const harms: readonly { what: string; act: Act; calls: Calls }[] = [
  ...settings.map((altered) => ({
    what: `the repository's ${Object.keys(altered).join(" and ")} were altered by hand`,
    act: asOwner("PATCH", repository, altered),
    calls: { "drone-repository": [`repository set ${ciRepository}`] },
  })),
  {
    what: "the repository was disabled",
    act: asOwner("DELETE", repository),
    calls: {
      "drone-repository": [`repository enable ${ciRepository}`, `hook remove ${ciRepository}`],
    },
  },
  {
    what: "Drone's hook on the forge was made again",
    act: asOwner("POST", `${repository}/repair`),
    calls: { "drone-repository": [`hook remove ${ciRepository}`] },
  },
  {
    what: "the bridge's account was made an administrator, and took the repository",
    act: inOrder(asOwner("PATCH", `/api/users/${bridge}`, { admin: true }), async ({ drone }) => {
      const token = drone.token("bridge");
      const { status } = await drone.ask(`${repository}/chown`, { method: "POST", token });
      expect(status).toBe(200);
    }),
    calls: {
      "drone-repository": [`repository own ${ciRepository}`],
      "drone-bridge": madeAnew,
    },
  },
  {
    what: "the bridge's account was removed",
    act: asOwner("DELETE", `/api/users/${bridge}`),
    calls: { "drone-bridge": [`account create ${bridge}`, ...loggedIn] },
  },
  {
    what: "the bridge's token was replaced",
    act: onHost(`echo another-token-of-the-bridge >${tokenFiles.bridge}`),
    calls: { "drone-bridge": madeAnew },
  },
  {
    what: "the bridge's token was removed",
    act: onHost(`rm ${tokenFiles.bridge}`),
    calls: { "drone-bridge": [`file create ${tokenFiles.bridge}`, ...madeAnew] },
  },
  {
    what: "the account for metrics was removed",
    act: asOwner("DELETE", `/api/users/${metrics}`),
    calls: { "drone-repository": [`account create ${metrics}`] },
  },
  {
    what: "the account for metrics was made an administrator",
    act: asOwner("PATCH", `/api/users/${metrics}`, { admin: true }),
    calls: { "drone-repository": [`account remove ${metrics}`, `account create ${metrics}`] },
  },
  {
    what: "the runner was stopped",
    act: onHost(`systemctl stop ${runner}`),
    calls: { "drone-runner": [`service start ${runner}`] },
  },
  {
    what: "our files beside the recipe's were edited",
    act: onHost(`echo >>${app.checkout}/compose.ccci.yml; rm ${app.checkout}/ccci.env.tmpl`),
    calls: { drone: [`checkout reset ${app.checkout}`] },
  },
];

/** Alters one thing after the other. */
export function drift(shared: () => DroneScene): void {
  describe("that drifted", () => {
    beforeCases(async () => await withoutPaths(shared()));

    test.for(harms)("converges when $what", async ({ act, calls }) => {
      const scene = shared();
      await act(scene);
      // With those that it needs, where it is one alone; that all is at rest then is shown once.
      const [piece = "", ...others] = Object.keys(calls);
      const runs = await runAsPlanned(scene.host, [], others.length === 0 ? piece : undefined);
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, calls]);
    });

    test("needs no run when the runner was killed", async () => {
      const { host } = shared();
      const { invocation } = await host.unit(runner);
      await host.faults.killUnit(runner);
      await until("another runner", 30, async () => {
        const now = await host.unit(runner);
        return now.state === "active" && now.invocation !== invocation ? true : undefined;
      });
      await expectAtRest(host);
    });

    test("does nothing more once all that is mended", async () => {
      await expectIdlePass(shared().host);
      await expectBuild(shared());
    });
  });
}
