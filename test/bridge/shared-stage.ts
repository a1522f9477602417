import { rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { makeScratch } from "../scratch.ts";
import { findTool, requireTool } from "../tools.ts";
import type { BridgeProcess } from "./process.ts";
import { Stage } from "./stage.ts";

export interface SharedStage {
  readonly stage: Stage;
  /** A recipe, with a bridge that listens for it and is set as most are. */
  readonly repository: string;
  readonly bridge: BridgeProcess;
}

/**
 * One stage for all cases of a file. Where there is no forge they are skipped with what is missing, and fail in CI.
 *
 * @returns what a case calls to get it
 */
export function sharedStage(): () => SharedStage {
  const scratch = makeScratch();
  let stage: Stage | undefined;
  let shared: SharedStage | undefined;
  beforeAll(async () => {
    if (findTool("gitea") === undefined) return;
    stage = await Stage.start(scratch);
    shared = { stage, ...(await stage.bridged()) };
  });
  beforeEach((context) => {
    requireTool(context, "gitea");
  });
  afterAll(async () => {
    try {
      await stage?.stop();
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
  return () => {
    if (shared === undefined) throw new Error("the stage did not come up");
    return shared;
  };
}
