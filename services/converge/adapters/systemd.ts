import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { z } from "zod";

const unitSchema = z.object({
  Id: z.string(),
  LoadState: z.string(),
  ActiveState: z.string(),
  /** How the last run ended: `success`, `exit-code`, `signal`, `timeout` and the like. */
  Result: z.string(),
  /** Empty when it never ran since the boot. */
  ExecMainStartTimestamp: z.string(),
  ExecMainExitTimestamp: z.string(),
});

export type UnitState = Readonly<z.infer<typeof unitSchema>>;

/** Systemd as a program sees it that runs under it, and one that asks it. It decides nothing. */
export class Systemd {
  /** The service whose process this is; undefined outside of any. */
  async ownService(): Promise<string | undefined> {
    const text = await readFile("/proc/self/cgroup", "utf8");
    // Version 2 has one line, `0::/path`; version 1 has one of systemd's own, `1:name=systemd:/path`.
    const line = /^(?:\d+:name=systemd|0:):(\/.*)$/m.exec(text)?.[1];
    return /\/([^/]+\.service)$/.exec(line ?? "")?.[1];
  }

  /** In the order in which they are named. Times are seconds since 1970 behind an `@`. */
  async units(names: readonly string[]): Promise<readonly UnitState[]> {
    if (names.length === 0) return [];
    const properties = Object.keys(unitSchema.shape).join(",");
    const { stdout } = await promisify(execFile)(
      "systemctl",
      ["show", "--timestamp=unix", `--property=${properties}`, "--", ...names],
      { encoding: "utf8", timeout: 30_000 },
    );
    return stdout
      .trim()
      .split("\n\n")
      .map((block) => unitSchema.parse(membersOf(block)));
  }
}

function membersOf(block: string): Readonly<Record<string, string>> {
  const pairs = block.split("\n").map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}
