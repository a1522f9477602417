import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { DroneClient } from "../../../services/lib/drone/client.ts";
import { logIn as programLogIn } from "../../../services/lib/drone/login.ts";
import type { Build } from "../../../services/lib/drone/schemas.ts";
import { DroneRefusal } from "../../../services/lib/drone/trouble.ts";
import type { ForgeAccount } from "../../forge/account.ts";
import { freePort } from "../../forge/gitea.ts";
import { logIn } from "../../forge/log-in.ts";
import { until } from "../../host/machine/processes.ts";
import { accessSeconds, type Drone, newRequest, pipeline, type Scene } from "../scene.ts";
import type { DroneAnswer } from "../server.ts";
import type { ContractEntry } from "./entry.ts";

/** A call's refusal, or what it came to instead. */
async function refusalOf(call: Promise<unknown>) {
  try {
    return { came: await call };
  } catch (error) {
    if (!(error instanceof DroneRefusal)) throw error;
    const { message, status, trouble } = error;
    return { message, status, trouble };
  }
}

/** What the first logins do to a Drone that lets nobody new in. */
async function firstLogins(scene: Scene) {
  const { client, server, token } = await scene.prepare();
  await server.start();
  const user = async (own = token): Promise<DroneAnswer["body"]> =>
    (await server.ask("GET", "/api/user", { token: own })).body;
  const repository = await scene.repository();
  const before = {
    user: await user(),
    sync: await refusalOf(client.sync()),
    enable: await refusalOf(client.enable(repository)),
  };
  const afterSync = await user();
  const { cookies, end } = await logIn(scene.owner, `${server.url}/login`);
  const own = await server.ask("POST", "/api/user/token", { cookies });
  const after = await user();
  await client.sync();
  const enabled = await client.enable(repository);
  const stranger = await logIn(scene.stranger, `${server.url}/login`);
  const strangers = await server.ask("GET", "/api/user", { cookies: stranger.cookies });
  const body = { login: scene.writer.login };
  const made = await server.ask("POST", "/api/users", { token, body });
  const writer = await logIn(scene.writer, `${server.url}/login`);
  const writers = await server.ask("POST", "/api/user/token", { cookies: writer.cookies });
  const listed = await server.ask("GET", "/api/users", { token });
  const unknown = await server.ask("GET", "/api/users/nobody", { token });
  const rotated = await server.ask("POST", `/api/users/${scene.writer.login}/token/rotate`, {
    token,
  });
  return {
    ...{ token, before, afterSync, end, own, after, enabled, stranger, strangers },
    ...{ made, writer, writers, listed, unknown, rotated, cookies, server },
  };
}

/** A login at the forge that is renewed, and that dies in several ways. */
async function deadLogins(scene: Scene) {
  const gate = await scene.gate();
  const drone = await scene.drone({}, `http://127.0.0.1:${gate.port}`);
  const { client, server, oauth, token } = drone;
  const loggedIn = performance.now();
  const [repository, secret, idle] = await Promise.all([
    scene.enabledAt(client),
    scene.repository({ isPrivate: true }),
    scene.repository(),
  ]);
  await client.sync();
  await client.enable(secret);
  await client.change(secret, { config_path: "out/host/drone.yml" });
  const place = await scene.place(repository, pipeline(["true"], { labels: { of: "nobody" } }));
  const hidden = await scene.place(secret, pipeline(["true"], { labels: { of: "hidden" } }));
  const seen = async () => ({
    user: (await server.ask("GET", "/api/user", { token })).body,
    start: await refusalOf(client.start(place, newRequest())),
    remote: await server.ask("GET", "/api/user/remote/repos", { token }),
    one: await server.ask("GET", `/api/user/remote/repos/${repository}`, { token }),
    sync: await refusalOf(client.sync()),
    afterSync: (await server.ask("GET", "/api/user", { token })).body,
    enable: await refusalOf(client.enable(repository)),
    repository: await refusalOf(client.repository(repository)),
    enableIdle: await refusalOf(client.enable(idle)),
    idle: await refusalOf(client.repository(idle)),
  });
  await Promise.all([client.repository(repository), client.repository(idle)]);
  await gate.stop();
  const down = await seen();
  await gate.open();
  const up = await refusalOf(client.start(place, newRequest()));
  // A little after the moment from which on Drone renews it.
  await sleep(Math.max(0, (accessSeconds - 60 + 4) * 1000 - (performance.now() - loggedIn)));
  const renewed = await refusalOf(client.start(place, newRequest()));
  // The client's secret is another: what Drone holds is good for a while, and cannot be renewed.
  const runner = await scene.runner(drone, { DRONE_RUNNER_LABELS: "of:hidden" });
  await logIn(scene.owner, `${server.url}/login`);
  const changed = await scene.owner.changeOAuthSecret(oauth);
  const stuckNumber = await scene.build(hidden, {}, drone);
  const isTaken = ({ stages }: Build): boolean => stages[0]?.machine !== "";
  await scene.buildUntil(secret, stuckNumber, isTaken, { drone });
  await sleep(3000);
  const stuck = await client.build(secret, stuckNumber);
  await runner.program.stop("SIGKILL");
  await server.restart({ DRONE_GITEA_CLIENT_SECRET: changed.clientSecret });
  await logIn(scene.owner, `${server.url}/login`);
  const lastLogin = performance.now();
  // What it may do is asked for again after a sync, at the first call.
  await client.sync();
  await client.repository(repository);
  await scene.owner.deleteOAuthClient(oauth);
  const stale = await refusalOf(client.repository(secret));
  const dead = await seen();
  await sleep(Math.max(0, (accessSeconds - 60 + 4) * 1000 - (performance.now() - lastLogin)));
  const expired = await seen();
  return { down, up, renewed, stuck, stale, dead, expired };
}

/** The client of an account that was let in, and has learnt of its repositories. */
export async function letIn(drone: Drone, account: ForgeAccount): Promise<DroneClient> {
  const { server, token } = drone;
  await server.ask("POST", "/api/users", { token, body: { login: account.login } });
  const { cookies } = await logIn(account, `${server.url}/login`);
  const { body } = await server.ask("POST", "/api/user/token", { cookies });
  const own = new DroneClient({ server: server.url, token: (body as { token: string }).token });
  await until("the first sync", 20, async () => {
    const { syncing } = (await server.ask("GET", "/api/user", { cookies })).body as {
      syncing: boolean;
    };
    return syncing ? undefined : true;
  });
  await own.sync();
  return own;
}

/** Accounts, and their logins at the forge. */
export const accounts: readonly ContractEntry[] = [
  {
    id: "no-login-no-repositories",
    facts: "2.2",
    says: "an account that was never logged in can neither learn of repositories nor enable one",
    probe: async (scene) => {
      const { afterSync, before } = await scene.once(firstLogins);
      expect(before.sync).toEqual({ message: "Unauthorized", status: 500, trouble: "login-dead" });
      expect(before.enable).toMatchObject({ status: 404, trouble: "not-found" });
      // The time of a sync says nothing of its success.
      expect(before.user).toMatchObject({ synced: 0 });
      expect(afterSync).toMatchObject({ syncing: false, last_login: 0 });
      expect((afterSync as { synced: number }).synced).toBeGreaterThan(0);
    },
  },
  {
    id: "login-joins",
    facts: "2.2",
    says: "a login by the forge joins the account of that name, with its rights and its token",
    probe: async (scene) => {
      const { after, end, own, token } = await scene.once(firstLogins);
      expect(end.pathname).toMatch(/^\/(?:register)?$/);
      expect(own).toMatchObject({ status: 200, body: { login: "owner", token } });
      expect(after).toMatchObject({ admin: true, machine: false });
      expect((after as { last_login: number }).last_login).toBeGreaterThan(0);
    },
  },
  {
    id: "repositories-after-sync",
    facts: "2.2",
    says: "after a login and a sync a repository can be enabled",
    probe: async (scene) => {
      const { enabled } = await scene.once(firstLogins);
      expect(enabled).toMatchObject({ active: true, config_path: ".drone.yml", timeout: 60 });
    },
  },
  {
    id: "closed-to-new-people",
    facts: "2.1",
    says: "with registration closed, somebody new gets no account",
    probe: async (scene) => {
      const { listed, stranger, strangers } = await scene.once(firstLogins);
      expect(stranger.end.pathname).toBe("/login/error");
      expect(strangers.status).toBe(401);
      expect(JSON.stringify(listed.body)).not.toContain("stranger");
    },
  },
  {
    id: "made-account-logs-in",
    facts: "2.2",
    says: "an account that an administrator made logs in all the same",
    probe: async (scene) => {
      const { listed, made, unknown, writer, writers } = await scene.once(firstLogins);
      expect(made).toMatchObject({ status: 200, body: { login: "writer", machine: false } });
      expect(made.body).not.toHaveProperty("token");
      expect(writer.end.pathname).not.toBe("/login/error");
      expect(writers).toMatchObject({ status: 200, body: { login: "writer", admin: false } });
      expect(listed.body).toMatchObject([{ login: "owner" }, { login: "writer" }]);
      expect(unknown.status).toBe(404);
    },
  },
  {
    id: "token-chosen",
    facts: "2.2",
    says: "who makes an account may choose its token, of a machine's and of a person's; a second of that name is refused",
    probe: async (scene) => {
      const { client, server, token } = await scene.shared();
      for (const machine of [true, false]) {
        const login = scene.name("chosen");
        const own = `${login}-token-of-its-own`.padEnd(32, "x");
        expect(await client.findUser(login)).toBeUndefined();
        await client.createUser({ login, machine, token: own });
        expect(await client.findUser(login)).toMatchObject({ login, machine, last_login: null });
        const seen = await server.ask("GET", "/api/user", { token: own });
        expect(seen.body).toMatchObject({
          login,
          machine,
          admin: false,
          active: true,
          last_login: 0,
        });
        const body = { login, machine, token: own };
        const second = await server.ask("POST", "/api/users", { token, body });
        expect(second.status).toBe(500);
        expect(second.body).toMatchObject({ message: expect.stringMatching(/UNIQUE/) });
        const itself = new DroneClient({ server: server.url, token: own });
        const rotated = await itself.rotateToken();
        await expect(itself.user()).rejects.toMatchObject({ trouble: "token-refused" });
        await client.removeUser(login);
        await client.removeUser(login);
        expect((await server.ask("GET", "/api/user", { token: rotated })).status).toBe(401);
      }
      expect(await client.user()).toMatchObject({ login: "owner" });
    },
  },
  {
    id: "machine-cannot-log-in",
    facts: "2.2",
    says: "a machine account of a person's name keeps that person from logging in",
    probe: async (scene) => {
      const { server, token } = await scene.prepare();
      await server.start();
      const body = { login: scene.stranger.login, machine: true };
      await server.ask("POST", "/api/users", { token, body });
      const { end } = await logIn(scene.stranger, `${server.url}/login`);
      expect(end.pathname).toBe("/login/error");
      expect(end.searchParams.get("message")).toBe("Machine account login is forbidden");
    },
  },
  {
    id: "program-logs-in",
    facts: "2.3",
    says: "a program with the password logs an account in, a second time too, and is told why it cannot",
    probe: async (scene) => {
      const { client, server } = await scene.prepare();
      await server.start();
      const { login, password } = scene.owner;
      const credentials = { server: server.url, forge: scene.gitea.url, login, password };
      for (const time of ["first", "second"]) {
        await programLogIn(credentials);
        expect((await client.user()).last_login, time).not.toBeNull();
      }
      await client.sync();
      const refused = async (more: Partial<typeof credentials>, trouble: string): Promise<void> => {
        const call = programLogIn({ ...credentials, ...more });
        await expect(call).rejects.toMatchObject({ trouble });
      };
      await refused({ password: "wrong" }, "password-refused");
      const { login: other, password: others } = scene.stranger;
      await refused({ login: other, password: others }, "refused");
      await refused({ forge: "http://forge.example.org" }, "elsewhere");
      await refused({ server: `http://127.0.0.1:${await freePort()}` }, "silent");
    },
  },
  {
    id: "rotation-by-administrator",
    facts: "2.1",
    says: "an administrator who replaces somebody's token is not told the new one",
    probe: async (scene) => {
      const { rotated, server, writers } = await scene.once(firstLogins);
      expect(rotated.status).toBe(200);
      expect(rotated.body).not.toHaveProperty("token");
      const { token } = writers.body as { token: string };
      expect((await server.ask("GET", "/api/user", { token })).status).toBe(401);
    },
  },
  {
    id: "writer-triggers",
    facts: "2.2",
    says: "an account with write on a repository starts and cancels builds, and changes nothing else",
    probe: async (scene) => {
      const drone = await scene.shared();
      const ci = await scene.ci();
      const own = await letIn(drone, scene.writer);
      const place = await scene.place(ci, pipeline(["sleep 60"], { labels: { of: "nobody" } }));
      const started = await own.start(place, newRequest());
      if (started.as !== "started") throw new Error(JSON.stringify(started));
      expect(started.build.status).toBe("pending");
      await own.cancel(ci, started.build.number);
      expect((await own.build(ci, started.build.number)).status).toBe("killed");
      const refused = { status: 404, trouble: "not-found" };
      expect(await refusalOf(own.change(ci, { timeout: 1 }))).toMatchObject(refused);
      expect(await refusalOf(own.enable(ci))).toMatchObject(refused);
      // One that it may not write to.
      const others = `ci/${scene.name("others")}`;
      await scene.owner.createRepository("ci", others.slice(3));
      await drone.client.sync();
      await drone.client.enable(others);
      expect(
        await refusalOf(own.start({ ...place, repository: others }, newRequest())),
      ).toMatchObject(refused);
    },
  },
  {
    id: "forge-down",
    isSlow: true,
    facts: "2.5",
    says: "while the forge is down, calls that need it say so in the words of the connection",
    probe: async (scene) => {
      const { down, up } = await scene.once(deadLogins);
      expect(down.start).toMatchObject({ status: 404, trouble: "forge-silent" });
      expect(down.sync).toMatchObject({ status: 500, trouble: "forge-silent" });
      expect(down.remote).toMatchObject({ status: 500, body: { message: expect.any(String) } });
      expect(down.enable).toMatchObject({ status: 500, trouble: "forge-silent" });
      expect(down.enableIdle).toMatchObject({ status: 500, trouble: "forge-silent" });
      expect(down.idle).toMatchObject({ came: { active: false } });
      // What Drone knows by itself it still says.
      expect(down.repository).toMatchObject({ came: { active: true } });
      expect(up).toMatchObject({ came: { as: "started" } });
    },
  },
  {
    id: "forge-hangs",
    facts: "2.5",
    says: "while the forge takes questions and answers none, so does Drone, but for what it knows by itself",
    probe: async (scene) => {
      const gate = await scene.gate();
      const drone = await scene.drone({}, `http://127.0.0.1:${gate.port}`);
      const { server, token } = drone;
      const repository = await scene.enabledAt(drone.client);
      await drone.client.repository(repository);
      await gate.stop();
      gate.isHanging = true;
      await gate.open();
      const asking = (token: string) =>
        new DroneClient({ server: server.url, token, answerSeconds: 3 });
      const client = asking(token);
      expect(await refusalOf(client.permissions(repository))).toMatchObject({ trouble: "late" });
      expect(await refusalOf(client.enable(repository))).toMatchObject({ trouble: "late" });
      expect(await client.user()).toMatchObject({ login: "owner" });
      expect(await client.repository(repository)).toMatchObject({ active: true });
      expect(await refusalOf(asking("of-nobody").user())).toMatchObject({
        trouble: "token-refused",
      });
      await gate.stop();
    },
  },
  {
    id: "key-of-another",
    facts: "2.1",
    says: "with another key than its database was made with it does not start, and says its owner's token; with the old one all is as before",
    probe: async (scene) => {
      const key = "0123456789abcdef0123456789abcdef";
      const settings = { DRONE_DATABASE_ENCRYPT_USER_TABLE: "true", DRONE_DATABASE_SECRET: key };
      const { client, server, token } = await scene.drone(settings);
      await server.stop();
      for (const other of [key.replace("0", "f"), "of another length"]) {
        server.launch({ DRONE_DATABASE_SECRET: other });
        await until("its end", 20, () => !server.isRunning || undefined);
        expect(await server.stop()).toBe(1);
        const isLogged = server.printed.includes(token);
        expect(isLogged).toBe(other.length === key.length);
      }
      await server.start(settings);
      expect(await client.user()).toMatchObject({ login: "owner", last_login: expect.any(Date) });
      await client.sync();
    },
  },
  {
    id: "login-renewed",
    facts: "2.3",
    says: "an access token that is about to end is renewed without anybody",
    probe: async (scene) => {
      const { renewed } = await scene.once(deadLogins);
      expect(renewed).toMatchObject({ came: { as: "started" } });
    },
  },
  {
    id: "pending-with-machine",
    facts: "2.6",
    says: "of a private repository whose owner's login cannot be renewed, a stage stays pending with a machine",
    probe: async (scene) => {
      const { stuck } = await scene.once(deadLogins);
      expect(stuck.status).toBe("pending");
      expect(stuck.stages).toMatchObject([
        { status: "pending", machine: expect.stringMatching(/./) },
      ]);
    },
  },
  {
    id: "login-dead",
    facts: "2.5",
    says: "when the forge ended the owner's login, a start is refused, and reading the forge says why",
    probe: async (scene) => {
      const { dead } = await scene.once(deadLogins);
      expect(dead.start).toEqual({ message: "Unauthorized", status: 404, trouble: "login-dead" });
      expect(dead.sync).toEqual({ message: "Unauthorized", status: 500, trouble: "login-dead" });
      expect(dead.enable).toMatchObject({ status: 500, trouble: "login-dead" });
      expect(dead.remote).toEqual({ status: 500, body: { message: "Unauthorized" } });
      expect(dead.one.status).toBe(500);
    },
  },
  {
    id: "login-dead-untold",
    facts: "2.5",
    says: "the account itself does not show a dead login: its last sync counts, though it failed",
    probe: async (scene) => {
      const { dead } = await scene.once(deadLogins);
      const { last_login, synced } = dead.user as { last_login: number; synced: number };
      expect(last_login).toBeGreaterThan(0);
      const after = dead.afterSync as { synced: number; syncing: boolean };
      expect(after.syncing).toBe(false);
      expect(after.synced).toBeGreaterThanOrEqual(synced);
    },
  },
  {
    id: "login-dead-as-unknown",
    facts: "2.5",
    says: "after a sync, the first call of an account whose login is dead finds no repository",
    probe: async (scene) => {
      const { stale } = await scene.once(deadLogins);
      expect(stale).toEqual({ message: "Not Found", status: 404, trouble: "not-found" });
    },
  },
  {
    id: "client-unknown",
    facts: "2.5",
    says: "and when the forge does not know the OAuth client any more, nothing can be renewed, in its words",
    probe: async (scene) => {
      const { expired } = await scene.once(deadLogins);
      const message = expect.stringContaining("cannot load client");
      expect(expired.start).toMatchObject({ message, status: 404, trouble: "client-refused" });
      expect(expired.sync).toMatchObject({ message, status: 500, trouble: "client-refused" });
    },
  },
];
