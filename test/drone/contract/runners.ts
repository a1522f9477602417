import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Build } from "../../../services/lib/drone/schemas.ts";
import { Background } from "../../background.ts";
import { answers, freePort } from "../../forge/gitea.ts";
import { kill, startOf, until } from "../../host/machine/processes.ts";
import { outOfTurn } from "../out-of-turn.ts";
import { pipeline } from "../scene.ts";
import type { ContractEntry } from "./entry.ts";

import { childrenOf, held, ofProcess, printed, waiting } from "./seen-steps.ts";

/** The exec runner as a process that takes builds. */
export const runners: readonly ContractEntry[] = [
  {
    id: "runner-killed",
    facts: "2.6",
    says: "when the runner is killed, the build stays running, its step lives on, and its workspace stays",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("doomed") };
      const runner = await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}` });
      const { note, number, place } = await waiting(scene, ["pwd", "echo $$$$"], {
        options: { labels },
      });
      const [workspace = "", shell = ""] = note;
      await runner.program.stop("SIGKILL");
      const next = await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "1" },
      });
      const { build } = await printed(scene, ["true"], {}, { labels });
      expect(build.status).toBe("success");
      expect(await drone.client.build(place.repository, number)).toMatchObject({
        status: "running",
      });
      expect(startOf(Number(shell))).toBeDefined();
      expect(existsSync(workspace)).toBe(true);
      expect(next.workspaces).toEqual([]);
      const children = childrenOf(Number(shell));
      for (const pid of [Number(shell), ...children]) kill(pid);
      await drone.client.cancel(place.repository, number);
    },
  },
  {
    id: "runner-drains",
    facts: "3.1",
    says: "asked to end, a runner takes no more, lets what runs end, and then ends with status 1",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("draining") };
      const runner = await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "2" },
      });
      const { command, letGo } = held(scene);
      const place = await scene.place(await scene.ci(), pipeline([command], { labels }));
      const number = await scene.build(place);
      const isRunning = ({ status }: Build): boolean => status === "running";
      await scene.buildUntil(place.repository, number, isRunning);
      const stopping = runner.program.stop();
      await sleep(1000);
      const other = await scene.build(place);
      await sleep(1000);
      expect(runner.program.isRunning).toBe(true);
      letGo("all");
      expect(await stopping).toBe(1);
      expect(await scene.ended(place, number)).toMatchObject({ status: "success" });
      expect(await drone.client.build(place.repository, other)).toMatchObject({
        status: "pending",
      });
      await drone.client.cancel(place.repository, other);
    },
  },
  {
    id: "runner-idle-ends",
    facts: "3.1",
    says: "an idle one ends at once with status 1, and one that never reached its server with 0",
    probe: async (scene) => {
      const drone = await scene.shared();
      const idle = await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${scene.name("idle")}` });
      await until(
        "its first question",
        20,
        () => /polling/.test(idle.program.printed) || undefined,
      );
      await sleep(500);
      expect(await idle.program.stop()).toBe(1);
      const lost = await scene.runner(await scene.prepare());
      await until("an error", 20, () => /cannot ping/.test(lost.program.printed) || undefined);
      expect(await lost.program.stop()).toBe(0);
    },
  },
  {
    id: "runner-without-server",
    facts: "3.1",
    says: "a runner whose server cannot be reached, or refuses its secret, says so each second and stays healthy",
    probe: async (scene) => {
      const shared = await scene.shared();
      const lost = await scene.runner(await scene.prepare());
      const refused = await scene.runner(shared, { DRONE_RPC_SECRET: "wrong" });
      await sleep(3500);
      for (const runner of [lost, refused]) {
        const errors = runner.program.printed.match(/cannot ping the remote server/g) ?? [];
        expect(errors.length).toBeGreaterThanOrEqual(2);
        expect(runner.program.isRunning).toBe(true);
        expect(await answers(new URL("/healthz", runner.url))).toBe(true);
      }
    },
  },
  {
    id: "runner-settings-from-pipe",
    facts: "3.1",
    says: "a runner takes its settings from a pipe as well as from a file",
    probe: async (scene) => {
      const { server } = await scene.shared();
      const address = `127.0.0.1:${await freePort()}`;
      const settings = [
        ...["DRONE_RPC_PROTO=http", `DRONE_RPC_HOST=${new URL(server.url).host}`],
        ...["DRONE_RPC_SECRET=wrong", `DRONE_HTTP_BIND=${address}`, "DRONE_UI_DISABLE=true"],
      ];
      const pipe = join(scene.folder(), "settings");
      execFileSync("mkfifo", [pipe]);
      const command = [...scene.programs.runner, "daemon", pipe];
      const program = new Background(command, { env: { PATH: process.env.PATH ?? "" } });
      await writeFile(pipe, `${settings.join("\n")}\n`);
      try {
        const url = new URL("/healthz", `http://${address}`);
        await until("an answer of the runner", 20, () => answers(url));
      } finally {
        await program.stop("SIGKILL");
      }
    },
  },
  {
    id: "runner-without-settings",
    facts: "3.1",
    says: "a runner without its settings ends with status 1 and says which one it lacks",
    probe: async (scene) => {
      const command = [...scene.programs.runner, "daemon", "/nonexistent/runner.env"];
      const program = new Background(command, { env: { PATH: process.env.PATH ?? "" } });
      await until("its end", 20, () => !program.isRunning || undefined);
      expect(await program.stop()).toBe(1);
      await until(
        "what it lacks",
        20,
        () => program.printed.includes("DRONE_RPC_HOST") || undefined,
      );
    },
  },
  {
    id: "runner-page",
    facts: "3.1",
    says: "the runner says that it is healthy, and shows no page",
    probe: async (scene) => {
      const runner = await scene.runner(await scene.shared(), {
        DRONE_RUNNER_LABELS: "of:nobody-2",
      });
      expect((await fetch(new URL("/healthz", runner.url))).status).toBe(200);
      expect((await fetch(new URL("/", runner.url))).status).toBe(404);
      expect((await fetch(new URL("/metrics", runner.url))).status).toBe(404);
    },
  },
  {
    id: "runner-limits",
    facts: "3.1",
    says: "a build that a runner is not for is taken, and ends as an error that says so",
    probe: async (scene) => {
      const drone = await scene.shared();
      const ci = await scene.ci();
      const limits = {
        DRONE_LIMIT_REPOS: "ci/other",
        DRONE_LIMIT_EVENTS: "push",
        DRONE_LIMIT_TRUSTED: "1",
      };
      for (const [name, value] of Object.entries(limits)) {
        const labels = { of: scene.name("limited") };
        await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}`, [name]: value });
        const { build } = await printed(scene, ["true"], {}, { labels });
        expect(build).toMatchObject({
          status: "error",
          stages: [{ status: "error", error: "insufficient permission to run the pipeline" }],
        });
      }
      const labels = { of: scene.name("limited") };
      const fitting = { DRONE_LIMIT_REPOS: ci, DRONE_LIMIT_EVENTS: "custom" };
      await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}`, ...fitting });
      expect((await printed(scene, ["true"], {}, { labels })).build.status).toBe("success");
    },
  },
  {
    id: "process-group",
    facts: "3.2",
    says: "a step runs in the runner's own group of processes",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("group") };
      const runner = await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}` });
      const { lines } = await printed(scene, ["ps -o pgid= -p $$$$"], {}, { labels });
      expect(lines[0]?.trim()).toBe(ofProcess(runner.program.pid, "pgid"));
    },
  },
  {
    id: "capacity",
    facts: "3.1",
    says: "of five builds two run at once, the oldest first, and a slot that is free is used at once",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("two") };
      await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "2" },
      });
      const { command, letGo } = held(scene);
      const place = await scene.place(await scene.ci(), pipeline([command], { labels }));
      const numbers: number[] = [];
      for (let count = 0; count < 5; count += 1) numbers.push(await scene.build(place));
      const [first = 0] = numbers;
      const states = async (): Promise<string> => {
        const all = numbers.map((number) => drone.client.build(place.repository, number));
        return (await Promise.all(all)).map(({ status }) => status.slice(0, 1)).join("");
      };
      const become = async (wanted: string): Promise<void> => {
        const look = async () => ((await states()) === wanted ? true : undefined);
        await until(wanted, 60, look, 300);
      };
      await become("rrppp");
      await sleep(2000);
      expect(await states()).toBe("rrppp");
      letGo(first);
      await become("srrpp");
      letGo("all");
      await become("sssss");
      const ended = await Promise.all(
        numbers.map((number) => drone.client.build(place.repository, number)),
      );
      const times = ended.map(({ started }) => started?.getTime() ?? 0);
      expect(outOfTurn(times, 2)).toEqual([]);
    },
  },
  {
    id: "labels",
    facts: "3.1",
    says: "a pipeline without the runner's labels stays pending, and one with labels that no runner has",
    probe: async (scene) => {
      const drone = await scene.shared();
      const repository = await scene.ci();
      const place = await scene.place(repository, pipeline(["true"], { labels: { of: "nobody" } }));
      const number = await scene.build(place);
      await sleep(5000);
      expect(await drone.client.build(repository, number)).toMatchObject({
        ...{ status: "pending", stages: [{ machine: "" }] },
      });
    },
  },
  {
    id: "pick-up-delay",
    isSlow: true,
    facts: "3.1",
    says: "after half a minute without work, a runner may take ten seconds to see some",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("slow") };
      const place = await scene.place(await scene.ci(), pipeline(["true"], { labels }));
      const runner = await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "1" },
      });
      await until(
        "its first question",
        20,
        () => /polling/.test(runner.program.printed) || undefined,
      );
      await sleep(31_500);
      const before = performance.now();
      const number = await scene.build(place);
      await scene.ended(place, number);
      const seconds = (performance.now() - before) / 1000;
      expect(seconds).toBeGreaterThan(4);
      expect(seconds).toBeLessThan(30);
    },
  },
  {
    id: "server-restarted",
    facts: "2.6",
    says: "a build survives a restart of the server with its whole log, and what waits is taken then",
    probe: async (scene) => {
      const drone = await scene.drone();
      const repository = await scene.enabledAt(drone.client);
      await scene.runner(drone, { DRONE_RUNNER_CAPACITY: "1" });
      const { command, letGo } = held(scene);
      const text = pipeline(["echo before", command, "echo after"]);
      const place = await scene.place(repository, text);
      const number = await scene.build(place, {}, drone);
      const waits = await scene.build(place, {}, drone);
      const isRunning = ({ status }: Build): boolean => status === "running";
      await scene.buildUntil(repository, number, isRunning, { drone });
      await sleep(1000);
      await drone.server.stop();
      await sleep(3000);
      await drone.server.start();
      expect(await drone.client.build(repository, number)).toMatchObject({ status: "running" });
      letGo("all");
      expect(await scene.ended(place, number, { drone })).toMatchObject({ status: "success" });
      const lines = (await drone.client.log(repository, number, 1, 1)).join("");
      expect(lines).toMatch(/^before\n[\s\S]*^after\n/m);
      expect(await scene.ended(place, waits, { drone })).toMatchObject({ status: "success" });
    },
  },
  {
    id: "credentials-chosen",
    facts: "2.7",
    says: "where the server has a login for git, private repositories are cloned by that",
    probe: async (scene) => {
      const drone = await scene.drone({
        ...{ DRONE_GIT_USERNAME: scene.writer.login, DRONE_GIT_PASSWORD: scene.writer.password },
      });
      await scene.runner(drone, { DRONE_RUNNER_CAPACITY: "1" });
      const repository = await scene.enabledAt(drone.client, { isPrivate: true });
      const text = pipeline(["cat $HOME/.netrc"], { clone: true });
      const place = await scene.place(repository, text);
      const number = await scene.build(place, {}, drone);
      expect(await scene.ended(place, number, { drone })).toMatchObject({ status: "success" });
      const { login, password } = scene.writer;
      const lines = (await drone.client.log(repository, number, 1, 2)).join("");
      expect(lines).toContain(`machine 127.0.0.1 login ${login} password ${password}`);
    },
  },
  {
    id: "proxy-without-server",
    facts: "3.1",
    says: "what a runner has to tell while a proxy answers 503 it tells later; while it answers 404, never",
    probe: async (scene) => {
      const drone = await scene.shared();
      const front = await scene.front(drone);
      const ends = [503, 404].map(async (answer) => {
        const labels = { of: scene.name("fronted") };
        const own = answer === 404 ? front : await scene.front(drone);
        const settings = { DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "1" };
        await scene.runner(drone, { ...settings, DRONE_RPC_HOST: new URL(own.url).host });
        const { command, letGo } = held(scene);
        const place = await scene.place(await scene.ci(), pipeline([command], { labels }));
        const number = await scene.build(place);
        const isRunning = ({ stages, status }: Build): boolean =>
          status === "running" && stages[0]?.steps[0]?.status === "running";
        await scene.buildUntil(place.repository, number, isRunning);
        own.answer = answer;
        letGo(number);
        await sleep(6000);
        own.answer = undefined;
        await sleep(14_000);
        return (await drone.client.build(place.repository, number)).status;
      });
      expect(await Promise.all(ends)).toEqual(["success", "running"]);
    },
  },
  {
    id: "refused-and-hammering",
    facts: "3.1",
    says: "an idle runner that is told 404 or 401 asks again at once, and again",
    probe: async (scene) => {
      const drone = await scene.shared();
      for (const answer of [404, 401]) {
        const front = await scene.front(drone);
        const runner = await scene.runner(drone, {
          ...{ DRONE_RUNNER_LABELS: `of:${scene.name("told")}`, DRONE_RUNNER_CAPACITY: "1" },
          DRONE_RPC_HOST: new URL(front.url).host,
        });
        await until("its first question", 20, () => (front.asked > 1 ? true : undefined));
        front.answer = answer;
        front.cut();
        // After a connection that broke it waits.
        await until("many questions", 30, () => (front.asked > 50 ? true : undefined));
        expect(runner.program.printed).toMatch(/cannot request stage/);
        expect(await runner.program.stop()).toBe(1);
      }
    },
  },
  {
    id: "credentials-in-workspace",
    facts: "2.7",
    says: "steps of a private repository have the owner's login in their home, those of a public one do not",
    probe: async (scene) => {
      const commands = [
        "cat $HOME/.netrc 2> /dev/null | wc -w",
        "cat $HOME/.netrc | cut -d' ' -f1,2,5,6",
      ];
      const open = await printed(scene, commands.slice(0, 1));
      expect(open.lines.map((line) => line.trim())).toEqual(["0"]);
      const { client } = await scene.shared();
      const repository = await scene.enabled({ isPrivate: true });
      const place = await scene.place(repository, pipeline(commands.slice(1), { clone: true }));
      const number = await scene.build(place);
      expect(await scene.ended(place, number)).toMatchObject({ status: "success" });
      const lines = (await client.log(repository, number, 1, 2)).join("").trimEnd().split("\n");
      expect(lines.at(-1)).toBe("machine 127.0.0.1 password x-oauth-basic");
    },
  },
];
