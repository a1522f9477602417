import { describe, expect, test } from "vitest";
import { forgeUnit } from "../forge/install.ts";
import { accounts, ciRepository, droneAddress } from "../forge/seed.ts";
import { observed, runAll, runAsPlanned, statusOf } from "../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, stopsOf } from "../library/at-rest.ts";
import { askForge } from "../library/drone-api.ts";
import { endLogin, forgeIs, logInByHand } from "../library/drone-logins.ts";
import {
  type DroneScene,
  expectBuild,
  sharedDrone,
  toldByDrone,
  withoutPaths,
} from "../library/shared-drone.ts";

const { login: owner } = accounts.owner;
const { login: bridge } = accounts.bridge;

/** Gives an account another right to the CI repository on the forge; null takes it all away. */
async function giveRight({ host, forge }: DroneScene, login: string, right: string | null) {
  const { status } = await askForge(host, `repos/${ciRepository}/collaborators/${login}`, {
    method: right === null ? "DELETE" : "PUT",
    token: forge.tokens["forge-admin"] ?? "",
    body: right === null ? undefined : { permission: right },
  });
  expect(status).toBe(204);
}

async function lineOf({ host }: DroneScene, piece: string): Promise<string> {
  return (await statusOf(host))[piece]?.line?.text ?? "";
}

const owed = {
  "drone-repository": "pending drone-login-owed",
  "drone-bridge": "pending drone-login-owed",
} as const;

describe("without passwords of the forge", { timeout: 600_000 }, () => {
  const shared = sharedDrone({ hasPasswords: false });

  test("a login is owed by a person, and all else converges", async () => {
    const scene = shared();
    const runs = await runAsPlanned(scene.host);
    expect(stopsOf(runs)).toEqual(owed);
    for (const [piece, login] of [
      ["drone-repository", owner],
      ["drone-bridge", bridge],
    ] as const) {
      const line = await lineOf(scene, piece);
      expect(line).toContain(`open ${droneAddress}/login once in a browser, as ${login}`);
      expect(line).not.toContain("\n");
    }
  });

  test("a rebuild does not fail for that", async () => {
    const { host, configured } = shared();
    const { exitStatus, failed } = await host.switchTo(configured({}));
    expect({ exitStatus, failed }).toEqual({ exitStatus: 0, failed: [] });
    await host.settle();
  });

  test("the next run goes on once the owner has logged in, and once the bridge has", async () => {
    const scene = shared();
    await withoutPaths(scene);
    await logInByHand(scene, owner);
    const first = await runAsPlanned(scene.host);
    expect(stopsOf(first)).toEqual({ "drone-bridge": owed["drone-bridge"] });
    expect(Object.keys(callsOf(first))).toEqual(["drone-repository"]);
    await logInByHand(scene, bridge);
    expect(stopsOf(await runAsPlanned(scene.host))).toEqual({});
    await expectAtRest(scene.host);
    await expectBuild(scene);
  });

  test.for([
    [owner, "write", "drone-repository", "pending drone-account-without-right", "Administrator"],
    [bridge, "read", "drone-bridge", "pending drone-account-without-right", "Write"],
  ] as const)("a right that %s lacks on the forge is named", async ([login, right, ...ends]) => {
    const scene = shared();
    const [piece, stop, role] = ends;
    await giveRight(scene, login, right);
    expect(stopsOf(await runAsPlanned(scene.host, [], piece))).toEqual({ [piece]: stop });
    expect(await lineOf(scene, piece)).toContain(`give that account the role ${role} there`);
    await giveRight(scene, login, accounts[login === owner ? "owner" : "bridge"].right);
    const runs = await runAsPlanned(scene.host, [], piece);
    expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, {}]);
  });

  test("a forge that is away is waited for, and nothing is deployed anew", async () => {
    const scene = shared();
    const { host } = scene;
    const before = await toldByDrone(scene);
    const versions = await host.docker.versions();
    await forgeIs(scene, "away");
    const runs = await runAsPlanned(host);
    expect(stopsOf(runs)).toEqual({
      "drone-repository": "pending drone-forge-silent",
      "drone-bridge": "pending drone-forge-silent",
    });
    expect(callsOf(runs)).toEqual({});
    const { since } = (await statusOf(host))["drone-repository"] ?? {};
    await runAll(host, "drone-repository");
    expect((await statusOf(host))["drone-repository"]).toMatchObject({ state: "pending", since });
    await forgeIs(scene, "back");
    await expectIdlePass(host);
    expect(await host.docker.versions()).toEqual(versions);
    expect(await toldByDrone(scene)).toEqual(before);
  });

  test("a forge that is away at boot is waited for, too", async () => {
    const scene = shared();
    const { host } = scene;
    await host.exec(["systemctl", "disable", forgeUnit]);
    const runs = await observed(host, async () => await host.reboot());
    expect(stopsOf(runs)).toEqual({
      "drone-repository": "pending drone-forge-silent",
      "drone-bridge": "pending drone-forge-silent",
    });
    expect((await statusOf(host))["drone-repository"]?.since).toMatch(/^\d{4}-\d\d-\d\dT/);
    await host.exec(["systemctl", "enable", forgeUnit]);
    await forgeIs(scene, "back");
    await expectIdlePass(host);
  });

  test("a login that was ended on the forge is owed again", async () => {
    const scene = shared();
    await endLogin(scene, owner);
    await endLogin(scene, bridge);
    expect(stopsOf(await runAsPlanned(scene.host))).toEqual(owed);
    await logInByHand(scene, owner);
    await logInByHand(scene, bridge);
    expect(stopsOf(await runAsPlanned(scene.host))).toEqual({});
    await expectBuild(scene);
    await expectAtRest(scene.host);
  });
});
