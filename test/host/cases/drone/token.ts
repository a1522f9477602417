import { describe, expect, test } from "vitest";
import { accounts, ciRepository } from "../../forge/seed.ts";
import { runAsPlanned } from "../../library/as-planned.ts";
import { callsOf, expectAtRest, harm, stopsOf } from "../../library/at-rest.ts";
import {
  type DroneScene,
  expectBuild,
  loggedTokens,
  withoutPaths,
} from "../../library/shared-drone.ts";
import { beforeCases } from "../../library/shared-host.ts";
import { placesOf } from "../../library/web-app.ts";

const { login: owner } = accounts.owner;
const { login: bridge } = accounts.bridge;
const app = placesOf("drone");
const service = `${app.stack}_app`;

const deployed = [`app deploy ${app.domain}`, `service seal ${service}`];
/** What follows on another token of the owner: Drone has to start with it. */
const newOwnerSecret = `${app.stack}_admin_token_`;
const redeployed = [
  expect.stringContaining(`secret create ${newOwnerSecret}`),
  ...[`env write ${app.env}`, `config mark ${app.stack}_cc-ci`, ...deployed],
  `config mark ${app.stack}_cc-ci`,
  expect.stringContaining(`secret remove ${newOwnerSecret}`),
];

/** What Drone knows its owner by is lost, in part and with all else that it knows. */
export function token(shared: () => DroneScene): void {
  describe("whose owner's token is nobody's", () => {
    beforeCases(async () => await withoutPaths(shared()));

    test("is started with another one, and keeps none that it has logged", async () => {
      const scene = shared();
      const { host, drone } = scene;
      expect((await drone.ask("/api/user/token?rotate=true", { method: "POST" })).status).toBe(200);
      const renewed = await runAsPlanned(host, ["drone-token-on-its-way"], "drone-repository");
      expect([stopsOf(renewed), callsOf(renewed)]).toEqual([
        { "drone-repository": "pending drone-token-on-its-way" },
        { "drone-repository": [`token renew ${owner}`] },
      ]);
      const deployedAndRotated = [
        {},
        { drone: redeployed, "drone-repository": [`token rotate ${owner}`] },
      ];
      const started = await runAsPlanned(host);
      expect([stopsOf(started), callsOf(started)]).toEqual(deployedAndRotated);
      // Once more with the token before, which is the one that counts by that: then the new one is logged too.
      await harm(host, `docker kill $(docker ps --quiet --filter name=${service})`);
      await drone.answers();
      const again = await runAsPlanned(host);
      expect([stopsOf(again), callsOf(again)]).toEqual(deployedAndRotated);
      expect(callsOf(await runAsPlanned(host, [], "drone"))).toEqual({ drone: redeployed });
      // then
      expect(await drone.user()).toMatchObject({ login: owner, admin: true });
      expect(await loggedTokens(scene)).not.toContain(drone.token("owner"));
      await expectAtRest(host);
    });

    test("and without the key of its database is left as it is, until that is put back", async () => {
      const { host, drone } = shared();
      const key = "/var/lib/cc-ci/secrets/drone-database-secret";
      const [content, versions] = [host.read(key), await host.docker.versions()];
      await harm(host, `rm ${key}`);
      const runs = await runAsPlanned(host);
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{ drone: "refused host-file-key-lost" }, {}]);
      expect(await host.docker.versions()).toEqual(versions);
      expect(await drone.user()).toMatchObject({ login: owner });
      host.write(key, content, 0o600);
      const mended = await runAsPlanned(host, [], "drone");
      expect([stopsOf(mended), callsOf(mended)]).toEqual([{}, {}]);
      await expectAtRest(host);
    });

    test("with its whole database makes all anew", async () => {
      const scene = shared();
      const { host } = scene;
      await harm(
        host,
        `docker service scale --detach ${service}=0
while docker ps --quiet --filter name=${service} | grep --quiet .; do sleep 0.2; done
rm /var/lib/docker/volumes/${app.stack}_data/_data/*`,
      );
      const runs = await runAsPlanned(host);
      expect([stopsOf(runs), callsOf(runs)]).toEqual([
        {},
        {
          // abra had put the version of what lies there into it.
          drone: [`env write ${app.env}`, ...deployed],
          "drone-repository": [
            ...[`drone login ${owner}`, `drone sync ${owner}`],
            ...[`repository enable ${ciRepository}`, `repository set ${ciRepository}`],
            ...[
              `hook remove ${ciRepository}`,
              "account create cc-ci-metrics",
              `token rotate ${owner}`,
            ],
          ],
          "drone-bridge": [
            `account create ${bridge}`,
            `drone login ${bridge}`,
            `drone sync ${bridge}`,
          ],
        },
      ]);
      expect(callsOf(await runAsPlanned(host, [], "drone"))).toEqual({ drone: redeployed });
      await expectAtRest(host);
      await expectBuild(scene);
    });
  });
}
