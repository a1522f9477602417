import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import * as z from "zod";
import { makeCgroups, processesOfUnit, removeCgroups, systemUnitsIn } from "./cgroups.ts";
import { mount } from "./mounts.ts";
import { childrenOf, isFrozen, kill, startOf, until } from "./processes.ts";
import {
  findPersons,
  giveTo,
  makeThrowaway,
  type Purpose,
  removeThrowaway,
  type Throwaway,
} from "./throwaway.ts";

export interface MachineOptions {
  /** A folder with a Debian in it, of which the machine sees a throwaway copy. */
  readonly root: string;
  /** The content of /var/lib/docker, copied. @default empty */
  readonly docker?: string;
  /** Folders of this machine that are read-only inside, by the path that they have there. */
  readonly binds?: Readonly<Record<string, string>>;
  /** A case waits for a place, and a person's machine outlives the process that boots it. @default "case" */
  readonly purpose?: Purpose;
}

export interface ExecOptions {
  /** @default 60 */
  readonly timeoutSeconds?: number;
  /** What the program reads. @default nothing */
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** Return instead of throwing when the program ends with anything but 0. @default false */
  readonly mayFail?: boolean;
}

export interface ExecResult {
  /** 137 when the time was over. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** All that a program inside gets to see, whoever runs the tests. */
function environmentOf(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: path, HOME: "/root", LC_ALL: "C.UTF-8", ...more };
}

/**
 * Moves the shell into control groups, then becomes the program. Two machines in one group would
 * share it with all that their Docker makes in it.
 */
const enterCgroups =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"';

/** A clean stop waits for Docker's containers; 90 s is what systemd gives a unit. */
const stopSeconds = 120;
const killSeconds = 5;
const bootSeconds = 60;

/**
 * Ends a machine with its runner, by its first process: that outlives a systemd-nspawn that was killed.
 * The one who waits for it ends by itself, as soon as either of the two is gone.
 */
function endWith(runner: number, leader: number): void {
  // By the shell's own commands, for it looks as long as the machine is up: bash waits for input that never comes.
  const script = `exec 3<> <(:)
lives() { read -r -a stat <"/proc/$1/stat" && [ "\${stat[21]}" = "$2" ]; }
while kill -0 "$1" && lives "$2" "$3"; do read -t 2 -u 3; done
lives "$2" "$3" && kill -KILL "$2"`;
  const words = [runner, leader, startOf(leader) ?? ""].map(String);
  spawn("/bin/bash", ["-c", script, "bash", ...words], { stdio: "ignore", detached: true }).unref();
}

/**
 * A Debian booted in systemd-nspawn, with a loopback network alone, on a throwaway copy of a root.
 * What it wrote stays through a reboot and a power cut, and is gone after `remove`.
 */
export class Machine implements AsyncDisposable {
  /** The root file system as the machine sees it, from outside; /run, /tmp and the like are not in it. */
  readonly root: string;
  readonly #throwaway: Throwaway;
  readonly #binds: readonly string[];
  #running: Running | undefined;

  private constructor(throwaway: Throwaway, binds: readonly string[]) {
    this.#throwaway = throwaway;
    this.#binds = binds;
    this.root = join(throwaway.folder, "root");
  }

  /** Makes a machine that is switched off. */
  static async make(options: MachineOptions): Promise<Machine> {
    const throwaway = await makeThrowaway(options.purpose ?? "case");
    const within = (name: string): string => join(throwaway.folder, name);
    try {
      for (const name of ["root", "upper", "work", "docker"]) mkdirSync(within(name));
      const layers = `lowerdir=${options.root},upperdir=${within("upper")},workdir=${within("work")}`;
      mount("-t", "overlay", "overlay", "-o", layers, within("root"));
      if (options.docker !== undefined) await copyDocker(options.docker, within("docker"));
      const binds = [
        `--bind=${within("docker")}:/var/lib/docker`,
        ...Object.entries(options.binds ?? {}).map(
          ([inside, outside]) => `--bind-ro=${outside}:${inside}`,
        ),
      ];
      writeFileSync(within("binds.json"), JSON.stringify(binds));
      // With none of its own it would think that this is its first boot, and set itself up.
      writeFileSync(within("root/etc/machine-id"), `${randomBytes(16).toString("hex")}\n`);
      return new Machine(throwaway, binds);
    } catch (error) {
      await removeThrowaway(throwaway);
      throw error;
    }
  }

  /** The machine that a person keeps, as it runs. */
  static persons(): Machine | undefined {
    const found = findPersons();
    if (found === undefined) return undefined;
    const machine = new Machine(found.throwaway, readBinds(found.throwaway.folder));
    const leader = firstProcess(found.pid);
    if (leader !== undefined) machine.#running = { nspawn: found.pid, leader };
    return machine;
  }

  /** The number of the machine's first process, as this machine sees it. */
  get leader(): number {
    if (this.#running === undefined) throw new Error("the machine is off: boot it first");
    return this.#running.leader;
  }

  /** The content of /var/lib/docker, from outside. */
  get docker(): string {
    return join(this.folder, "docker");
  }

  get folder(): string {
    return this.#throwaway.folder;
  }

  /** What it printed on its console, all boots together. */
  get console(): string {
    const file = join(this.folder, "console.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** A path inside as this machine reaches it, /run and /tmp included, while it runs. */
  inside(path: string): string {
    return join(`/proc/${this.leader}/root`, path);
  }

  /** Whether a signal has frozen a process of a unit; seen from outside. */
  isFrozen(unit: string): boolean {
    return processesOfUnit(this.#throwaway.cgroups, unit).some(isFrozen);
  }

  /** The units of its system that have processes, as seen from outside. */
  unitsAtWork(): ReadonlySet<string> {
    return systemUnitsIn(this.#throwaway.cgroups);
  }

  /** Switches it on; returns once systemd takes orders, with everything else still starting. */
  async boot(): Promise<void> {
    if (this.#running !== undefined) throw new Error("the machine is running already");
    const cgroups = makeCgroups(this.#throwaway.cgroups);
    const log = openSync(join(this.folder, "console.log"), "a");
    const child = spawn(
      "/bin/sh",
      ["-c", enterCgroups, "sh", String(cgroups.length), ...cgroups, ...this.#command()],
      {
        stdio: ["ignore", log, log],
        // A session of its own: an interrupt at the terminal is for the runner to deal with.
        detached: true,
        env: { PATH: path, LC_ALL: "C.UTF-8", SYSTEMD_NSPAWN_API_VFS_WRITABLE: "yes" },
      },
    );
    closeSync(log);
    child.unref();
    const nspawn = child.pid;
    if (nspawn === undefined) throw new Error("/bin/sh does not start");
    this.#running = { nspawn, leader: 0 };
    const mustLive = (): undefined => {
      if (startOf(nspawn) === undefined) throw new Error("systemd-nspawn ended");
    };
    try {
      const leader = await until("the machine's first process", bootSeconds, () => {
        mustLive();
        return firstProcess(nspawn);
      });
      this.#running = { nspawn, leader };
      if (this.#throwaway.purpose !== "person") endWith(process.pid, leader);
      await until("systemd inside the machine", bootSeconds, () => {
        mustLive();
        return existsSync(this.inside("/run/dbus/system_bus_socket")) ? true : undefined;
      });
      if (this.#throwaway.purpose === "person") giveTo(this.#throwaway, nspawn);
    } catch (error) {
      await this.powerCut();
      throw new Error(`the machine did not boot; its console says:\n${this.console}`, {
        cause: error,
      });
    }
  }

  #command(): readonly string[] {
    return [
      // With the runner killed, nobody can end the machine any more: it goes too, see `endWith`.
      ...(this.#throwaway.purpose === "person" ? [] : ["setpriv", "--pdeathsig", "KILL"]),
      "systemd-nspawn",
      `--directory=${this.root}`,
      "--quiet",
      "--boot",
      "--register=no",
      "--keep-unit",
      "--capability=all",
      // The clock is this machine's own.
      "--drop-capability=CAP_SYS_TIME",
      "--system-call-filter=@keyring bpf",
      "--private-network",
      "--resolv-conf=off",
      "--timezone=off",
      "--link-journal=no",
      "--console=read-only",
      ...this.#binds,
    ];
  }

  /** Shuts it down in order. */
  async stop(): Promise<void> {
    const { nspawn, leader } = this.#mustRun();
    // While it is off, no process but this one stands for it.
    giveTo(this.#throwaway, process.pid);
    kill(nspawn, "SIGTERM");
    if (!(await isGone(nspawn, stopSeconds))) {
      kill(leader);
      await isGone(nspawn, killSeconds);
    }
    await this.#isOff();
  }

  /** Stops it and boots it again, with all that it had written. */
  async reboot(): Promise<void> {
    await this.stop();
    await this.boot();
  }

  /** Ends every process in it at once. What was written to a file stays, unlike in a real one. */
  async powerCut(): Promise<void> {
    const { nspawn, leader } = this.#mustRun();
    giveTo(this.#throwaway, process.pid);
    kill(leader === 0 ? nspawn : leader);
    // It says good-bye to its container by itself; without one it has nothing to wait for.
    if (!(await isGone(nspawn, killSeconds))) kill(nspawn);
    await this.#isOff();
  }

  #mustRun(): Running {
    if (this.#running === undefined) throw new Error("the machine is off: boot it first");
    return this.#running;
  }

  async #isOff(): Promise<void> {
    this.#running = undefined;
    await removeCgroups(this.#throwaway.cgroups);
  }

  /**
   * Runs a program inside, as root but without the right to set the clock. It is not in any unit: use
   * `runInUnit` to show what a unit may do.
   *
   * @throws {Error} with what it printed, when it ends with anything but 0
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const limit = options.timeoutSeconds ?? 60;
    const result = await execa(
      "nsenter",
      // The limit is inside, because what nsenter started goes on when nsenter is ended.
      [...this.#enter(), "timeout", "--signal=KILL", String(limit), ...command],
      {
        reject: false,
        stripFinalNewline: false,
        cwd: "/",
        env: environmentOf(options.env),
        extendEnv: false,
        timeout: (limit + 10) * 1000,
        maxBuffer: 64 * 1024 * 1024,
        ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      },
    );
    const { stdout, stderr } = result;
    const exitCode = result.exitCode ?? 137;
    if (exitCode !== 0 && options.mayFail !== true) {
      const ending = exitCode === 137 ? `killed, perhaps after ${limit} s` : `exit ${exitCode}`;
      throw new Error(`'${command.join(" ")}' in the machine: ${ending}\n${stdout}${stderr}`);
    }
    return { exitCode, stdout, stderr };
  }

  /** Runs a program inside at this terminal; returns its exit status. */
  interact(command: readonly string[]): number {
    const env = environmentOf({ TERM: process.env.TERM ?? "dumb" });
    const entered = [...this.#enter(), ...command];
    return spawnSync("nsenter", entered, { stdio: "inherit", env }).status ?? 137;
  }

  /** What stands before a command inside, for nsenter. */
  #enter(): readonly string[] {
    return [
      ...["--target", String(this.leader), "--all"],
      ...["setpriv", "--bounding-set=-sys_time", "--inh-caps=-sys_time"],
    ];
  }

  /**
   * Runs a program as a transient service, with properties such as `DynamicUser=yes`: with the
   * rights, the limits and the control group of a unit.
   */
  async runInUnit(
    command: readonly string[],
    properties: readonly string[] = [],
    options: ExecOptions = {},
  ): Promise<ExecResult> {
    const flags = ["--quiet", "--wait", "--pipe", "--collect"];
    const set = properties.map((property) => `--property=${property}`);
    return await this.exec(["systemd-run", ...flags, ...set, "--", ...command], options);
  }

  /** Ends it and removes everything that it was. */
  async remove(): Promise<void> {
    if (this.#running !== undefined) await this.powerCut();
    await removeThrowaway(this.#throwaway);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

interface Running {
  /** The process of systemd-nspawn. */
  readonly nspawn: number;
  /** Its child, number 1 inside; 0 until it is there. */
  readonly leader: number;
}

function readBinds(folder: string): readonly string[] {
  return z.array(z.string()).parse(JSON.parse(readFileSync(join(folder, "binds.json"), "utf8")));
}

async function isGone(pid: number, limitSeconds: number): Promise<boolean> {
  const end = performance.now() + limitSeconds * 1000;
  while (startOf(pid) !== undefined) {
    if (performance.now() > end) return false;
    await sleep(10);
  }
  return true;
}

/** The process that is number 1 inside of a container that systemd-nspawn holds. */
function firstProcess(nspawn: number): number | undefined {
  return childrenOf(nspawn).find((pid) => {
    try {
      const numbers = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      return numbers?.trim().split(/\s+/).at(-1) === "1" && startOf(pid) !== undefined;
    } catch {
      return false;
    }
  });
}

/**
 * A copy of a /var/lib/docker. Files in image layers are never changed in place (a container that
 * writes to one gets a copy of its own), so those are linked; everything else is copied.
 */
async function copyDocker(from: string, to: string): Promise<void> {
  const script = `set -e
find . -path './overlay2/*/diff' -prune -o -print0 | tar --create --null --no-recursion --files-from=- | tar --extract --directory="$1" --same-owner
set -- "$1" overlay2/*/diff
to=$1; shift
[ ! -e "$1" ] || cp --archive --link --parents "$@" "$to"
`;
  await execa("sh", ["-c", script, "sh", to], { cwd: from });
}
