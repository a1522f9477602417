import { statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Host } from "../host.ts";
import { until } from "../machine/processes.ts";

/** What each of them is called. */
const name = "witness";
/** Of an operator's own abra, and in the folder of an app of ours that no piece knows of. */
const envFiles = ["/root/.abra", `/var/lib/cc-ci/abra/${name}.example.org`].map(
  (folder) => `${folder}/servers/default/${name}.example.org.env`,
);
const dataFile = `/var/lib/docker/volumes/${name}/_data/file`;

const taskSchema = z.array(z.object({ ID: z.string(), Status: z.object({ State: z.string() }) }));

/**
 * Things on a host that are none of ours: a volume with something in it, a secret, a config, a
 * network, a service that uses them all, and environment files of another app. Nothing that we do may
 * touch them.
 */
export class Witnesses {
  readonly #host: Host;
  readonly #before: Readonly<Record<string, string>>;

  private constructor(host: Host, before: Readonly<Record<string, string>>) {
    this.#host = host;
    this.#before = before;
  }

  /**
   * Puts them on a host.
   *
   * @param inSwarm false where there is no swarm: then there is only what needs none. @default true
   */
  static async put(host: Host, { inSwarm = true } = {}): Promise<Witnesses> {
    await host.exec(["docker", "volume", "create", name]);
    await host.exec(["sh", "-c", `echo kept >${dataFile}`]);
    for (const file of envFiles) {
      host.write(file, "TYPE=witness:1.0.0+1.0.0\nDOMAIN=witness.example.org\n");
    }
    if (inSwarm) await putIntoSwarm(host);
    return new Witnesses(host, await look(host));
  }

  /** Waits until the service runs again, for which the swarm makes its network anew on a node that was down. */
  async areUp(): Promise<void> {
    if (this.#before.tasks !== "") await running(this.#host);
  }

  /**
   * What of them is not as it was, by name; none when all is well. After Docker was started anew,
   * `restarted` allows for the swarm's own new task of the service.
   */
  async touched({ restarted = false } = {}): Promise<readonly string[]> {
    const now = await look(this.#host);
    const names = new Set([...Object.keys(this.#before), ...Object.keys(now)]);
    return [...names].filter((each) => {
      const [before = "", after = ""] = [this.#before[each], now[each]];
      if (restarted && each === "tasks") return false;
      return restarted && each === "data" ? !after.startsWith(before) : after !== before;
    });
  }
}

async function putIntoSwarm(host: Host): Promise<void> {
  const docker = async (...args: readonly string[]): Promise<unknown> =>
    await host.exec(["docker", ...args], { input: `what ${name} keeps to itself` });
  await docker("secret", "create", name, "-");
  await docker("config", "create", name, "-");
  await docker("network", "create", "--driver=overlay", "--attachable", name);
  await docker(
    ...["service", "create", "--detach", "--no-resolve-image", `--name=${name}`],
    ...[`--network=${name}`, "--endpoint-mode=dnsrr", `--secret=${name}`, `--config=${name}`],
    ...[`--mount=type=volume,source=${name},target=/data`, "--stop-grace-period=1s"],
    ...["busybox:1.37.0", "sh", "-c", "echo seen >>/data/file; trap exit TERM; sleep 99999 & wait"],
  );
  await running(host);
}

async function running(host: Host): Promise<void> {
  await until("the witness service", 60, async () =>
    (await tasks(host)).includes("running") ? true : undefined,
  );
}

async function look(host: Host): Promise<Readonly<Record<string, string>>> {
  const versions = Object.entries(await host.docker.versions());
  const isThere = versions.some(([key]) => key === `services ${name}`);
  return {
    ...Object.fromEntries(versions.filter(([key]) => key.endsWith(` ${name}`))),
    tasks: isThere ? await tasks(host) : "",
    // The service adds a line each time that it starts.
    data: (await host.exec(["cat", dataFile], { mayFail: true })).stdout,
    ...Object.fromEntries(envFiles.map((file) => [file, lookAtFile(host, file)])),
  };
}

function lookAtFile(host: Host, file: string): string {
  const stat = statSync(join(host.machine.root, file), { throwIfNoEntry: false });
  return stat === undefined ? "gone" : `${stat.mtimeMs} ${host.read(file)}`;
}

async function tasks(host: Host): Promise<string> {
  const filter = encodeURIComponent(JSON.stringify({ service: [name] }));
  const found = taskSchema.parse(await host.docker.get(`/tasks?filters=${filter}`));
  return found.map(({ ID, Status }) => `${ID} ${Status.State}`).join("\n");
}
