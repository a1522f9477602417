import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, test } from "vitest";
import { makeScratch } from "../scratch.ts";
import { findTool, requireTool } from "../tools.ts";
import type { ContractEntry } from "./contract/entry.ts";
import { contract } from "./contract.ts";
import { Scene } from "./scene.ts";

/** How many entries are tried at once, beside those that wait most of the time. */
const atOnce = 16;

describe(`with a real forge, ${process.env.DRONE_SERVER_BIN ? "Drone itself" : "the stand-in"}`, () => {
  const scratch = makeScratch();
  let scene: Scene | undefined;
  /** Which entries are tried, and how each ends: with nothing when it is as it says. */
  const ends = new Map<ContractEntry, PromiseWithResolvers<unknown>>();

  beforeAll(async () => {
    if (findTool("gitea") === undefined) return;
    const started = await Scene.start(scratch);
    scene = started;
    const { CONTRACT_ONLY: only = "" } = process.env;
    for (const entry of contract.filter(({ id }) => id.startsWith(only))) {
      ends.set(entry, Promise.withResolvers());
    }
    const attempt = async (entry: ContractEntry): Promise<void> => {
      try {
        await entry.probe(started);
        ends.get(entry)?.resolve(undefined);
      } catch (error) {
        ends.get(entry)?.resolve(error);
      }
    };
    const queue = [...ends.keys()].filter(({ isSlow }) => !isSlow);
    const slot = async (): Promise<void> => {
      for (let entry = queue.shift(); entry !== undefined; entry = queue.shift())
        await attempt(entry);
    };
    for (const entry of ends.keys()) if (entry.isSlow) void attempt(entry);
    for (let count = 0; count < atOnce; count += 1) void slot();
  });

  afterAll(async () => {
    await scene?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  test.for(contract.map((entry) => [entry.says, entry.id, entry.facts, entry] as const))(
    "%s (%s, %s)",
    async ([, , , entry], context) => {
      requireTool(context, "gitea");
      const end = ends.get(entry);
      if (end === undefined) return context.skip("not asked for");
      const error = await end.promise;
      if (error !== undefined) throw error;
    },
  );
});
