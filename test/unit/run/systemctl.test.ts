import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Systemd } from "../../../services/converge/adapters/systemd.ts";
import { queue, runUnits, stateOf } from "../../../services/run/systemctl.ts";

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

  test("names the units that match, in whatever state they are", async () => {
    say(`[ "$1 $7" = "list-units cc-ci-run@*.service" ] || exit 1
echo "  cc-ci-run@1.service loaded active       running  A test run"
echo "  cc-ci-run@2.service loaded deactivating stop-sig A test run"`);
    const two = ["cc-ci-run@1.service", "cc-ci-run@2.service"];
    expect([await runUnits(), await new Systemd().matching("cc-ci-run@*.service")]).toEqual([
      two,
      two,
    ]);
    say("true");
    expect([await runUnits(), await new Systemd().matching("x")]).toEqual([[], []]);
  });

  test("is not asked for what there is none of", async () => {
    say("exit 1");
    await queue("stop");
  });
});
