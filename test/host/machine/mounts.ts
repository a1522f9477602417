import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Mount {
  /** Where it is mounted. */
  readonly path: string;
  /** The part of the file system that is mounted there. */
  readonly root: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Every mount that this process sees, in the order in which they were made. */
export function mounts(): readonly Mount[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    // proc_pid_mountinfo(5): a dash stands between the fields of the mount and of the file system.
    const [mount = "", system = ""] = line.split(" - ");
    const [, , , root = "", path = ""] = mount.split(" ").map(unescaped);
    const [type = "", , options = ""] = system.split(" ");
    return { path, root, type, options: options.split(",") };
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

export function mount(...args: readonly string[]): void {
  execFileSync("mount", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Takes away every mount at and below a folder; loop devices behind them go with them. */
export function unmountBelow(folder: string): void {
  const paths = mounts()
    .map(({ path }) => path)
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .reverse();
  for (const path of paths) {
    try {
      execFileSync("umount", [path], { stdio: "ignore" });
    } catch {
      // Something still has a file open there: it goes when that is closed.
      execFileSync("umount", ["--lazy", path], { stdio: ["ignore", "ignore", "pipe"] });
    }
  }
}
