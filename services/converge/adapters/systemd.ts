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
    return serviceIn(await readFile("/proc/self/cgroup", "utf8"));
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

  /** The units without which each of these is not started, in the order in which they are named. */
  async required(names: readonly string[]): Promise<readonly (readonly string[])[]> {
    if (names.length === 0) return [];
    const { stdout } = await promisify(execFile)(
      "systemctl",
      ["show", "--property=Id,Requires", "--", ...names],
      { encoding: "utf8", timeout: 30_000 },
    );
    return stdout
      .trim()
      .split("\n\n")
      .map((block) => (membersOf(block).Requires ?? "").split(" ").filter(Boolean));
  }
}

function membersOf(block: string): Readonly<Record<string, string>> {
  const pairs = block.split("\n").map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/**
 * The system's service that a process belongs to, by the text of its /proc/<pid>/cgroup; undefined
 * when it belongs to none. Users have managers of their own, whose services may be called anything.
 */
export function serviceIn(cgroups: string): string | undefined {
  // Version 2 has one line, `0::/path`; version 1 has one of systemd's own, `1:name=systemd:/path`.
  const path = /^(?:\d+:name=systemd|0:):(\/.*)$/m.exec(cgroups)?.[1] ?? "";
  if (/\/user@\d+\.service\//.test(path)) return undefined;
  return /\/([^/]+\.service)$/.exec(path)?.[1];
}
