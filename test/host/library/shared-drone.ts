import { expect } from "vitest";
import type { SeededForge } from "../forge/seed.ts";
import { ciRepository } from "../forge/seed.ts";
import type { Host } from "../host.ts";
import type { Configuration } from "../system/system.ts";
import { quiet } from "./at-rest.ts";
import { DroneApi, hooksOf } from "./drone-api.ts";
import { type DroneKeys, droneHost, withDrone } from "./drone-host.ts";
import { sharedHost } from "./shared-host.ts";
import { TestRuns } from "./test-runs.ts";

/** A host with Drone, and who speaks to it. */
export interface DroneScene {
  readonly host: Host;
  readonly forge: SeededForge;
  readonly drone: DroneApi;
  readonly runs: TestRuns;
  /** The host as it is, but for these keys, or another OAuth client: what it can be switched to. */
  readonly configured: (keys: DroneKeys, clientId?: string) => Configuration;
}

/**
 * One host with Drone for all cases of a `describe`, where everything that was started at its boot has ended
 * and come to rest before the first of them. It has no timers: their runs would come in between.
 *
 * @param prepare what else comes before the first case
 */
export function sharedDrone(
  keys: DroneKeys = {},
  prepare: (scene: DroneScene) => Promise<void> = async () => undefined,
): () => DroneScene {
  let forge: SeededForge | undefined;
  const sceneOf = (host: Host): DroneScene => {
    if (forge === undefined) throw new Error("the host has no forge");
    const { clientId: first } = forge;
    return {
      ...{ host, forge, drone: new DroneApi(host), runs: new TestRuns(host) },
      configured: (others, clientId = first) =>
        withDrone(clientId, { ...keys, ...others, hasOwnTimers: false }),
    };
  };
  const shared = sharedHost(
    async () => {
      const { forge: seeded, ...options } = await droneHost({ ...keys, hasOwnTimers: false });
      forge = seeded;
      return options;
    },
    async (host) => {
      await host.settle();
      await quiet(host);
      await prepare(sceneOf(host));
    },
  );
  return () => sceneOf(shared());
}

/**
 * Has no change of a file start anything by itself, up to the next boot or switch: Drone is deployed anew with
 * another token of its owner by the next run then, as it was planned.
 */
export async function withoutPaths({ host }: Pick<DroneScene, "host">): Promise<void> {
  await host.exec(["systemctl", "stop", "cc-ci-*.path"]);
}

/** All that Drone tells its owner of accounts and of the repository, and the forge of its hooks. */
export async function toldByDrone({ host, forge, drone }: DroneScene): Promise<unknown> {
  const [users, repository] = [
    await drone.ask("/api/users"),
    await drone.ask(`/api/repos/${ciRepository}`),
  ];
  expect([users.status, repository.status]).toEqual([200, 200]);
  return { users: users.body, repository: repository.body, hooks: await hooksOf(host, forge) };
}

/** Shows that a build that the bridge starts runs on this host, and ends well. Its run is over then too. */
export async function expectBuild({
  forge,
  drone,
  runs,
}: Pick<DroneScene, "forge" | "drone" | "runs">): Promise<void> {
  const { number } = await drone.start(forge);
  const { status } = await drone.until(number, ({ finished }) => finished !== null, 90);
  expect({ status, log: await drone.log(number) }).toEqual({
    ...{ status: "success", log: expect.stringContaining("has passed") },
  });
  // Its teardown goes on for a moment after the build, and writes.
  await runs.none();
}

/** Tokens in what Drone's server has logged since it was first deployed. */
export async function loggedTokens({ host }: Pick<DroneScene, "host">): Promise<readonly string[]> {
  const logs = ["docker", "service", "logs", "--raw", "drone_ci_example_org_app"];
  const { stdout, stderr } = await host.exec(logs);
  return [...(stdout + stderr).matchAll(/"?token"?[=:] ?"?([0-9A-Za-z]+)/g)].map(
    ([, token = ""]) => token,
  );
}
