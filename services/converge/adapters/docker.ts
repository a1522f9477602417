import * as z from "zod";
import {
  type Cluster,
  type Container,
  type ContainerState,
  clusterSchema,
  containerListSchema,
  containerStateSchema,
  type Info,
  imageSchema,
  infoSchema,
  type Network,
  type Node,
  networkSchema,
  nodeSchema,
  type SealedFile,
  type Service,
  sealedFileSchema,
  serviceSchema,
  type Task,
  taskSchema,
  versionSchema,
  volumeListSchema,
} from "./docker-schemas.ts";
import { type Ask, askOn, DockerRefusal, DockerSilence, dockerSocket } from "./docker-socket.ts";

export interface SwarmToMake {
  readonly advertiseAddress: string;
  readonly listenAddress: string;
  readonly addressPools: readonly string[];
  readonly subnetSize: number;
  readonly nodeCertificateSeconds: number;
}

export interface NetworkToMake {
  readonly name: string;
  readonly driver: string;
  readonly attachable: boolean;
  readonly internal: boolean;
  readonly subnet: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The kinds of Docker object whose content cannot be read back. */
type SealedKind = "secrets" | "configs";

const nanoseconds = 1_000_000_000;

/** Label that `docker stack deploy` puts on all that belongs to a stack. */
export const stackLabel = "com.docker.stack.namespace";

/** Label that Docker puts on the container of a task: the name of its service. */
export const serviceLabel = "com.docker.swarm.service.name";

/**
 * The Engine API of this machine's daemon, as far as converge needs it. It decides nothing. What is
 * not there is undefined or an empty list, a node that is in no swarm has nothing of one; every other
 * no is thrown as `DockerRefusal`, no answer as `DockerSilence`.
 */
export class Docker {
  readonly #ask: Ask;

  constructor(ask: Ask = askOn(dockerSocket)) {
    this.#ask = ask;
  }

  // What is

  async info(): Promise<Info> {
    return await this.#read(infoSchema, "/info");
  }

  async version(): Promise<z.infer<typeof versionSchema>> {
    return await this.#read(versionSchema, "/version");
  }

  /** Undefined where this node is no manager, or none that is ready. */
  async cluster(): Promise<Cluster | undefined> {
    return await unless(503, undefined, () => this.#read(clusterSchema, "/swarm"));
  }

  /** None where this node is no manager, or none that is ready. */
  async nodes(): Promise<readonly Node[]> {
    return await unless(503, [], () => this.#read(z.array(nodeSchema), "/nodes"));
  }

  /**
   * By its exact name; several when a local and a swarm network share it. A manager that is not ready
   * leaves those of the swarm out, and does not say so (moby: getNetworksList in the network router): ask
   * for another list first, which is refused then.
   */
  async networks(name?: string): Promise<readonly Network[]> {
    const filters: Filters = name === undefined ? {} : { name: [name] };
    const found = await this.#list(networkSchema, "/networks", filters);
    return found.filter((network) => name === undefined || network.Name === name);
  }

  async secrets(): Promise<readonly SealedFile[]> {
    return await this.#list(sealedFileSchema, "/secrets");
  }

  async configs(): Promise<readonly SealedFile[]> {
    return await this.#list(sealedFileSchema, "/configs");
  }

  /** Of one stack, or all. */
  async services(stack?: string): Promise<readonly Service[]> {
    const filters: Filters = stack === undefined ? {} : { label: [`${stackLabel}=${stack}`] };
    return await this.#list(serviceSchema, "/services", filters);
  }

  async tasks(serviceId: string): Promise<readonly Task[]> {
    return await this.#list(taskSchema, "/tasks", { service: [serviceId] });
  }

  /** @param id whatever a label holds: what cannot be an id is none */
  async hasTask(id: string): Promise<boolean> {
    return /^[0-9a-z]+$/.test(id) && (await this.#has(`/tasks/${id}`));
  }

  async hasImage(reference: string): Promise<boolean> {
    return await this.#has(`/images/${encodeURIComponent(reference)}/json`);
  }

  /** Names with tags of the images that have this name. */
  async imagesOf(repository: string): Promise<readonly string[]> {
    const filters = JSON.stringify({ reference: [repository] });
    const found = await this.#read(z.array(imageSchema), "/images/json", { filters });
    return found.flatMap(({ RepoTags }) => RepoTags).sort();
  }

  /** Those that run, or with `all` also those that ended. Of one stack, or of every one. */
  async containers(
    options: { readonly stack?: string; readonly all?: boolean } = {},
  ): Promise<readonly Container[]> {
    const { stack, all = false } = options;
    const filters: Filters = stack === undefined ? {} : { label: [`${stackLabel}=${stack}`] };
    return await this.#read(containerListSchema, "/containers/json", {
      all: String(all),
      filters: JSON.stringify(filters),
    });
  }

  /** Undefined where there is none. */
  async containerState(id: string): Promise<ContainerState | undefined> {
    const path = `/containers/${id}/json`;
    return await unless(
      404,
      undefined,
      async () => (await this.#read(containerStateSchema, path)).State,
    );
  }

  /** Names of the volumes of a stack. */
  async volumes(stack: string): Promise<readonly string[]> {
    const filters = JSON.stringify({ label: [`${stackLabel}=${stack}`] });
    const { Volumes } = await this.#read(volumeListSchema, "/volumes", { filters });
    return Volumes.map(({ Name }) => Name).sort();
  }

  // What changes it: called from a call's `perform` alone

  async makeSwarm(swarm: SwarmToMake): Promise<void> {
    await this.#post("/swarm/init", {
      AdvertiseAddr: swarm.advertiseAddress,
      ListenAddr: swarm.listenAddress,
      DefaultAddrPool: swarm.addressPools,
      SubnetSize: swarm.subnetSize,
      Spec: { CAConfig: { NodeCertExpiry: swarm.nodeCertificateSeconds * nanoseconds } },
    });
  }

  async setNodeCertificateLife(cluster: Cluster, seconds: number): Promise<void> {
    const CAConfig = { ...cluster.Spec.CAConfig, NodeCertExpiry: seconds * nanoseconds };
    const query = { version: String(cluster.Version.Index) };
    await this.#post("/swarm/update", { ...cluster.Spec, CAConfig }, query);
  }

  async makeNetwork(network: NetworkToMake): Promise<void> {
    await this.#post("/networks/create", {
      Name: network.name,
      Driver: network.driver,
      Attachable: network.attachable,
      Internal: network.internal,
      IPAM: { Driver: "default", Config: [{ Subnet: network.subnet }] },
      Options: network.options,
      Labels: network.labels,
    });
  }

  async removeNetwork(id: string): Promise<void> {
    await this.#remove(`/networks/${id}`);
  }

  async makeSealed(
    kind: SealedKind,
    name: string,
    content: Buffer,
    labels: Readonly<Record<string, string>>,
  ): Promise<void> {
    const Data = content.toString("base64");
    await this.#post(`/${kind}/create`, { Name: name, Labels: labels, Data });
  }

  async setSealedLabels(
    kind: SealedKind,
    { ID, Version, Spec }: SealedFile,
    labels: Readonly<Record<string, string>>,
  ): Promise<void> {
    const query = { version: String(Version.Index) };
    await this.#post(`/${kind}/${ID}/update`, { ...Spec, Labels: labels }, query);
  }

  async removeSealed(kind: SealedKind, id: string): Promise<void> {
    await this.#remove(`/${kind}/${id}`);
  }

  /** Starts no task: only the labels of the service itself change. */
  async setServiceLabels(
    service: Service,
    labels: Readonly<Record<string, string>>,
  ): Promise<void> {
    const path = `/services/${service.ID}/update`;
    const query = { version: String(service.Version.Index) };
    await this.#post(path, { ...service.Spec, Labels: labels }, query);
  }

  async removeService(id: string): Promise<void> {
    await this.#remove(`/services/${id}`);
  }

  /** Leaves its volumes. One that Docker is removing by itself is removed as well. */
  async removeContainer(id: string): Promise<void> {
    try {
      await this.#remove(`/containers/${id}`);
    } catch (error) {
      if (!(error instanceof DockerRefusal) || !/already in progress/.test(error.message))
        throw error;
    }
  }

  /**
   * @param authentication what `X-Registry-Auth` carries: base64url of JSON, see the Engine API
   * @throws {DockerRefusal} also when the daemon begins well and ends badly
   */
  async pull(reference: string, seconds: number, authentication?: string): Promise<void> {
    const progress = await this.#ask({
      method: "POST",
      path: "/images/create",
      query: { fromImage: reference },
      headers: authentication === undefined ? {} : { "X-Registry-Auth": authentication },
      silenceSeconds: seconds,
      seconds,
    });
    for (const line of progress.split("\n").filter((each) => each.trim() !== "")) {
      const { error } = z.looseObject({ error: z.string().optional() }).parse(JSON.parse(line));
      if (error !== undefined) throw new DockerRefusal(500, error);
    }
  }

  /** Takes this name from an image; what runs of it runs on, and it goes once nothing does. */
  async removeImage(reference: string): Promise<void> {
    await unless(404, undefined, () =>
      this.#ask({
        ...{ method: "DELETE", path: `/images/${encodeURIComponent(reference)}` },
        query: { force: "true", noprune: "true" },
      }),
    );
  }

  async #read<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<z.infer<Schema>> {
    const text = await this.#ask({ method: "GET", path, query });
    return schema.parse(whole(text));
  }

  async #has(path: string): Promise<boolean> {
    return await unless(404, false, async () => {
      await this.#ask({ method: "GET", path });
      return true;
    });
  }

  /** 503 is no empty list: what a manager that is not ready does not show is there all the same. */
  async #list<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    filters: Filters = {},
  ): Promise<readonly z.infer<Schema>[]> {
    const query = { filters: JSON.stringify(filters) };
    try {
      return await unless(404, [], () => this.#read(z.array(schema), path, query));
    } catch (error) {
      if (isRefusal(error, 503) && (await this.#isInNoSwarm())) return [];
      throw error;
    }
  }

  /**
   * By its state: the words of a 503 are the same for a node whose swarm only starts anew or is broken
   * (moby, daemon/cluster: errNoManager in cluster.go, nodeRunner.State in noderunner.go).
   */
  async #isInNoSwarm(): Promise<boolean> {
    return (await this.info()).Swarm.LocalNodeState === "inactive";
  }

  async #post(
    path: string,
    body: unknown,
    query: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.#ask({ method: "POST", path, body, query });
  }

  /** What is gone already is removed as well. */
  async #remove(path: string): Promise<void> {
    await unless(404, undefined, () => this.#ask({ method: "DELETE", path }));
  }
}

type Filters = Readonly<Record<string, readonly string[]>>;

/**
 * Nothing where the daemon says no with that status. 404: there is no such thing. 503: this node is no
 * manager of a swarm, or none that is ready, which is an answer for those alone who wait for one.
 */
async function unless<Value, Nothing>(
  status: 404 | 503,
  nothing: Nothing,
  ask: () => Promise<Value>,
): Promise<Value | Nothing> {
  try {
    return await ask();
  } catch (error) {
    if (isRefusal(error, status)) return nothing;
    throw error;
  }
}

function isRefusal(error: unknown, status: number): boolean {
  return error instanceof DockerRefusal && error.status === status;
}

/** @throws {DockerSilence} for half an answer: that of a daemon that died over it */
function whole(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DockerSilence(text === "" ? "an empty answer" : "an answer that breaks off");
  }
}
