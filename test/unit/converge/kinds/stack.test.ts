import { describe, expect, test } from "vitest";
import type { AppToDeploy } from "../../../../services/converge/adapters/abra.ts";
import { ComposeFailure, type StackModel } from "../../../../services/converge/adapters/compose.ts";
import { Docker } from "../../../../services/converge/adapters/docker.ts";
import type {
  Network,
  Service,
  Task,
} from "../../../../services/converge/adapters/docker-schemas.ts";
import {
  DockerRefusal,
  DockerSilence,
} from "../../../../services/converge/adapters/docker-socket.ts";
import type { Resource, ResourceOf } from "../../../../services/converge/desired-state.ts";
import type { Phase } from "../../../../services/converge/engine/call.ts";
import { Slots } from "../../../../services/converge/engine/slots.ts";
import type { Context, Steps } from "../../../../services/converge/engine/steps.ts";
import type { World } from "../../../../services/converge/engine/world.ts";
import { stackSteps } from "../../../../services/converge/kinds/stack.ts";
import { contextOf, heardReport } from "../fake-context.ts";
import { fakeClock } from "./fakes.ts";
import { model, modelService, serviceOf, stack, taskOf } from "./stack-parts.ts";

const domain = "web.example.org";
const envPath = "/abra/servers/default/web.example.org.env";
const deployed = "TYPE=web:1.0.0+2.0.0\nDOMAIN=web.example.org\nTOKEN=1\n";

const resource: ResourceOf<"stack"> = {
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
class Scene {
  services: Service[] = [];
  tasks: Task[] = [];
  /** Labels of the config that says that the stack is ours. */
  ownership: Readonly<Record<string, string>> | undefined;
  images = new Set(["web:1.0.0"]);
  networks = ["proxy"];
  secrets: string[] = [];
  env: string | undefined = deployed;
  model: StackModel | (() => never) = model;
  floor = "1.24";
  pull: () => string = () => "";
  isCloned = true;
  /** What Docker does while time goes on. */
  during: (slept: number) => void = () => undefined;
  readonly deploys: AppToDeploy[] = [];
  readonly report = heardReport();
  readonly slots = new Slots({ "recipe-version": "1.0.0+2.0.0", "token-version": "1" });
  readonly clock = fakeClock(new Date("2026-01-01T00:00:01Z"), (slept) => this.during(slept));

  steps(parts: Partial<Context> = {}, changed: Partial<typeof resource> = {}): Steps {
    const context = contextOf({
      ...{ piece: "web", resources, slots: this.slots, report: this.report, ...parts },
      world: { ...this.#world(), docker: new Docker(async (request) => this.#ask(request)) },
    });
    return stackSteps({ ...resource, ...changed }, context);
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
      tags: async () => ["1.0.0+2.0.0"],
      commitOfTag: async () => "0".repeat(40),
      isWhole: async () => true,
    };
    const files = {
      read: async (path: string) => {
        if (path === envPath) return this.env === undefined ? undefined : Buffer.from(this.env);
        const text = deployed.replace("1.0.0+2.0.0", "@slot:recipe-version@");
        return Buffer.from(text.replace("TOKEN=1", "TOKEN=@slot:token-version@"));
      },
      write: async (_: string, text: string) => {
        this.env = text;
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
    return { git, files, compose, abra, clock: this.clock } as unknown as Partial<World>;
  }

  #ask({ method, path, body }: { method: string; path: string; body?: unknown }): string {
    const json = (value: unknown) => JSON.stringify(value);
    const named = (Name: string, Labels = {}) => {
      return {
        ID: `id-${Name}`,
        Version: { Index: 1 },
        UpdatedAt: "2026-01-01T00:00:01Z",
        Spec: { Name, Labels },
      };
    };
    if (path === "/images/create") return this.pull();
    if (path.startsWith("/images/")) {
      if (this.images.has(decodeURIComponent(path.split("/")[2] ?? ""))) return "{}";
      throw new DockerRefusal(404, "No such image");
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
      "/configs": () =>
        this.ownership === undefined ? [] : [named(`${stack}_cc-ci`, this.ownership)],
      "/secrets": () => this.secrets.map((name) => named(name)),
      "/networks": () =>
        this.networks.map((Name): Partial<Network> => {
          return { Id: `id-${Name}`, Name, Driver: "overlay", Scope: "swarm" };
        }),
      "/containers/json": () => [{ Id: "container-1", Names: ["/x"], Labels: {}, Ports: [] }],
      "/version": () => ({ Version: "26.1.5", MinAPIVersion: this.floor }),
    };
    return json(answers[path]?.());
  }
}

const shown = async (steps: Steps, phase?: Phase) =>
  (await steps.plan())
    .filter((call) => phase === undefined || call.phase === phase)
    .map(({ verb, target }) => `${verb} ${target}`);

async function perform(steps: Steps, phase: Phase): Promise<void> {
  for (const call of await steps.plan()) if (call.phase === phase) await call.perform();
}

async function converge(steps: Steps): Promise<void> {
  await steps.require?.();
  await perform(steps, "prepare");
  await perform(steps, "apply");
  await steps.verify?.();
  await perform(steps, "seal");
}

const lineOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { readonly line: { readonly id: string; readonly as: string; text: string } })
    .line;
};

describe("a stack", () => {
  test("is deployed, seen to work and sealed, and then there is nothing to do", async () => {
    const scene = new Scene();
    const foreseen = ["config create web_example_org_cc-ci", `app deploy ${domain}`];
    expect(await shown(scene.steps())).toEqual([
      ...foreseen,
      `service seal ${stack}_app`,
      `config mark ${stack}_cc-ci`,
    ]);
    await converge(scene.steps());
    expect(scene.deploys).toEqual([{ domain, release: "1.0.0+2.0.0", directory: "/abra" }]);
    expect(await shown(scene.steps())).toEqual([]);
    await scene.steps().verify?.();
  });

  test("at a commit is deployed as its files lie there", async () => {
    const scene = new Scene();
    await converge(scene.steps({}, { chaos: true }));
    expect(scene.deploys).toEqual([{ domain, release: undefined, directory: "/abra" }]);
  });

  test("has abra's line put right before a deploy, when the rest of the .env is right", async () => {
    const scene = new Scene();
    scene.env = deployed.replace("1.0.0+2.0.0", "0123abcd+U");
    expect(await shown(scene.steps(), "apply")).toContain(`env write ${envPath}`);
    await converge(scene.steps());
    expect(scene.env).toBe(deployed);
    scene.env = deployed.replace("1.0.0", "0.9.0").replace("TOKEN=1", "TOKEN=2");
    scene.services = [];
    expect(await shown(scene.steps(), "apply")).not.toContain(`env write ${envPath}`);
  });

  test("of which the recipe is not here yet is foreseen with open targets", async () => {
    const scene = new Scene();
    scene.isCloned = false;
    expect(await shown(scene.steps({ mayWait: false }))).toEqual([
      "image pull *",
      `config create ${stack}_cc-ci`,
      `app deploy ${domain}`,
      "service seal *",
      "config mark *",
    ]);
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id: "stack-recipe-gone" });
  });

  test("of which a secret's version is not known is not touched without it", async () => {
    const scene = new Scene();
    scene.slots.clear("token-version");
    expect(await shown(scene.steps(), "prepare")).toEqual(["image pull *"]);
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id: "slot-unfilled" });
    expect(scene.deploys).toEqual([]);
  });

  test("loses what the recipe does not name, once the rest was seen to work", async () => {
    const scene = new Scene();
    scene.ownership = { "cc-ci.managed": "cc-ci" };
    scene.services = [serviceOf({ ID: "id-old", spec: { Name: `${stack}_old` } })];
    scene.deploy = () => scene.services.push(serviceOf()) && scene.tasks.push(taskOf());
    await converge(scene.steps());
    expect(scene.services.map(({ Spec }) => Spec.Name)).toEqual([`${stack}_app`]);
  });
});

describe("nothing is deployed, and all stays as it is,", () => {
  test.for<[string, (scene: Scene) => void, string, string]>([
    [
      "a secret is missing",
      (scene) => {
        scene.model = needing({ secrets: ["x_y_1"] });
      },
      "failed",
      "stack-needs",
    ],
    [
      "a network is missing",
      (scene) => {
        scene.networks = [];
      },
      "failed",
      "stack-needs",
    ],
    [
      "the recipe makes no stack",
      (scene) => {
        scene.model = () => {
          throw new ComposeFailure("a\nservices.app.image must be a string");
        };
      },
      "failed",
      "stack-unreadable",
    ],
    [
      "Traefik is too old for this Docker",
      (scene) => {
        scene.floor = "1.44";
        scene.model = { ...model, services: [{ ...modelService, image: "traefik:v3.5.0" }] };
      },
      "refused",
      "traefik-too-old",
    ],
    [
      "somebody else deployed it",
      (scene) => scene.services.push(serviceOf()),
      "refused",
      "stack-foreign",
    ],
    [
      "an image is not given out",
      (scene) => notPulled(scene, new DockerRefusal(404, "manifest unknown")),
      "failed",
      "image-not-given",
    ],
    [
      "a registry cannot be asked",
      (scene) => notPulled(scene, new DockerRefusal(500, "dial tcp: lookup a.b: no such host")),
      "pending",
      "image-not-reached",
    ],
    [
      "a pull takes too long",
      (scene) => notPulled(scene, new DockerSilence("no answer within 900 s")),
      "pending",
      "image-not-reached",
    ],
    [
      "the disk is full",
      (scene) => notPulled(scene, new DockerRefusal(500, "write /x: no space left on device")),
      "failed",
      "disk-full",
    ],
  ])("when %s", async ([, spoil, as, id]) => {
    const scene = new Scene();
    spoil(scene);
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id, as });
    expect([scene.deploys, scene.ownership]).toEqual([[], undefined]);
  });

  test("but in a plan, where an earlier piece would make the network", async () => {
    const scene = new Scene();
    scene.networks = [];
    const foreseen = new Set(["network create proxy"]);
    expect(await shown(scene.steps({ foreseen }), "apply")).toContain(`app deploy ${domain}`);
  });

  function needing(external: { readonly secrets: readonly string[] }): StackModel {
    return { ...model, external: { ...model.external, ...external } };
  }

  function notPulled(scene: Scene, error: Error): void {
    scene.images.clear();
    scene.pull = () => {
      throw error;
    };
  }
});

describe("a deploy", () => {
  const state = (State: string) => ({
    UpdateStatus: { State, Message: "", StartedAt: "2026-01-01T00:00:02Z" },
  });
  const failed = taskOf({
    ...{ ID: "task-0", DesiredState: "shutdown", CreatedAt: "2026-01-01T00:00:02Z" },
    status: { State: "failed", Err: "task: non-zero exit (3)" },
  });

  test("is looked at only when Docker may say that its update goes on", async () => {
    const scene = new Scene();
    // At first the tasks of before are all that there is, and they have run for long.
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [taskOf({ status: { Timestamp: "2025-01-01T00:00:00Z" } })];
    };
    scene.during = () => {
      scene.services = [serviceOf(state("rollback_started"))];
      scene.tasks = [taskOf(), failed];
    };
    const { id, text } = await lineOf(converge(scene.steps()));
    expect(id).toBe("service-rolled-back");
    expect(text).toContain("web_example_org_app back");
    expect(text).toContain("(task: non-zero exit (3))");
  });

  test.for([
    ["paused", "service-update-paused"],
    ["rollback_completed", "service-rolled-back"],
  ] as const)("that ended %s fails at once", async ([ending, id]) => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf(state(ending))];
      scene.tasks = [failed];
    };
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id, as: "failed" });
    expect(scene.clock.monotonic()).toBe(1);
  });

  test.for(["paused", "rollback_completed"])(
    "that ended %s is not done again until another state is wanted",
    async (ending) => {
      // given
      const scene = new Scene();
      scene.deploy = () => {
        scene.services = [serviceOf(state(ending))];
        scene.tasks = [failed];
      };
      const first = await lineOf(converge(scene.steps()));
      // when the same is wanted again, then it is told again and nothing is done
      const second = await lineOf(scene.steps().plan());
      expect([second.id, scene.deploys.length]).toEqual([first.id, 1]);
      // when another release is wanted
      scene.slots.fill("token-version", "2");
      scene.secrets = ["web_example_org_token_1", "web_example_org_token_2"];
      expect(await shown(scene.steps(), "apply")).toContain("app deploy web.example.org");
    },
  );

  test("that did something else fails at once", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf({ container: { Image: "web:0.9.0" } })];
    };
    const line = await lineOf(converge(scene.steps()));
    expect(line).toMatchObject({ id: "service-differs" });
    expect(line.text).toContain("its image is web:0.9.0 instead of web:1.0.0");
  });

  test("that does not come up fails at its bound, with the words of its tasks", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [failed, taskOf({ status: { State: "starting" } })];
    };
    const line = await lineOf(converge(scene.steps()));
    expect(line).toMatchObject({ id: "service-not-up", as: "failed" });
    expect(line.text).toContain(
      "not up after 300 s: 0 of 1 tasks run (starting) (task: non-zero exit (3))",
    );
    expect(scene.clock.monotonic()).toBe(305);
    expect(scene.report.heard).toContain(`waits: ${stack}_app: 0 of 1 tasks run (starting)`);
  });

  test("is stable once the same tasks have run for long enough, and no sooner", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [taskOf({ status: { Timestamp: "2026-01-01T00:00:01Z" } })];
    };
    await converge(scene.steps());
    expect(scene.clock.monotonic()).toBe(5);
  });

  test("is stable also where the clock says that its tasks start tomorrow", async () => {
    const scene = new Scene();
    scene.deploy = () => {
      scene.services = [serviceOf()];
      scene.tasks = [taskOf({ status: { Timestamp: "2026-01-02T00:00:00Z" } })];
    };
    await converge(scene.steps());
    expect(scene.clock.monotonic()).toBe(6);
  });

  test("that somebody changed after it was seen to work is not sealed", async () => {
    const scene = new Scene();
    const steps = scene.steps();
    await perform(steps, "apply");
    await steps.verify?.();
    scene.services = [{ ...serviceOf(), Version: { Index: 9 } }];
    expect(await lineOf(perform(steps, "seal"))).toMatchObject({ id: "service-changed-meanwhile" });
  });
});
