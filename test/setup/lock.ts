import { spawn } from "node:child_process";
import { once } from "node:events";
import { findProgram } from "./programs.ts";

/** Longer than the longest setup, which the one that waits need not repeat. */
const waitSeconds = 60 * 60;

/**
 * Runs `body` while no other setup on this machine runs one with the same lock file. Node has no
 * flock(2), so util-linux' `flock` holds it, for as long as it can read from us: a setup that is
 * killed lets go of it as well.
 */
export async function withLock<T>(file: string, body: () => Promise<T>): Promise<T> {
  const flock = findProgram("flock");
  // The machine lacks util-linux: setup is about to install it, and there is nothing built yet.
  if (flock === undefined) return body();

  const script = "echo held; exec cat >/dev/null";
  const holder = spawn(
    flock,
    ["--exclusive", "--timeout", String(waitSeconds), file, "sh", "-c", script],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const exited = once(holder, "exit");
  const held = await Promise.race([
    once(holder.stdout, "data").then(() => true),
    exited.then(() => false),
  ]);
  if (!held) throw new Error(`${file}: another setup has held this lock for ${waitSeconds} s`);
  try {
    return await body();
  } finally {
    holder.stdin.end();
    await exited;
  }
}
