import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { DroneClient } from "../../../services/lib/drone/client.ts";
import { freePort } from "../../forge/gitea.ts";
import { until } from "../../host/machine/processes.ts";
import { firstUser, newRequest, pipeline, rpcSecret, type Scene } from "../scene.ts";
import type { DroneAnswer } from "../server.ts";
import type { ContractEntry } from "./entry.ts";

/** What becomes of the account that is there from the start, and of its token, over many starts. */
async function tokens(scene: Scene) {
  const drone = await scene.prepare();
  const { server, token: first } = drone;
  const statusOf = async (token: string): Promise<number> =>
    (await server.ask("GET", "/api/user", { token })).status;
  await server.start();
  const fresh = await server.ask("GET", "/api/user", { token: first });
  const created = server.printed;
  await server.restart();
  const unchanged = server.printed;
  const rotation = await server.ask("POST", "/api/user/token", {
    ...{ token: first, query: { rotate: "true" } },
  });
  const rotated = tokenIn(rotation);
  const afterRotation = { first: await statusOf(first), rotated: await statusOf(rotated) };
  await server.restart();
  const afterRestart = { first: await statusOf(first), rotated: await statusOf(rotated) };
  const again = tokenIn(
    await server.ask("POST", "/api/user/token", { token: first, query: { rotate: "true" } }),
  );
  await server.restart({ DRONE_USER_CREATE: firstUser({}) });
  const withoutToken = { first: await statusOf(first), rotated: await statusOf(again) };
  const silent = server.printed;
  const other = "0123456789abcdef0123456789abcdef";
  await server.restart({ DRONE_USER_CREATE: firstUser({ token: other }) });
  const changed = { before: await statusOf(again), other: await statusOf(other) };
  const mended = server.printed;
  return {
    ...{ first, fresh, created, unchanged, rotation, rotated, afterRotation, afterRestart, again },
    ...{ withoutToken, silent, other, changed, mended },
  };
}

function tokenIn({ body }: DroneAnswer): string {
  return typeof body === "object" && body !== null && "token" in body ? String(body.token) : "";
}

/** The server as a process. */
export const processes: readonly ContractEntry[] = [
  {
    id: "guests-see-health",
    facts: "2.1",
    says: "health and version are told to everybody",
    probe: async (scene) => {
      const { server } = await scene.shared();
      expect((await server.ask("GET", "/healthz")).status).toBe(200);
      expect((await server.ask("GET", "/version")).body).toMatchObject({ version: "2.28.1" });
    },
  },
  {
    id: "guests-see-welcome",
    facts: "2.1",
    says: "who is not logged in is led from the first page to another one",
    probe: async (scene) => {
      const { server } = await scene.shared();
      const first = await fetch(new URL("/", server.url), { redirect: "manual" });
      expect([first.status, first.headers.get("location")]).toEqual([303, "/welcome"]);
      expect((await server.ask("GET", "/welcome")).status).toBe(200);
    },
  },
  {
    id: "environment-over-file",
    facts: "2.1",
    says: "what the process's environment says wins over the file of settings",
    probe: async (scene) => {
      const { server, token } = await scene.prepare();
      await server.start({}, { DRONE_USER_CREATE: "username:else,admin:true,token:of-nobody" });
      expect((await server.ask("GET", "/api/user", { token })).status).toBe(401);
      const found = await server.ask("GET", "/api/user", { token: "of-nobody" });
      expect(found.body).toMatchObject({ login: "else", machine: false, admin: true });
    },
  },
  {
    id: "file-missing",
    facts: "2.1",
    says: "a file of settings that is not there is no trouble: the environment may say it all",
    probe: async (scene) => {
      const { server, token } = await scene.prepare();
      await server.startBare();
      expect((await server.ask("GET", "/api/user", { token })).status).toBe(200);
    },
  },
  {
    id: "port-taken",
    facts: "2.1",
    says: "on a port that is taken it stays alive, and says nothing of it",
    probe: async (scene) => {
      const shared = await scene.shared();
      const { server } = await scene.prepare();
      server.launch({ DRONE_SERVER_PORT: new URL(shared.server.url).host });
      await until(
        "its last line",
        20,
        () => /starting the http server/.test(server.printed) || undefined,
      );
      await sleep(2000);
      expect(server.isRunning).toBe(true);
      expect(server.printed.trimEnd().split("\n").at(-1)).toMatch(/starting|reaper/);
      expect(server.printed).not.toMatch(/"level":"(?:error|fatal)"/);
    },
  },
  {
    id: "database-nowhere",
    isSlow: true,
    facts: "2.1",
    says: "it tries for half a minute to open a database that it cannot write, then ends with status 1",
    probe: async (scene) => {
      const { server } = await scene.prepare();
      server.launch({ DRONE_DATABASE_DATASOURCE: "/nonexistent/folder/database.sqlite" });
      await sleep(10_000);
      expect(server.isRunning).toBe(true);
      await expect(server.ask("GET", "/healthz")).rejects.toThrow();
      await until("its end", 50, () => !server.isRunning || undefined);
      expect(await server.stop()).toBe(1);
    },
  },
  {
    id: "token-logged-when-created",
    facts: "2.1",
    says: "the token of the first account is logged when the account is made",
    probe: async (scene) => {
      const { created, first } = await scene.once(tokens);
      expect(created).toContain(first);
    },
  },
  {
    id: "token-not-logged-unchanged",
    facts: "2.1",
    says: "and not at a start that changes nothing, nor at one that names none",
    probe: async (scene) => {
      const { again, first, rotated, silent, unchanged } = await scene.once(tokens);
      expect(unchanged).not.toContain(first);
      expect(silent).not.toMatch(new RegExp(`${first}|${rotated}|${again}`));
    },
  },
  {
    id: "token-logged-when-changed",
    facts: "2.1",
    says: "but a new one is, at the start that finds it",
    probe: async (scene) => {
      const { mended, other } = await scene.once(tokens);
      expect(mended).toContain(other);
    },
  },
  {
    id: "first-account",
    facts: "2.1",
    says: "the first account is there from the start, and has not been logged in",
    probe: async (scene) => {
      const { fresh } = await scene.once(tokens);
      expect(fresh.status).toBe(200);
      expect(fresh.body).toMatchObject({
        ...{ login: "owner", machine: false, admin: true, active: true, email: "" },
        ...{ syncing: false, synced: 0, last_login: 0, created: expect.any(Number) },
      });
      expect(fresh.body).not.toHaveProperty("token");
    },
  },
  {
    id: "token-rotated",
    facts: "2.1",
    says: "an account has its token replaced: the answer has the new one, and the old one is nobody's",
    probe: async (scene) => {
      const { afterRotation, first, rotated, rotation } = await scene.once(tokens);
      expect(rotation).toMatchObject({ status: 200, body: { login: "owner", token: rotated } });
      expect(rotated).toMatch(/^\w{32}$/);
      expect(rotated).not.toBe(first);
      expect(afterRotation).toEqual({ first: 401, rotated: 200 });
    },
  },
  {
    id: "old-token-comes-back",
    facts: "2.1",
    says: "a start with the token of the settings brings that one back",
    probe: async (scene) => {
      const { afterRestart } = await scene.once(tokens);
      expect(afterRestart).toEqual({ first: 200, rotated: 401 });
    },
  },
  {
    id: "no-token-changes-nothing",
    facts: "2.1",
    says: "a start whose settings name the account without a token leaves its token alone",
    probe: async (scene) => {
      const { withoutToken } = await scene.once(tokens);
      expect(withoutToken).toEqual({ first: 401, rotated: 200 });
    },
  },
  {
    id: "token-changed",
    facts: "2.1",
    says: "a start with another token ends the one before",
    probe: async (scene) => {
      const { changed } = await scene.once(tokens);
      expect(changed).toEqual({ before: 401, other: 200 });
    },
  },
  {
    id: "database-gone",
    facts: "2.1",
    says: "without its database it knows the first account and nothing else, from its next start on",
    probe: async (scene) => {
      const { client, server, token } = await scene.drone();
      const repository = await scene.enabledAt(client);
      await server.restart();
      expect(await client.repository(repository)).toMatchObject({ active: true });
      for (const more of ["", "-wal", "-shm", "-journal"]) {
        rmSync(`${server.database}${more}`, { force: true });
      }
      await server.restart();
      const found = await server.ask("GET", "/api/user", { token });
      expect(found.body).toMatchObject({ login: "owner", last_login: 0 });
      await expect(client.repository(repository)).rejects.toMatchObject({ trouble: "not-found" });
    },
  },
  {
    id: "ends-in-time",
    facts: "2.1",
    says: "it ends within six seconds with status 0, though somebody waits for an answer",
    probe: async (scene) => {
      const drone = await scene.prepare();
      await drone.server.start();
      await scene.runner(drone);
      await sleep(1000);
      const before = performance.now();
      expect(await drone.server.stop()).toBe(0);
      expect(performance.now() - before).toBeLessThan(8000);
    },
  },
  {
    id: "rpc-guarded",
    facts: "2.1",
    says: "runners are let in by the shared secret alone",
    probe: async (scene) => {
      const { client, server, token } = await scene.shared();
      expect(await client.takesRunners(rpcSecret)).toBe(true);
      expect(await client.takesRunners(token)).toBe(false);
      for (const call of [{}, { token }, { headers: { "X-Drone-Token": "wrong" } }]) {
        expect((await server.ask("POST", "/rpc/v2/ping", call)).status).toBe(401);
      }
    },
  },
  {
    id: "forge-down-at-start",
    facts: "2.1",
    says: "it starts without its forge, and says so when it needs it",
    probe: async (scene) => {
      const { client, server } = await scene.prepare({}, `http://127.0.0.1:${await freePort()}`);
      await server.start();
      expect(await client.user()).toMatchObject({ login: "owner", admin: true });
      await expect(client.sync()).rejects.toMatchObject({ trouble: "forge-silent", status: 500 });
    },
  },
  {
    id: "metrics-for-machines",
    facts: "2.1",
    says: "metrics are for administrators and machine accounts",
    probe: async (scene) => {
      const { server, token } = await scene.shared();
      const login = scene.name("scraper");
      const made = await server.ask("POST", "/api/users", {
        token,
        body: { login, machine: true },
      });
      const machine = tokenIn(made);
      expect(made).toMatchObject({ status: 200, body: { login, machine: true, admin: false } });
      const statusOf = async (own: string | undefined): Promise<number> => {
        const call = own === undefined ? {} : { token: own };
        return (await server.ask("GET", "/metrics", call)).status;
      };
      expect(await statusOf(undefined)).toBe(401);
      expect(await statusOf(token)).toBe(200);
      expect(await statusOf("of-nobody")).toBe(403);
      const seen = await server.ask("GET", "/metrics", { token: machine });
      for (const gauge of [
        ...["drone_build_count", "drone_pending_builds", "drone_running_builds"],
        ...["drone_pending_jobs", "drone_running_jobs", "drone_repo_count", "drone_user_count"],
      ]) {
        expect(seen.body).toMatch(new RegExp(`^${gauge} \\d`, "m"));
      }
      const ci = await scene.ci();
      expect((await scene.ask("GET", `${ci}/builds`, { token: machine })).status).toBe(200);
      const place = await scene.place(ci, pipeline(["true"]));
      const writes = new DroneClient({ server: server.url, token: machine });
      await expect(writes.start(place, newRequest())).rejects.toMatchObject({
        trouble: "not-found",
      });
      expect((await server.ask("GET", "/api/queue", { token: machine })).status).toBe(403);
    },
  },
  {
    id: "queue-for-administrators",
    facts: "2.6",
    says: "the queue and what is not ended are for administrators",
    probe: async (scene) => {
      const { server, token } = await scene.shared();
      for (const path of ["/api/queue", "/api/builds/incomplete", "/api/users"]) {
        expect((await server.ask("GET", path)).status, path).toBe(401);
        const seen = await server.ask("GET", path, { token });
        expect(seen, path).toMatchObject({ status: 200, body: expect.any(Array) });
      }
    },
  },
];
