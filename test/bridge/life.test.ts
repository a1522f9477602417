import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeScratch } from "../scratch.ts";
import { findTool, requireTool } from "../tools.ts";
import type { BridgeProcess } from "./process.ts";
import { Stage } from "./stage.ts";

const scratch = makeScratch();
let stage: Stage;

beforeAll(async () => {
  if (findTool("gitea") !== undefined) stage = await Stage.start(scratch);
});

afterAll(async () => {
  await stage?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

describe("a command on a pull request", () => {
  test("of a member becomes a build of its head, and an answer", async (context) => {
    requireTool(context, "gitea");
    const repository = await stage.recipe();
    const bridge: BridgeProcess = stage.bridge([repository]);
    await bridge.start();
    try {
      const pull = await stage.pull(repository);
      // when
      const comment = await stage.comment(stage.member, pull, "!testme");
      await stage.reacts(repository, comment, "eyes");
      const text = await stage.statusSays(pull, "passed");
      console.log(text);
      await stage.reacts(repository, comment, "+1");
      console.log(await stage.reactions(repository, comment));
      console.log(
        (await stage.builds(repository)).map(({ number, params }) => ({ number, params })),
      );
    } finally {
      await bridge.stop();
      console.log(bridge.wholeLog.map((e) => JSON.stringify(e)).join("\n"));
    }
  });
});
