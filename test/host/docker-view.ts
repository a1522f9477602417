import * as z from "zod";
import { askOn, DockerRefusal } from "../../services/converge/adapters/docker-socket.ts";
import type { Machine } from "./machine/machine.ts";

const eventSchema = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).default({}) }),
});

/** The engine keeps no more; older ones are gone without a word. */
const keptEvents = 256;

/** What happens to what is there; the others (start, health_status, exec_create, …) are its life. */
const mutations = [
  ...["create", "update", "remove", "destroy", "delete", "rename", "prune"],
  ...["import", "load", "pull", "tag", "untag"],
];

const versionedSchema = z.array(
  z.object({
    ID: z.string(),
    Version: z.object({ Index: z.number() }),
    Spec: z.object({ Name: z.string() }),
  }),
);

const swarmSchema = z.object({ ID: z.string(), Version: z.object({ Index: z.number() }) });

/** Looks into the Docker of a host, by its API and never by texts for people. */
export class DockerView {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The answer to a GET, such as `/services`, as data. */
  async get(path: string): Promise<unknown> {
    // Through the machine's own root: no program is started, and hosts that work share few cores.
    const ask = askOn(this.#machine.inside("/run/docker.sock"));
    return JSON.parse(await ask({ method: "GET", path }));
  }

  /** Whether this node is in a swarm that it can look into. */
  async isManager(): Promise<boolean> {
    return (await this.#swarm()) !== undefined;
  }

  /** Undefined where this node is no manager. Asking for /info would start two programs each time. */
  async #swarm(): Promise<z.infer<typeof swarmSchema> | undefined> {
    try {
      return swarmSchema.parse(await this.get("/swarm"));
    } catch (error) {
      if (error instanceof DockerRefusal && error.status === 503) return undefined;
      throw error;
    }
  }

  /**
   * What was created, changed and removed since then, as `service update web_app`, in the swarm and
   * in this engine alone.
   *
   * @param since as from `Date.now()`
   * @throws {Error} when the engine may have forgotten some of it
   */
  async events(since: number): Promise<readonly string[]> {
    const ask = askOn(this.#machine.inside("/run/docker.sock"));
    const query = {
      since: (since / 1000).toFixed(3),
      until: (Date.now() / 1000).toFixed(3),
    };
    const lines = (await ask({ method: "GET", path: "/events", query }))
      .split("\n")
      .filter(Boolean);
    if (lines.length >= keptEvents) {
      throw new Error(`${keptEvents} events, the most that Docker keeps: ask about a shorter time`);
    }
    return lines
      .map((line) => eventSchema.parse(JSON.parse(line)))
      .filter(({ Action }) => mutations.includes(Action))
      .map(({ Type, Action, Actor }) => `${Type} ${Action} ${Actor.Attributes.name ?? Actor.ID}`);
  }

  /**
   * What stands for everything that the swarm and the volumes are, by kind and name: it stays the
   * same as long as nobody writes to them, even without a change.
   */
  async versions(): Promise<Readonly<Record<string, string>>> {
    const versions: Record<string, string> = {};
    const swarm = await this.#swarm();
    if (swarm !== undefined) versions.swarm = `${swarm.ID} ${swarm.Version.Index}`;
    for (const kind of swarm !== undefined ? ["services", "secrets", "configs"] : []) {
      for (const { ID, Version, Spec } of versionedSchema.parse(await this.get(`/${kind}`))) {
        versions[`${kind} ${Spec.Name}`] = `${ID} ${Version.Index}`;
      }
    }
    const networks = z.array(z.object({ Name: z.string(), Id: z.string() }));
    for (const { Name, Id } of networks.parse(await this.get("/networks"))) {
      versions[`networks ${Name}`] = Id;
    }
    const volumes = z.object({
      Volumes: z.array(z.object({ Name: z.string(), CreatedAt: z.string() })).nullable(),
    });
    for (const { Name, CreatedAt } of volumes.parse(await this.get("/volumes")).Volumes ?? []) {
      versions[`volumes ${Name}`] = CreatedAt;
    }
    // The engine lists them in any order.
    return Object.fromEntries(Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
