import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { namesIn } from "./names-in.ts";
import { isNotThere } from "./not-there.ts";

/** What is held back: that a build is taken from Drone's queue, or that a run begins. */
export type Held = "builds" | "runs";

/**
 * Somebody is about to do what would end runs, and none may begin until that is over: a file that is named
 * after a process, and holds for as long as this process lives. So there is nothing to take back, and no clock
 * to trust: whoever is killed, gives up, or goes down with the host holds nothing any more. It lies below
 * /run, which a boot empties.
 */
export interface Hold {
  release(): Promise<void>;
}

/**
 * Who wants to be sure holds first and looks for runs then; who begins one has a unit first, and looks
 * for a hold then. So one of the two sees the other, whatever comes between.
 *
 * @param pid of the process while which it is held
 * @throws {Error} when there is no such process
 */
export async function hold(folder: string, held: Held, pid: number): Promise<Hold> {
  const started = await startOf(pid);
  if (started === undefined) throw new Error(`there is no process ${pid} that could hold ${held}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await namesIn(folder)) {
    if (!(await isAlive(name))) await rm(join(folder, name), { force: true });
  }
  const path = join(folder, `${held}-${pid}-${started}`);
  await writeFile(path, "", { mode: 0o600 });
  return { release: () => rm(path, { force: true }) };
}

/** The process that holds this; undefined when none does. */
export async function holderOf(folder: string, held: Held): Promise<number | undefined> {
  for (const name of await namesIn(folder)) {
    if (name.startsWith(`${held}-`) && (await isAlive(name))) return partsOf(name)?.pid;
  }
  return undefined;
}

function partsOf(name: string): { readonly pid: number; readonly started: string } | undefined {
  const [, pid, started] = /^[a-z]+-([1-9]\d*)-(\d+)$/.exec(name) ?? [];
  return pid === undefined || started === undefined ? undefined : { pid: Number(pid), started };
}

async function isAlive(name: string): Promise<boolean> {
  const parts = partsOf(name);
  return parts !== undefined && (await startOf(parts.pid)) === parts.started;
}

/**
 * When a process started, as the kernel counts, which tells it from a later one with its number; undefined for
 * one that has ended, be it that nobody has noticed. See proc_pid_stat(5).
 */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name, in brackets, may have anything in it.
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return "ZX".includes(state) ? undefined : fields[18];
  } catch (error) {
    // ESRCH: it ended in between.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (isNotThere(error) || code === "ESRCH") return undefined;
    throw error;
  }
}
