import { appOf, synthesized } from "../../synthesized.ts";
import { installDrone } from "../drone/install.ts";
import { forgeAddress, forgeBinds, installForge } from "../forge/install.ts";
import {
  accounts,
  ciRepository,
  type SeededForge,
  type SeedOptions,
  seededForge,
} from "../forge/seed.ts";
import { repositoryUrl } from "../git-server/install.ts";
import { type Host, type HostOptions, usualConfiguration } from "../host.ts";
import type { Configuration } from "../system/system.ts";
import { withoutTimer } from "./without-timer.ts";

export interface DroneKeys {
  /** @default "1.9.0" */
  readonly release?: string;
  /** Whether the passwords of owner and bridge are given. @default true */
  readonly hasPasswords?: boolean;
  /** Whether timers look after builds and after runs, whenever it is their time. @default true */
  readonly hasOwnTimers?: boolean;
  /** Further keys of Drone, as YAML. @default none */
  readonly drone?: string;
  /** Further keys of the host, as YAML. @default two runs at once */
  readonly host?: string;
}

const secrets = "/var/lib/ci-secrets";

/** The host with Traefik, Drone, its runner, and without the timer. */
export function withDrone(clientId: string, keys: DroneKeys = {}): Configuration {
  const {
    release = "1.9.0",
    hasPasswords = true,
    hasOwnTimers = true,
    drone = "",
    host = "runs: { maxTests: 2 }",
  } = keys;
  const { owner, bridge } = accounts;
  const password = (name: string) => (hasPasswords ? `, password: ${secrets}/${name}` : "");
  return withoutTimer(
    usualConfiguration(`acceptUnfree: [drone, drone-runner-exec]
${host}
drone:
  release: ${release}
  repository: ${repositoryUrl("drone")}
  forge: ${forgeAddress}
  clientId: ${clientId}
  clientSecret: ${secrets}/drone-client
  builds: { repository: ${ciRepository} }
  owner: { login: ${owner.login}, forgeToken: ${secrets}/forge-token${password("owner")} }
  bridge: { login: ${bridge.login}${password("bridge")} }
${drone.replaceAll(/^(?=.)/gm, "  ")}`),
    hasOwnTimers ? [] : ["cc-ci-drone-builds", "cc-ci-runs"],
  );
}

/** What a host with Drone is booted with; the forge runs on it too. */
export async function droneHost(
  keys: DroneKeys = {},
  seed: SeedOptions = {},
): Promise<HostOptions & { forge: SeededForge }> {
  const forge = await seededForgeOfHosts(seed);
  return {
    forge,
    configuration: withDrone(forge.clientId, keys),
    binds: forgeBinds(),
    prepare: (root, host) => {
      installForge(root, host.authority, forge);
      installDrone(root);
      putSecrets(host, forge);
    },
  };
}

/** The forge that every host with Drone begins with. */
export async function seededForgeOfHosts(seed: SeedOptions = {}): Promise<SeededForge> {
  return await seededForge(await pipeline(), seed);
}

/** What an operator has to put there. */
function putSecrets(host: Host, { clientSecret, tokens, passwords }: SeededForge): void {
  const { owner, bridge } = accounts;
  host.write(`${secrets}/drone-client`, clientSecret, 0o600);
  host.write(`${secrets}/forge-token`, tokens[owner.login] ?? "", 0o600);
  host.write(`${secrets}/owner`, passwords[owner.login] ?? "", 0o600);
  host.write(`${secrets}/bridge`, passwords[bridge.login] ?? "", 0o600);
}

/** What synth writes for the CI repository. */
async function pipeline(): Promise<{ readonly path: string; readonly text: string }> {
  const { app } = withDrone("any");
  if (typeof app !== "string") throw new Error("no text");
  const path = "out/cc-ci/drone.yml";
  const text = (await synthesized(appOf(app))).get(path)?.content;
  if (text === undefined) throw new Error(`synth writes no ${path}`);
  return { path, text };
}
