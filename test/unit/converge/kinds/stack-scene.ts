import type { AppToDeploy } from "../../../../services/converge/adapters/abra.ts";
import { Docker } from "../../../../services/converge/adapters/docker.ts";
import type {
  Container,
  Network,
  Service,
  Task,
} from "../../../../services/converge/adapters/docker-schemas.ts";
import {
  DockerRefusal,
  type DockerRequest,
} from "../../../../services/converge/adapters/docker-socket.ts";
import type { StackModel } from "../../../../services/converge/adapters/stack-model.ts";
import type { Resource, ResourceOf } from "../../../../services/converge/desired-state.ts";
import type { Phase } from "../../../../services/converge/engine/call.ts";
import { Slots } from "../../../../services/converge/engine/slots.ts";
import type { Context, Steps } from "../../../../services/converge/engine/steps.ts";
import type { World } from "../../../../services/converge/engine/world.ts";
import { stackSteps } from "../../../../services/converge/kinds/stack.ts";
import { contextOf, heardReport } from "../fake-context.ts";
import { fakeClock } from "./fakes.ts";
import { model, serviceOf, stack, taskOf } from "./stack-parts.ts";

export const domain = "web.example.org";
export const envPath = "/abra/servers/default/web.example.org.env";
export const deployed = "TYPE=web:1.0.0+2.0.0\nDOMAIN=web.example.org\nTOKEN=1\n";

export const resource: ResourceOf<"stack"> = {
  ...{ kind: "stack", stack, domain, recipe: "web", chaos: false },
  ...{ version: { slot: "recipe-version" }, abraDirectory: "/abra", composeFiles: ["compose.yml"] },
  ...{ networks: ["proxy"], registryCredentials: null },
  ...{ pullSeconds: 900, deploySeconds: 300, stableSeconds: 5 },
};

const resources: readonly Resource[] = [
  {
    ...{ kind: "secret", stack, name: "token", file: "/token", version: { slot: "token-version" } },
    versionOf: { what: "name-and-content" },
  },
  {
    ...{ kind: "checkout", recipe: "web", repository: "https://git.example.org/web.git" },
    ...{ directory: "/abra/recipes/web", revision: { release: "1.0.0" } },
    ...{ version: { slot: "recipe-version" }, fetchSeconds: 60 },
  },
  { kind: "env", path: envPath, content: "/template.env" },
  resource,
];

/** What of Docker, abra and files a case may set; all is as before a first deploy. */
export class Scene {
  services: Service[] = [];
  tasks: Task[] = [];
  /** Others than that of the running task. */
  containers: Container[] = [];
  /** Names of further swarm configs that belong to the stack. */
  configs: string[] = [];
  /** Labels of the config that says that the stack is ours. */
  ownership: Readonly<Record<string, string>> | undefined;
  images = new Set(["web:1.0.0"]);
  networks = ["proxy"];
  secrets: string[] = [];
  env: string | undefined = deployed;
  model: StackModel | (() => never) = model;
  floor = "1.24";
  pull: (request: DockerRequest) => string = () => "";
  isCloned = true;
  /** When the daemon was started. */
  dockerStart = new Date("2026-01-01T00:00:00Z");
  /** The daemon that is noted in the state folder. */
  notedDaemon: string | undefined;
  /** Whether nothing can be written. */
  isFull = false;
  readonly restarted: string[] = [];
  /** Units of test runs. */
  runs: readonly string[] = [];
  /** What systemd says against a restart. */
  restartFailure = "";
  /** What Docker does while time goes on. */
  during: (slept: number) => void = () => undefined;
  readonly deploys: AppToDeploy[] = [];
  readonly report = heardReport();
  readonly slots = new Slots({ "recipe-version": "1.0.0+2.0.0", "token-version": "1" });
  readonly clock = fakeClock(new Date("2026-01-01T00:00:01Z"), (slept) => this.during(slept));

  steps(parts: Partial<Context> = {}, changed: Partial<typeof resource> = {}): Steps {
    return stackSteps({ ...resource, ...changed }, this.context(parts));
  }

  context(parts: Partial<Context> = {}): Context {
    return contextOf({
      ...{ piece: "web", resources, slots: this.slots, report: this.report, ...parts },
      world: { ...this.#world(), docker: new Docker(async (request) => this.#ask(request)) },
    });
  }

  /** What a deploy does when all goes well. */
  deploy(): void {
    this.services = [serviceOf()];
    this.tasks = [taskOf()];
  }

  #world(): Partial<World> {
    const git = {
      isClone: async () => this.isCloned,
      origin: async () => "https://git.example.org/web.git",
      tags: async () => new Map([["1.0.0+2.0.0", "0".repeat(40)]]),
      isWhole: async () => true,
    };
    const files = {
      exists: async () => false,
      read: async (path: string) => {
        if (path === envPath) return this.env === undefined ? undefined : Buffer.from(this.env);
        if (path.endsWith("/docker-restarted")) {
          return this.notedDaemon === undefined ? undefined : Buffer.from(this.notedDaemon);
        }
        const text = deployed.replace("1.0.0+2.0.0", "@slot:recipe-version@");
        return Buffer.from(text.replace("TOKEN=1", "TOKEN=@slot:token-version@"));
      },
      remove: async () => {
        this.notedDaemon = undefined;
      },
      write: async (path: string, text: string) => {
        if (this.isFull) throw new Error("ENOSPC");
        if (path.endsWith("/docker-restarted")) this.notedDaemon = text;
        else this.env = text;
      },
    };
    const compose = {
      render: async () => (typeof this.model === "function" ? this.model() : this.model),
    };
    const abra = {
      deploy: async (app: AppToDeploy) => {
        this.deploys.push(app);
        this.deploy();
      },
    };
    const systemd = {
      startOf: async () => this.dockerStart,
      matching: async () => this.runs,
      restart: async (unit: string) => {
        this.restarted.push(unit);
        if (this.restartFailure === "") {
          this.dockerStart = new Date(this.dockerStart.getTime() + 1000);
        }
        return this.restartFailure;
      },
    };
    const { clock } = this;
    return { git, files, compose, abra, systemd, clock } as unknown as Partial<World>;
  }

  #ask(request: DockerRequest): string {
    const { method, path, body } = request;
    const json = (value: unknown) => JSON.stringify(value);
    const named = (Name: string, Labels = {}) => {
      return {
        ID: `id-${Name}`,
        Version: { Index: 1 },
        UpdatedAt: "2026-01-01T00:00:01Z",
        Spec: { Name, Labels },
      };
    };
    if (path === "/images/create") return this.pull(request);
    if (path === "/images/json") {
      return json([...this.images].map((name) => ({ RepoTags: [name] })));
    }
    if (path.startsWith("/images/") && method === "DELETE") {
      this.images.delete(decodeURIComponent(path.split("/")[2] ?? ""));
      return "[]";
    }
    if (path.startsWith("/images/")) {
      if (this.images.has(decodeURIComponent(path.split("/")[2] ?? ""))) return "{}";
      throw new DockerRefusal(404, "No such image");
    }
    if (method === "DELETE" && path.startsWith("/configs/")) {
      this.configs = this.configs.filter((name) => path !== `/configs/id-${name}`);
      return "";
    }
    if (path === "/configs/create" || path.startsWith("/configs/id-")) {
      this.ownership = (body as { Labels: Readonly<Record<string, string>> }).Labels;
      return "{}";
    }
    const update = /^\/services\/(.*)\/update$/.exec(path);
    if (method === "POST" && update !== null) {
      this.services = this.services.map((service) =>
        service.ID === update[1]
          ? { ...service, Spec: body as Service["Spec"], Version: { Index: 8 } }
          : service,
      );
      return "{}";
    }
    if (method === "DELETE") {
      this.services = this.services.filter(({ ID }) => path !== `/services/${ID}`);
      return "";
    }
    const answers: Readonly<Record<string, () => unknown>> = {
      "/services": () => this.services,
      "/tasks": () => this.tasks,
      "/configs": () => [
        ...(this.ownership === undefined ? [] : [named(`${stack}_cc-ci`, this.ownership)]),
        ...this.configs.map((name) => named(name, { "com.docker.stack.namespace": stack })),
      ],
      "/secrets": () => this.secrets.map((name) => named(name)),
      "/networks": () =>
        this.networks.map((Name): Partial<Network> => {
          return { Id: `id-${Name}`, Name, Driver: "overlay", Scope: "swarm" };
        }),
      "/containers/json": () => [
        { Id: "container-1", Names: ["/x"], Labels: {}, Ports: [] },
        ...this.containers,
      ],
      "/swarm": () => ({
        ...{ ID: "swarm-1", Version: { Index: 1 } },
        Spec: { CAConfig: { NodeCertExpiry: 1 } },
      }),
      "/version": () => ({ Version: "26.1.5", MinAPIVersion: this.floor }),
    };
    return json(answers[path]?.());
  }
}

export const shown = async (steps: Steps, phase?: Phase) =>
  (await steps.plan())
    .filter((call) => phase === undefined || call.phase === phase)
    .map(({ verb, target }) => `${verb} ${target}`);

export async function perform(steps: Steps, phase: Phase): Promise<void> {
  for (const call of await steps.plan()) if (call.phase === phase) await call.perform();
}

export async function converge(steps: Steps): Promise<void> {
  await steps.require?.();
  await perform(steps, "prepare");
  await perform(steps, "apply");
  await steps.verify?.();
  await perform(steps, "seal");
}

export const lineOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { readonly line: { readonly id: string; readonly as: string; text: string } })
    .line;
};
