import { expect } from "vitest";
import * as z from "zod";
import { DroneClient } from "../../../services/lib/drone/client.ts";
import { until } from "../../host/machine/processes.ts";
import { newRequest, pipeline, type Scene } from "../scene.ts";
import { letIn } from "./accounts.ts";
import type { ContractEntry } from "./entry.ts";

const hooksSchema = z.array(z.object({ id: z.int(), config: z.object({ url: z.string() }) }));

async function hooksOf(scene: Scene, repository: string) {
  return await scene.owner.done(hooksSchema, "GET", `repos/${repository}/hooks`);
}

/** A second administrator of the shared Drone, who was never logged in at the forge. */
async function administrator(scene: Scene): Promise<DroneClient> {
  const { server, token } = await scene.shared();
  const login = scene.name("other");
  const own = login.padEnd(32, "-");
  const body = { login, token: own, admin: true };
  await server.ask("POST", "/api/users", { token, body });
  return new DroneClient({ server: server.url, token: own });
}

/** Settings of a repository. */
export const repositories: readonly ContractEntry[] = [
  {
    id: "unknown-before-sync",
    facts: "2.4",
    says: "a repository that is new on the forge is unknown until a sync",
    probe: async (scene) => {
      // Where nobody else asks for a sync meanwhile.
      const { client, server, token } = await scene.drone();
      await until("the sync of the login", 20, async () => {
        const { body } = await server.ask("GET", "/api/user", { token });
        return (body as { syncing: boolean }).syncing ? undefined : true;
      });
      const repository = await scene.repository();
      await expect(client.enable(repository)).rejects.toMatchObject({ trouble: "not-found" });
      await client.sync();
      expect(await client.repository(repository)).toMatchObject({ active: false });
      expect(await client.enable(repository)).toMatchObject({ active: true });
    },
  },
  {
    id: "enabled-as-on-forge",
    facts: "2.4",
    says: "an enabled repository has sixty minutes, .drone.yml and the visibility of the forge; enabling again is fine",
    probe: async (scene) => {
      const { client } = await scene.shared();
      for (const isPrivate of [false, true]) {
        const repository = await scene.repository({ isPrivate });
        await client.sync();
        const enabled = await client.enable(repository);
        expect(enabled).toMatchObject({
          ...{ slug: repository, active: true, config_path: ".drone.yml", timeout: 60 },
          ...{ visibility: isPrivate ? "private" : "public", trusted: false, protected: false },
          ...{ ignore_forks: false, ignore_pull_requests: false },
        });
        expect(await client.enable(repository)).toEqual(enabled);
      }
    },
  },
  {
    id: "hook-with-secret",
    facts: "2.4",
    says: "enabling makes a hook on the forge with the secret in its address, and makes it anew each time",
    probe: async (scene) => {
      const { client, server } = await scene.shared();
      const repository = await scene.repository();
      await client.sync();
      await client.enable(repository);
      const [first, ...others] = await hooksOf(scene, repository);
      expect(others).toEqual([]);
      expect(first?.config.url).toMatch(new RegExp(`^${server.url}/hook\\?secret=\\w+$`));
      await scene.owner.done(z.unknown(), "DELETE", `repos/${repository}/hooks/${first?.id}`);
      // No change of a setting brings it back, nor do a sync and a build.
      await client.change(repository, { timeout: 5, config_path: "out/host/drone.yml" });
      await client.sync();
      await client.repository(repository);
      const place = await scene.place(repository, pipeline(["true"]));
      expect(await client.start(place, newRequest())).toMatchObject({ as: "started" });
      expect(await hooksOf(scene, repository)).toEqual([]);
      await client.enable(repository);
      await client.enable(repository);
      const [second, ...more] = await hooksOf(scene, repository);
      expect(more).toEqual([]);
      await scene.owner.done(z.unknown(), "DELETE", `repos/${repository}/hooks/${second?.id}`);
      expect((await scene.ask("POST", `${repository}/repair`)).status).toBe(200);
      expect(await hooksOf(scene, repository)).toHaveLength(1);
    },
  },
  {
    id: "owner-is-who-enables",
    facts: "2.4",
    says: "a repository belongs to the account that enabled it last, or took it over",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const { id } = await client.user();
      const repository = await scene.repository();
      await client.sync();
      expect(await client.repository(repository)).toMatchObject({ user_id: 0 });
      await client.enable(repository);
      expect(await client.repository(repository)).toMatchObject({ user_id: id });
      const other = await administrator(scene);
      await other.own(repository);
      expect(await client.repository(repository)).toMatchObject({
        user_id: (await other.user()).id,
      });
      await client.own(repository);
      expect(await client.repository(repository)).toMatchObject({ user_id: id });
    },
  },
  {
    id: "owner-without-login",
    facts: "2.5",
    says: "where the owner was never logged in, the forge is asked without a login: what is public can be built",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const other = await administrator(scene);
      const started: unknown[] = [];
      for (const isPrivate of [false, true]) {
        const repository = await scene.enabled({ isPrivate });
        await other.own(repository);
        const text = pipeline(["true"], { labels: { of: "nobody" } });
        const place = await scene.place(repository, text);
        started.push(await client.start(place, newRequest()).catch((error: unknown) => error));
      }
      expect(started).toMatchObject([{ as: "started" }, { status: 404, trouble: "not-found" }]);
    },
  },
  {
    id: "settings-stay",
    facts: "2.4",
    says: "settings are what they were set to, and stay so when it is disabled and enabled",
    probe: async (scene) => {
      const { client, server, token } = await scene.shared();
      const repository = await scene.enabled();
      const settings = {
        ...{ timeout: 7, visibility: "private", config_path: "a/b.yml", trusted: true },
        ...{ ignore_forks: true, ignore_pull_requests: true },
      };
      expect(await client.change(repository, settings)).toMatchObject(settings);
      expect(await client.change(repository, {})).toMatchObject(settings);
      await server.ask("DELETE", `/api/repos/${repository}`, { token });
      expect(await client.repository(repository)).toMatchObject({ ...settings, active: false });
      expect(await client.enable(repository)).toMatchObject({ ...settings, active: true });
      await client.sync();
      expect(await client.repository(repository)).toMatchObject(settings);
    },
  },
  {
    id: "taken-over",
    facts: "2.4",
    says: "an account takes a repository over without a hook being made for it",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const repository = await scene.enabled();
      for (const { id } of await hooksOf(scene, repository)) {
        await scene.owner.done(z.unknown(), "DELETE", `repos/${repository}/hooks/${id}`);
      }
      await client.own(repository);
      const { id } = await client.user();
      expect(await client.repository(repository)).toMatchObject({ user_id: id, active: true });
      expect(await hooksOf(scene, repository)).toEqual([]);
    },
  },
  {
    id: "disabled-builds",
    facts: "2.4",
    says: "a disabled repository takes builds by hand all the same",
    probe: async (scene) => {
      const { client, server, token } = await scene.shared();
      const repository = await scene.enabled();
      await server.ask("DELETE", `/api/repos/${repository}`, { token });
      const place = await scene.place(repository, pipeline(["true"]));
      expect(await client.start(place, newRequest())).toMatchObject({ as: "started" });
    },
  },
  {
    id: "private-is-hidden",
    facts: "2.4",
    says: "guests see builds and logs of a public repository, and nothing of a private one",
    probe: async (scene) => {
      const { client, server } = await scene.shared();
      const repository = await scene.enabled();
      const statusOf = async (path: string): Promise<number> =>
        (await server.ask("GET", `/api/repos/${repository}${path}`)).status;
      expect(await statusOf("")).toBe(200);
      expect(await statusOf("/builds")).toBe(200);
      await client.change(repository, { visibility: "private" });
      expect(await statusOf("")).toBe(401);
      expect(await statusOf("/builds")).toBe(401);
    },
  },
  {
    id: "unknown-repository",
    facts: "2.4",
    says: "an unknown repository is not found, or for a guest not authorized",
    probe: async (scene) => {
      const { client, server } = await scene.shared();
      const unknown = { status: 404, message: "Not Found", trouble: "not-found" };
      await expect(client.repository("ci/unknown")).rejects.toMatchObject(unknown);
      expect((await server.ask("GET", "/api/repos/ci/unknown")).status).toBe(401);
    },
  },
  {
    id: "all-of-an-account",
    facts: "2.2",
    says: "an account can list what the forge has for it now: its own, and what it may do more with than anybody",
    probe: async (scene) => {
      const drone = await scene.shared();
      const account = await scene.gitea.createAccount("few");
      const client = await letIn(drone, account);
      expect(await client.remoteRepositories()).toEqual([]);
      const [added, read] = [await scene.repository(), await scene.repository()];
      await scene.owner.addCollaborator(added, account.login, "write");
      // What anybody may see is not listed for who may only see it.
      await scene.owner.addCollaborator(read, account.login, "read");
      expect(await client.remoteRepositories()).toEqual([added]);
      await account.createRepository(account.login, "own");
      expect((await client.remoteRepositories()).toSorted()).toEqual([added, "few/own"].toSorted());
    },
  },
  {
    id: "forge-as-it-is",
    facts: "2.4",
    says: "an account can read a repository as the forge has it now, with its own rights there",
    probe: async (scene) => {
      const { client, server, token } = await scene.shared();
      const ci = await scene.ci();
      const seen = await server.ask("GET", `/api/user/remote/repos/${ci}`, { token });
      const rights = { read: true, write: true, admin: true };
      expect(await client.permissions(ci)).toEqual(rights);
      expect(await client.permissions("ci/unknown")).toBeUndefined();
      expect(seen).toMatchObject({ status: 200, body: { slug: ci, permissions: rights } });
      const unknown = await server.ask("GET", "/api/user/remote/repos/ci/unknown", { token });
      expect(unknown).toEqual({ status: 500, body: { message: "Not Found" } });
    },
  },
];
