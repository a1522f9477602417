import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import * as z from "zod";
import { listOf, unitsIn } from "../../lib/unit-list.ts";

const unitSchema = z.object({
  Id: z.string(),
  /** `loaded`, `masked`, `not-found` and the like: systemd starts a `loaded` one alone. */
  LoadState: z.string(),
  ActiveState: z.string(),
  /** When its ActiveState last changed, or a try to start it failed; empty when neither was since the boot. */
  StateChangeTimestamp: z.string(),
  /** The number of what systemd is about to do with it; empty when there is nothing. */
  Job: z.string().default(""),
  /** Of a service: `oneshot`, `notify` and the like. */
  Type: z.string().default(""),
  /** How the last run ended: `success`, `exit-code`, `signal`, `timeout` and the like. */
  Result: z.string(),
  /** Empty when it never ran since the boot. */
  ExecMainStartTimestamp: z.string(),
  ExecMainExitTimestamp: z.string(),
  /** The units without which it is not started. */
  Requires: z.string().transform((names) => names.split(" ").filter(Boolean)),
});

export type UnitState = Readonly<z.infer<typeof unitSchema>>;

/** `@1234567890`, as `units` has it, in ISO 8601; null for none. */
export function isoOf(timestamp: string): string | null {
  const seconds = /^@(\d+)$/.exec(timestamp)?.[1];
  return seconds === undefined || seconds === "0"
    ? null
    : new Date(Number(seconds) * 1000).toISOString();
}

/** Systemd as a program sees it that runs under it, and one that asks it. It decides nothing. */
export class Systemd {
  /** The service whose process this is; undefined outside of any. */
  async ownService(): Promise<string | undefined> {
    return serviceIn(await readFile("/proc/self/cgroup", "utf8"));
  }

  /**
   * Starts units as one transaction, and ends once they have ended.
   *
   * @returns what systemd says against it, mostly that one of them failed; empty when all ended well
   */
  async start(names: readonly string[]): Promise<string> {
    return await said("systemctl", ["start", "--", ...names]);
  }

  /**
   * Has systemd do something with a unit, and does not wait until it is done.
   *
   * @returns what systemd says against it; empty when it will be done
   */
  async queue(what: "start" | "restart" | "stop", name: string): Promise<string> {
    return await said("systemctl", [what, "--no-block", "--", name], { timeout: 30_000 });
  }

  /** The command line of the main process of a service; empty when it has none. */
  async commandOf(name: string): Promise<string> {
    const asked = ["--value", "--property=MainPID"];
    const { stdout } = await promisify(execFile)("systemctl", ["show", ...asked, "--", name], {
      ...{ encoding: "utf8", timeout: 30_000 },
    });
    const pid = stdout.trim();
    if (!/^[1-9]\d*$/.test(pid)) return "";
    try {
      return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
    } catch {
      // It ended since.
      return "";
    }
  }

  /**
   * Restarts a unit, and ends once it is up again.
   *
   * @returns what systemd says against it; empty when all went well
   */
  async restart(name: string, seconds: number): Promise<string> {
    return await said("systemctl", ["restart", "--", name], { timeout: seconds * 1000 });
  }

  /** When the main process of a service last started, to the millisecond; 1970 when it never did. */
  async startOf(name: string): Promise<Date> {
    // What `units` asks for has whole seconds.
    const asked = ["--value", "--timestamp=us+utc", "--property=ExecMainStartTimestamp"];
    const { stdout } = await promisify(execFile)("systemctl", ["show", ...asked, "--", name], {
      ...{ encoding: "utf8", timeout: 30_000 },
    });
    return timeIn(stdout);
  }

  /** The names of the units that match, whatever they are at. */
  async matching(pattern: string): Promise<readonly string[]> {
    const { stdout } = await promisify(execFile)("systemctl", listOf(pattern), {
      ...{ encoding: "utf8", timeout: 30_000 },
    });
    return unitsIn(stdout);
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

/** What a program says when it fails; empty when it does not. */
async function said(
  program: string,
  args: readonly string[],
  options: { readonly timeout?: number } = {},
): Promise<string> {
  try {
    await promisify(execFile)(program, args, { encoding: "utf8", ...options });
    return "";
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    return stderr?.trim() || message;
  }
}

/** A time as systemd prints it in UTC, such as `Sat 2026-11-28 19:54:31.123456 UTC`; 1970 where there is none. */
export function timeIn(text: string): Date {
  const [, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\d* UTC/.exec(text) ?? [];
  return day === undefined ? new Date(0) : new Date(`${day}T${time}Z`);
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
