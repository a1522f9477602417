import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long what was killed may take to be gone, in seconds. */
const limitSeconds = 10;

/**
 * Kills every process of this service but this one: systemd itself does so only after the last command of a
 * service, and what is torn down must not be built up meanwhile.
 *
 * @returns how many there were
 */
export async function killOthers(): Promise<number> {
  const file = procsFile(await readFile("/proc/self/cgroup", "utf8"));
  if (file === undefined) return 0;
  const seen = new Set<number>();
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    const others = pidsIn(await readFile(file, "utf8")).filter((pid) => pid !== process.pid);
    if (others.length === 0 || performance.now() > end) return seen.size;
    for (const pid of others) {
      seen.add(pid);
      kill(pid);
    }
    await sleep(20);
  }
}

/**
 * The list of the processes of a service of ours, by the text of /proc/self/cgroup; undefined for whoever is
 * in no such service.
 */
export function procsFile(cgroups: string): string | undefined {
  // Version 2 has one line, `0::/path`; version 1 has one of systemd's own, `1:name=systemd:/path`.
  const [, hierarchy = "", path = ""] = /^(\d+:name=systemd|0:):(\/.*)$/m.exec(cgroups) ?? [];
  if (!/\/cc-ci-run@[^/]+\.service$/.test(path)) return undefined;
  const mount = hierarchy === "0:" ? "/sys/fs/cgroup" : "/sys/fs/cgroup/systemd";
  return join(mount, path, "cgroup.procs");
}

function pidsIn(text: string): readonly number[] {
  // 0 stands for a process that this one cannot see.
  return text
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 1);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}
