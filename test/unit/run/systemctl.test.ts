import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { queue, stateOf } from "../../../services/run/systemctl.ts";

describe("systemctl", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cc-ci-systemctl-"));
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** Has another program in its place. */
  function say(script: string): void {
    writeFileSync(join(folder, "systemctl"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  test("is out of reach of a Ctrl-C that is for who asks", async () => {
    say('read -r _ _ _ _ group _ </proc/$$/stat; [ "$group" = $$ ] && echo alone');
    expect(await stateOf("cc-ci-runner.service")).toBe("alone");
  });

  test("fails with what it says", async () => {
    say("echo no such unit >&2; exit 5");
    await expect(stateOf("x.service")).rejects.toThrow("no such unit");
  });

  test("is not asked for what there is none of", async () => {
    say("exit 1");
    await queue("stop");
  });
});
