import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { outcomeOf } from "../../../services/lib/drone/outcome.ts";
import { pipeline } from "../scene.ts";
import type { ContractEntry } from "./entry.ts";

const nobody = { labels: { of: "nobody" } };

/** Lists of builds, their ends, and what is asked about them. */
export const builds: readonly ContractEntry[] = [
  {
    id: "pages",
    facts: "2.6",
    says: "a page has 25 builds, the newest first, or as many as asked for up to a hundred",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const repository = await scene.enabled();
      const place = await scene.place(repository, pipeline(["true"], nobody));
      for (let count = 0; count < 27; count += 1) await scene.build(place);
      const numbersOf = async (query: Record<string, string>): Promise<readonly number[]> => {
        const { body } = await scene.ask("GET", `${repository}/builds`, { query });
        return (body as { number: number }[]).map(({ number }) => number);
      };
      const all = Array.from({ length: 27 }, (_, at) => 27 - at);
      expect(await numbersOf({})).toEqual(all.slice(0, 25));
      expect(await numbersOf({ per_page: "101" })).toEqual(all.slice(0, 25));
      expect(await numbersOf({ per_page: "100" })).toEqual(all);
      expect(await numbersOf({ per_page: "10", page: "3" })).toEqual(all.slice(20));
      expect(await numbersOf({ per_page: "100", event: "push" })).toEqual(all);
      expect(await client.builds(repository, 2)).toEqual([]);
      expect((await client.builds(repository)).every(({ stages }) => stages.length === 0)).toBe(
        true,
      );
    },
  },
  {
    id: "pending-cancelled",
    facts: "2.6",
    says: "a build that waits can be cancelled",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], nobody));
      const number = await scene.build(place);
      await client.cancel(place.repository, number);
      const build = await client.build(place.repository, number);
      expect(build).toMatchObject({
        status: "killed",
        stages: [{ status: "skipped", machine: "" }],
      });
      expect(build.finished).not.toBeNull();
      expect(outcomeOf(build)).toBe("cancelled");
    },
  },
  {
    id: "not-ended",
    facts: "2.6",
    says: "all builds that are not ended, and all stages in the queue, are told at once",
    probe: async (scene) => {
      const { client, server, token } = await scene.shared();
      const repository = await scene.enabled();
      const place = await scene.place(repository, pipeline(["true"], nobody));
      const number = await scene.build(place);
      const seen = async (path: string): Promise<unknown> =>
        (await server.ask("GET", path, { token })).body;
      const inList = expect.objectContaining({
        ...{ slug: repository, build: expect.objectContaining({ number, status: "pending" }) },
      });
      const { body } = await scene.ask("GET", `${repository}/builds/${number}`);
      const inQueue = expect.objectContaining({
        ...{ build_id: (body as { id: number }).id, number: 1, name: "run", status: "pending" },
      });
      expect(await seen("/api/builds/incomplete")).toEqual(expect.arrayContaining([inList]));
      expect(await seen("/api/queue")).toEqual(expect.arrayContaining([inQueue]));
      await client.cancel(repository, number);
      expect(await seen("/api/builds/incomplete")).not.toEqual(expect.arrayContaining([inList]));
      expect(await seen("/api/queue")).not.toEqual(expect.arrayContaining([inQueue]));
    },
  },
  {
    id: "ended-not-cancelled",
    facts: "2.6",
    says: "a build that has ended stays as it is when it is cancelled, and an unknown one is not found",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"]));
      const number = await scene.build(place);
      expect(await scene.ended(place, number)).toMatchObject({ status: "success" });
      await client.cancel(place.repository, number);
      expect(await client.build(place.repository, number)).toMatchObject({ status: "success" });
      const unknown = { status: 404, trouble: "not-found" };
      await expect(client.cancel(place.repository, 99_999)).rejects.toMatchObject(unknown);
      await expect(client.build(place.repository, 99_999)).rejects.toMatchObject(unknown);
    },
  },
  {
    id: "logs",
    facts: "2.6",
    says: "each step has its log, the clone is step 1, and one that did not run has none",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const more = { never: { on: ["failure"], commands: ["true"] } };
      const text = pipeline(["echo one; echo two"], { clone: true, more });
      const place = await scene.place(await scene.ci(), text);
      const number = await scene.build(place);
      const { stages } = await scene.ended(place, number);
      expect(stages).toMatchObject([
        {
          ...{ number: 1, name: "run", status: "success", machine: expect.stringMatching(/./) },
          steps: [
            { number: 1, name: "clone", status: "success", exit_code: 0 },
            { number: 2, name: "work", status: "success", exit_code: 0 },
            { number: 3, name: "never", status: "skipped" },
          ],
        },
      ]);
      const clone = (await client.log(place.repository, number, 1, 1)).join("");
      expect(clone).toContain("+ git init\n");
      expect(clone).toContain(`+ git checkout ${place.commit} -b ${place.branch}\n`);
      const work = (await client.log(place.repository, number, 1, 2)).join("");
      expect(work).toBe("+ echo one; echo two\none\ntwo\n");
      expect(await client.log(place.repository, number, 1, 3)).toEqual([]);
      expect(await client.log(place.repository, number, 1, 9)).toEqual([]);
    },
  },
  {
    id: "reaped-pending",
    facts: "2.6",
    says: "a build that waits for too long is killed",
    probe: async (scene) => {
      const drone = await scene.drone({
        ...{ DRONE_CLEANUP_INTERVAL: "1s", DRONE_CLEANUP_DEADLINE_PENDING: "3s" },
        DRONE_CLEANUP_BUFFER: "1s",
      });
      const repository = await scene.enabledAt(drone.client);
      const place = await scene.place(repository, pipeline(["true"], nobody));
      const number = await scene.build(place, {}, drone);
      await sleep(1000);
      expect(await drone.client.build(repository, number)).toMatchObject({ status: "pending" });
      expect(await scene.ended(place, number, { seconds: 40, drone })).toMatchObject({
        ...{ status: "killed", stages: [{ status: "skipped" }] },
      });
    },
  },
  {
    id: "reaped-running",
    isSlow: true,
    facts: "2.6",
    says: "a build without a runner is killed only when its repository's timeout is over too",
    probe: async (scene) => {
      const drone = await scene.drone({
        ...{ DRONE_CLEANUP_INTERVAL: "1s", DRONE_CLEANUP_DEADLINE_RUNNING: "1s" },
        DRONE_CLEANUP_BUFFER: "1s",
      });
      const repository = await scene.enabledAt(drone.client);
      await drone.client.change(repository, { timeout: 1 });
      const runner = await scene.runner(drone);
      const place = await scene.place(
        repository,
        pipeline(["exec setpriv --pdeathsig KILL -- sleep 100"]),
      );
      const number = await scene.build(place, {}, drone);
      const isRunning = (build: {
        status: string;
        stages: readonly { steps: readonly unknown[] }[];
      }) => build.status === "running" && build.stages[0]?.steps.length === 1;
      await scene.buildUntil(repository, number, isRunning, { drone });
      await sleep(1000);
      await runner.program.stop("SIGKILL");
      const since = performance.now();
      // Its workspace stays, and a new runner has all of its slots.
      expect(runner.workspaces).toHaveLength(1);
      await scene.runner(drone, { DRONE_RUNNER_CAPACITY: "1" });
      const next = await scene.place(repository, pipeline(["true"]));
      const other = await scene.build(next, {}, drone);
      expect(await scene.ended(next, other, { drone })).toMatchObject({ status: "success" });
      await sleep(Math.max(0, 30_000 - (performance.now() - since)));
      expect(await drone.client.build(repository, number)).toMatchObject({ status: "running" });
      const killed = await scene.ended(place, number, { seconds: 60, drone });
      expect(killed).toMatchObject({
        ...{ status: "killed", stages: [{ status: "killed", steps: [{ exit_code: 130 }] }] },
      });
      expect(outcomeOf(killed)).toBe("cancelled");
    },
  },
];
