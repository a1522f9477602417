import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, test } from "vitest";
import { makeScratch } from "../scratch.ts";
import { findTool, requireTool } from "../tools.ts";
import { contract } from "./contract.ts";
import { Scene } from "./scene.ts";

describe(`with a real forge, ${process.env.DRONE_SERVER_BIN ? "Drone itself" : "the stand-in"}`, () => {
  const scratch = makeScratch();
  let scene: Scene | undefined;
  /** How each entry ended: undefined when it is as it says. */
  const ends = new Map<string, Promise<unknown>>();

  beforeAll(async () => {
    if (findTool("gitea") === undefined) return;
    const started = await Scene.start(scratch);
    scene = started;
    const { CONTRACT_ONLY: only = "" } = process.env;
    // All at once, for most of them wait most of the time.
    for (const { id, probe } of contract.filter((entry) => entry.id.startsWith(only))) {
      ends.set(
        id,
        probe(started).then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
    }
  });

  afterAll(async () => {
    await scene?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  test.for(contract.map(({ facts, id, says }) => [says, id, facts] as const))(
    "%s (%s, %s)",
    async ([, id], context) => {
      requireTool(context, "gitea");
      const end = ends.get(id);
      if (end === undefined) return context.skip("not asked for");
      const error = await end;
      if (error !== undefined) throw error;
    },
  );
});
