import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { hostYaml } from "../synthesized.ts";
import { pathOf } from "../tools.ts";
import { installAbraStandIn } from "./abra/install.ts";
import { type CertificatePair, TestAuthority } from "./certificates.ts";
import { DockerView } from "./docker-view.ts";
import { Faults } from "./faults.ts";
import { installGitServer, repositoryUrl } from "./git-server/install.ts";
import { hostImages } from "./machine/docker-data.ts";
import { type ExecOptions, type ExecResult, Machine } from "./machine/machine.ts";
import { hostRoot } from "./machine/root.ts";
import type { Purpose } from "./machine/throwaway.ts";
import type { RecipeName, RecipeRepository } from "./recipes/repositories.ts";
import { installSystem } from "./system/install.ts";
import { redirectRecipes } from "./system/redirect.ts";
import { oneshotsAtWork, type SettleOptions, settle } from "./system/settle.ts";
import { type SwitchResult, showUnits, switchSystem } from "./system/switch.ts";
import { buildSystem, type Configuration, installed, type System } from "./system/system.ts";
import { type UnitEnd, unitEnd } from "./system/unit-end.ts";

export interface HostOptions {
  /** What the host is to be. @default `usualConfiguration()` */
  readonly configuration?: string | Configuration;
  /** The wildcard certificate that is in place, null for none. @default a good pair */
  readonly certificate?: CertificatePair | null;
  /** Folders of this machine that are read-only inside, by the path that they have there. @default none */
  readonly binds?: Readonly<Record<string, string>>;
  /** Changes files below the root before the first boot. */
  readonly prepare?: (root: string, host: Host) => void | Promise<void>;
  /** Return once systemd takes orders, and do not wait for Docker. @default false */
  readonly withoutDocker?: boolean;
  /** A person's host outlives the process. @default "case" */
  readonly purpose?: Purpose;
}

/**
 * The smallest host, whose recipes come from the host itself. Further keys of the host are given as
 * indented YAML, and `traefik` replaces the keys of Traefik.
 */
export function usualConfiguration(keys = "", traefik = "release: 5.1.1"): string {
  return hostYaml(keys, `repository: ${repositoryUrl("traefik")}\n${traefik}`);
}

/** Where the configuration of `usualConfiguration` expects the certificate. */
export const certificateFolder = "/var/lib/ci-certs/live";

/**
 * Boots a host with everything in place that an operator would have put there. It is on when this
 * returns, with Docker running; its own units have started and may be at work: see `settle`.
 */
export async function bootHost(options: HostOptions = {}): Promise<Host> {
  const configuration = options.configuration ?? usualConfiguration();
  const system = await buildSystem(asConfiguration(configuration));
  const machine = await makeMachine(options);
  const authority = new TestAuthority();
  try {
    const repositories = installGitServer(machine.root, authority);
    installAbraStandIn(machine.root);
    const host = new Host({ machine, authority, repositories, system });
    if (options.certificate !== null) host.putCertificate(options.certificate ?? authority.pair());
    redirectRecipes(machine.root, system);
    installSystem(machine.root, system);
    await options.prepare?.(machine.root, host);
    await machine.boot();
    if (options.withoutDocker !== true) await host.waitForDocker();
    return host;
  } catch (error) {
    authority[Symbol.dispose]();
    await machine.remove();
    throw error;
  }
}

/** A machine that is off, with all images. */
async function makeMachine({ binds = {}, purpose = "case" }: HostOptions): Promise<Machine> {
  return await Machine.make({
    root: pathOf(hostRoot),
    docker: pathOf(hostImages),
    binds,
    purpose,
  });
}

function asConfiguration(configuration: string | Configuration): Configuration {
  return typeof configuration === "string" ? { app: configuration } : configuration;
}

/** Of the journal; what is no text is not told as one. */
const entrySchema = z.object({
  _SYSTEMD_UNIT: z.string().optional(),
  MESSAGE: z.union([z.string(), z.unknown().transform(() => "")]),
});

interface HostParts {
  readonly machine: Machine;
  readonly authority: TestAuthority;
  readonly repositories: Readonly<Record<RecipeName, RecipeRepository>>;
  readonly system: System;
}

/** A booted host of a case. */
export class Host implements AsyncDisposable {
  readonly machine: Machine;
  /** Signs certificates that everything on the host trusts. */
  readonly authority: TestAuthority;
  /** The upstream repositories of the recipes, as they lie below the root. */
  readonly repositories: Readonly<Record<RecipeName, RecipeRepository>>;
  readonly docker: DockerView;
  readonly faults: Faults;
  #system: System;

  constructor({ machine, authority, repositories, system }: HostParts) {
    this.machine = machine;
    this.authority = authority;
    this.repositories = repositories;
    this.#system = system;
    this.docker = new DockerView(machine);
    this.faults = new Faults(machine);
  }

  /** What the host was last given. */
  get system(): System {
    return this.#system;
  }

  /** Runs a program as root; see `Machine.exec`. */
  async exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    return await this.machine.exec(command, options);
  }

  /** Runs `converge` with these arguments, whatever it exits with. */
  async converge(...args: readonly string[]): Promise<ExecResult> {
    return await this.exec(["converge", ...args], { mayFail: true, timeoutSeconds: 300 });
  }

  /** `nixos-rebuild switch` to another configuration, once the boot is over. */
  async switchTo(configuration: string | Configuration): Promise<SwitchResult> {
    const next = await buildSystem(asConfiguration(configuration));
    // Exits with 1 when a unit has failed, which is the business of the case.
    const over = ["systemctl", "is-system-running", "--wait"];
    await this.exec(over, { mayFail: true, timeoutSeconds: 600 });
    redirectRecipes(this.machine.root, next);
    const result = await switchSystem(this.machine, installed(this.#system), next);
    if (result.refusal === "") this.#system = next;
    return result;
  }

  /** Puts another system in place as a switch does, and neither starts nor stops anything. */
  async install(next: System): Promise<void> {
    installSystem(this.machine.root, next, installed(this.#system));
    this.#system = next;
    redirectRecipes(this.machine.root, next);
    await this.exec(["systemctl", "daemon-reload"]);
  }

  /** Waits until everything that was started has ended. */
  async settle(options?: SettleOptions): Promise<void> {
    await settle(this.machine, this.#system, options);
  }

  /** The oneshots of ours that run now. */
  atWork(): readonly string[] {
    return oneshotsAtWork(this.machine, this.#system);
  }

  /** Starts a unit, waits for its end, and says what it came to. */
  async start(unit: string, timeoutSeconds = 600): Promise<UnitEnd> {
    const service = unit.includes(".") ? unit : `${unit}.service`;
    await this.exec(["systemctl", "start", service], { mayFail: true, timeoutSeconds });
    return await this.unit(service);
  }

  /** What a unit came to when it last ran. */
  async unit(name: string): Promise<UnitEnd> {
    const [shown = {}] = await showUnits(
      this.machine,
      [name],
      [...["ActiveState", "Result", "ExecMainStatus", "InvocationID"]],
    );
    return unitEnd(shown);
  }

  /** What a unit logged, without dates and names. @param since as from `Date.now()` */
  async journal(unit: string, since = 0): Promise<string> {
    const from = `--since=@${(since / 1000).toFixed(3)}`;
    return (await this.exec(["journalctl", "--output=cat", "--no-pager", `--unit=${unit}`, from]))
      .stdout;
  }

  /** What the processes of some units logged, by unit. @param since as from `Date.now()` */
  async journals(
    units: readonly string[],
    since: number,
  ): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await this.exec([
      ...["journalctl", "--output=json", "--output-fields=_SYSTEMD_UNIT,MESSAGE", "--no-pager"],
      ...[`--since=@${(since / 1000).toFixed(3)}`, ...units.map((unit) => `--unit=${unit}`)],
    ]);
    const texts: Record<string, string> = Object.fromEntries(units.map((unit) => [unit, ""]));
    for (const line of stdout.split("\n").filter(Boolean)) {
      const { _SYSTEMD_UNIT: unit, MESSAGE } = entrySchema.parse(JSON.parse(line));
      // Systemd's own words about a unit come from elsewhere.
      if (unit !== undefined && unit in texts) texts[unit] += `${MESSAGE}\n`;
    }
    return texts;
  }

  /** Shuts down in order and boots again. */
  async reboot(): Promise<void> {
    await this.machine.reboot();
    await this.waitForDocker();
  }

  /** Ends everything at once and boots again. */
  async powerCut(): Promise<void> {
    await this.machine.powerCut();
    await this.machine.boot();
    await this.waitForDocker();
  }

  async waitForDocker(): Promise<void> {
    await this.exec(["systemctl", "start", "docker.service"], { timeoutSeconds: 120 });
  }

  /** Puts the wildcard certificate in place as a good client does: each file by rename, the key last. */
  putCertificate(pair: CertificatePair): void {
    this.write(`${certificateFolder}/fullchain.pem`, pair.certificate);
    this.write(`${certificateFolder}/privkey.pem`, pair.key, 0o600);
  }

  /** Writes a file of the root file system, by rename; not below /run, /tmp or /var/lib/docker. */
  write(path: string, content: string | Buffer, mode = 0o644): void {
    const file = join(this.machine.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, content, { mode });
    renameSync(`${file}.new`, file);
  }

  /** The text of a file of the root file system. */
  read(path: string): string {
    return readFileSync(join(this.machine.root, path), "utf8");
  }

  /** Copies a folder or file of this machine into the root file system. */
  copyIn(from: string, path: string): void {
    cpSync(from, join(this.machine.root, path), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.authority[Symbol.dispose]();
    await this.machine.remove();
  }
}
