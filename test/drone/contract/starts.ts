import { expect } from "vitest";
import { DroneClient } from "../../../services/lib/drone/client.ts";
import { newRequest, pipeline } from "../scene.ts";
import type { ContractEntry } from "./entry.ts";

const nobody = { labels: { of: "nobody" } };

/** What comes of asking for a build. */
export const starts: readonly ContractEntry[] = [
  {
    id: "started",
    facts: "2.5",
    says: "a build is pending, with its parameters and commit, and without stages in the answer",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], nobody));
      const request = newRequest();
      const started = await client.start(place, request);
      expect(started).toMatchObject({
        as: "started",
        build: {
          ...{ status: "pending", event: "custom", after: place.commit, stages: [] },
          ...{ params: { CCCI_ID: request.id }, started: null, finished: null },
        },
      });
      const found = await client.buildOf(place.repository, request.id);
      expect(found).toMatchObject({ after: place.commit, params: { CCCI_RECIPE: "wiki" } });
      const { stages } = await client.build(place.repository, found?.number ?? 0);
      expect(stages).toMatchObject([{ number: 1, name: "run", status: "pending", machine: "" }]);
    },
  },
  {
    id: "not-triggered",
    facts: "2.5",
    says: "when no pipeline is for such builds, the answer is null",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], { event: "push" }));
      const request = newRequest();
      expect(await client.start(place, request)).toEqual({ as: "not-triggered" });
      expect(await client.buildOf(place.repository, request.id)).toBeUndefined();
    },
  },
  {
    id: "config-wrong",
    facts: "2.5",
    says: "a pipeline that is no YAML makes a build of error that says so, and has no parameters",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), "kind: pipeline\nsteps: [ {\n");
      const request = newRequest();
      const started = await client.start(place, request);
      expect(started).toMatchObject({
        as: "config-wrong",
        build: { status: "error", error: expect.stringMatching(/yaml/), params: {} },
      });
      // So it is not found by its request either.
      expect(await client.buildOf(place.repository, request.id)).toBeUndefined();
    },
  },
  {
    id: "config-missing",
    isSlow: true,
    facts: "2.5",
    says: "where there is no pipeline at all, the answer comes after 45 seconds, and is 500",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci());
      const before = performance.now();
      expect(await client.start(place, newRequest())).toEqual({ as: "config-missing" });
      const seconds = (performance.now() - before) / 1000;
      expect(seconds).toBeGreaterThan(44);
      expect(seconds).toBeLessThan(58);
    },
  },
  {
    id: "unknown-names",
    facts: "2.5",
    says: "an unknown commit, branch or repository is not found",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], nobody));
      const unknown = { status: 404, message: "Not Found", trouble: "not-found" };
      for (const other of [{ commit: "0".repeat(40) }, { repository: "ci/unknown" }]) {
        await expect(client.start({ ...place, ...other }, newRequest())).rejects.toMatchObject(
          unknown,
        );
      }
      const query = { branch: "unknown" };
      const answer = await scene.ask("POST", `${place.repository}/builds`, { query });
      expect(answer).toEqual({ status: 404, body: { message: "Not Found" } });
    },
  },
  {
    id: "token-wrong",
    facts: "2.5",
    says: "a start with a token of nobody is not authorized",
    probe: async (scene) => {
      const { server } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], nobody));
      const client = new DroneClient({ server: server.url, token: "of-nobody" });
      const refusal = { status: 401, trouble: "token-refused" };
      await expect(client.start(place, newRequest())).rejects.toMatchObject(refusal);
      await expect(client.user()).rejects.toMatchObject(refusal);
      // What a guest may see, it may see as well.
      expect(await client.repository(place.repository)).toMatchObject({ active: true });
    },
  },
  {
    id: "commit-resolved",
    facts: "2.5",
    says: "a short commit or a branch's name is resolved by the forge",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], nobody));
      for (const commit of [place.commit.slice(0, 10), place.branch]) {
        const started = await client.start({ ...place, commit }, newRequest());
        expect(started).toMatchObject({ as: "other-commit", build: { after: place.commit } });
      }
    },
  },
  {
    id: "all-keys-are-parameters",
    facts: "2.5",
    says: "every key of the query but three is a parameter, message and action too",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], nobody));
      const parameters = { message: "a message", action: "an action", lower: "1", UPPER: "2" };
      const number = await scene.build(place, parameters);
      expect((await client.build(place.repository, number)).params).toEqual(parameters);
    },
  },
  {
    id: "started-again",
    facts: "2.5",
    says: "a build that is started again has a new number, and its old parameters win over new ones",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const place = await scene.place(await scene.ci(), pipeline(["true"], nobody));
      const number = await scene.build(place, { OLD: "1" });
      const query = { OLD: "2", NEW: "3" };
      const { body, status } = await scene.ask("POST", `${place.repository}/builds/${number}`, {
        query,
      });
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { parent: number, status: "pending" },
      });
      const again = (body as { number: number }).number;
      expect(again).toBeGreaterThan(number);
      const build = await client.build(place.repository, again);
      expect(build).toMatchObject({ after: place.commit, params: { OLD: "1", NEW: "3" } });
    },
  },
];
