// Run before each file.
import { expect, vi } from "vitest";
import { isWaiting } from "./waiting.ts";

/** What waits for a place may have to do so for as long as several others take, in milliseconds. */
const patience = 1_200_000;

if (isWaiting(expect.getState().testPath ?? "")) {
  vi.setConfig({ testTimeout: patience, hookTimeout: patience });
}
