import { describe, expect, test } from "vitest";
import * as z from "zod";
import { forgeUnit } from "../../forge/install.ts";
import { accounts, droneAddress } from "../../forge/seed.ts";
import { runAll, runAsPlanned } from "../../library/as-planned.ts";
import { callsOf, expectAtRest, stopsOf } from "../../library/at-rest.ts";
import { askForge } from "../../library/drone-api.ts";
import { endLogin } from "../../library/drone-logins.ts";
import { type DroneScene, expectBuild } from "../../library/shared-drone.ts";

const { login: owner } = accounts.owner;
const { login: bridge } = accounts.bridge;
const files = {
  password: "/var/lib/ci-secrets/owner",
  forgeToken: "/var/lib/ci-secrets/forge-token",
} as const;

/** The one that needs them, where the others are known to have nothing to do. */
const piece = "drone-repository";

const clientsSchema = z.array(z.object({ id: z.int() }));
const clientSchema = z.object({ client_id: z.string(), client_secret: z.string() });

/** Logins, passwords, tokens and clients of the forge that are good no more. */
export function passwords(shared: () => DroneScene): void {
  describe("with passwords of the forge", () => {
    test("logins that were ended there are made again", async () => {
      const scene = shared();
      await endLogin(scene, owner);
      await endLogin(scene, bridge);
      const runs = await runAsPlanned(scene.host);
      expect([stopsOf(runs), callsOf(runs)]).toEqual([
        {},
        { "drone-repository": [`drone login ${owner}`], "drone-bridge": [`drone login ${bridge}`] },
      ]);
      await expectAtRest(scene.host);
    });

    test("a wrong one is said in one line, and given to the forge once in a run", async () => {
      const scene = shared();
      const { host, forge } = scene;
      await endLogin(scene, owner);
      host.write(files.password, "not this one", 0o600);
      const since = Date.now();
      const runs = await runAsPlanned(host, ["drone-password-refused"], piece);
      expect(stopsOf(runs)).toEqual({ "drone-repository": "failed drone-password-refused" });
      expect(runs["drone-repository"]?.line?.text).toContain(files.password);
      const tries = (await host.journal(forgeUnit, since)).match(/Failed authentication attempt/g);
      expect(tries).toHaveLength(1);
      // and then
      host.write(files.password, `${forge.passwords[owner]}\n`, 0o600);
      expect(stopsOf(await runAsPlanned(host, [], piece))).toEqual({});
      await expectAtRest(host);
    });

    test.for([
      ["of an account without the right", (forge: DroneScene["forge"]) => forge.tokens.maintainer],
      ["of nobody", () => "0123456789abcdef0123456789abcdef01234567"],
    ] as const)("a token of the forge that is %s is said in one line", async ([what, token]) => {
      const scene = shared();
      const { host, forge } = scene;
      host.write(files.forgeToken, token(forge) ?? "", 0o600);
      // With a dead login beside it, which is renewed by then.
      await endLogin(scene, owner);
      const isUnforeseen = what !== "of nobody";
      const runs = await runAsPlanned(host, isUnforeseen ? ["forge-refused"] : [], piece);
      expect(stopsOf(runs)).toEqual({ "drone-repository": "failed forge-refused" });
      expect(callsOf(runs)).toEqual(
        isUnforeseen ? { "drone-repository": [`drone login ${owner}`] } : {},
      );
      expect(runs["drone-repository"]?.line?.text).toContain(`put a token there of an account`);
      host.write(files.forgeToken, forge.tokens[owner] ?? "", 0o600);
      expect(stopsOf(await runAsPlanned(host, [], piece))).toEqual({});
    });

    test("an OAuth client that is gone is said in one line, and another one is taken", async () => {
      const scene = shared();
      const { host, forge, configured } = scene;
      const token = forge.tokens["forge-admin"] ?? "";
      const asAdmin = async (method: string, path: string, body?: unknown) =>
        await askForge(host, `user/applications/oauth2${path}`, { method, token, body });
      const { body: clients } = await asAdmin("GET", "");
      const [old] = clientsSchema.parse(clients);
      await asAdmin("DELETE", `/${old?.id}`);
      const runs = await runAsPlanned(host, ["drone-login-refused"]);
      expect(stopsOf(runs)).toEqual({
        "drone-repository": "failed drone-login-refused",
        "drone-bridge": "failed drone-login-refused",
      });
      // when there is another one, with which the host is switched
      const { body } = await asAdmin("POST", "", {
        ...{ name: "drone", redirect_uris: [`${droneAddress}/login`], confidential_client: true },
      });
      const client = clientSchema.parse(body);
      host.write("/var/lib/ci-secrets/drone-client", client.client_secret, 0o600);
      const { exitStatus } = await host.switchTo(configured({}, client.client_id));
      await host.settle();
      // then its own run may have asked a Drone that was just being deployed
      expect([exitStatus, stopsOf(await runAll(host))]).toEqual([0, {}]);
      await expectAtRest(host);
      await expectBuild(scene);
    });
  });
}
