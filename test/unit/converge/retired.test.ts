import { describe, expect, test } from "vitest";
import type { Abra } from "../../../services/converge/adapters/abra.ts";
import { type Clock, systemClock } from "../../../services/converge/adapters/clock.ts";
import type {
  Network,
  SealedFile,
  Service,
} from "../../../services/converge/adapters/docker-schemas.ts";
import { DockerRefusal } from "../../../services/converge/adapters/docker-socket.ts";
import type { Files } from "../../../services/converge/adapters/files.ts";
import type { DesiredState, ResourceOf } from "../../../services/converge/desired-state.ts";
import { Gate } from "../../../services/converge/engine/gate.ts";
import { Patience } from "../../../services/converge/engine/patience.ts";
import { apply } from "../../../services/converge/engine/run.ts";
import { Sights } from "../../../services/converge/engine/sights.ts";
import type { RetiredStack } from "../../../services/converge/kinds/retired/stack.ts";
import { type Found, planRetired, retiredSteps } from "../../../services/converge/kinds/retired.ts";
import { contextOf, heardReport } from "./fake-context.ts";
import { fakeClock, fakeDocker } from "./kinds/fakes.ts";

const ours = { "cc-ci.managed": "cc-ci" };

function sealed(name: string, labels: Readonly<Record<string, string>> = ours): SealedFile {
  return {
    ID: `id-${name}`,
    Version: { Index: 1 },
    CreatedAt: "2026-01-01T00:00:00Z",
    UpdatedAt: "2026-01-01T00:00:00Z",
    Spec: { Name: name, Labels: labels },
  };
}

function network(name: string): Network {
  return {
    ...{ Id: `id-${name}`, Name: name, Driver: "overlay", Scope: "swarm" },
    ...{ Attachable: true, Internal: false, Ingress: false },
    ...{ IPAM: { Config: [] }, Options: {}, Labels: ours },
  };
}

function service(
  name: string,
  uses: { readonly secret?: string; readonly network?: string } = {},
): Service {
  const [stack = ""] = name.split("_app");
  return {
    ID: `id-${name}`,
    Version: { Index: 1 },
    Spec: {
      Name: name,
      Labels: { "com.docker.stack.namespace": stack },
      TaskTemplate: {
        ContainerSpec: {
          ...{ Image: "web:1.0.0", Env: [], Labels: {}, Configs: [] },
          Secrets: uses.secret === undefined ? [] : [{ SecretName: uses.secret }],
        },
        Networks: uses.network === undefined ? [] : [{ Target: `id-${uses.network}` }],
      },
      Mode: { Replicated: { Replicas: 1 } },
    },
    Endpoint: null,
    UpdateStatus: null,
  };
}

function stack(name: string, parts: Partial<RetiredStack> = {}): RetiredStack {
  return {
    ...{ name, ownership: sealed(`${name}_cc-ci`) },
    ...{ services: [service(`${name}_app`)], orphans: [], volumes: [] },
    ...{ networks: [], configs: [] },
    app: { domain: name.replaceAll("_", "."), directory: `/apps/${name}` },
    ...parts,
  };
}

function foundOf(parts: Partial<Found> = {}): Found {
  const piece = {
    ...{ name: "wiki", unit: "cc-ci-app-wiki.service", file: "/wiki.json", slots: {} },
    ...{ stacks: ["wiki_ci"], networks: ["proxy"], secrets: ["wiki_ci_key"] },
  };
  return {
    pieces: { version: 1, host: "cc-ci", pieces: [piece] },
    ...{ stacks: [], networks: [], secrets: [], services: [] },
    ...parts,
  };
}

function planned(found: Found): readonly string[] {
  return planRetired(found, contextOf(), new Patience(systemClock, 60)).map(
    ({ phase, verb, target }) => `${phase}: ${verb} ${target}`,
  );
}

describe("what no piece names", () => {
  test("is nothing on a host where all is named", () => {
    const found = foundOf({
      networks: [network("proxy")],
      secrets: [sealed("wiki_ci_key_0123456789ab")],
      services: [service("wiki_ci_app")],
    });
    expect(planned(found)).toEqual([]);
  });

  test("is undeployed by abra, and the sign that it is ours goes last", () => {
    const found = foundOf({
      stacks: [stack("old_ci")],
      secrets: [sealed("old_ci_key_0123456789ab")],
      services: [service("old_ci_app", { secret: "old_ci_key_0123456789ab" })],
    });
    expect(planned(found)).toEqual([
      "apply: app undeploy old_ci",
      "seal: secret remove old_ci_key_0123456789ab",
      "seal: config remove old_ci_cc-ci",
    ]);
  });

  test("is removed service by service where abra no longer knows it", () => {
    const found = foundOf({
      stacks: [
        stack("old_ci", {
          app: undefined,
          networks: [network("old_ci_default")],
          configs: [sealed("old_ci_page_v1", {})],
        }),
      ],
    });
    expect(planned(found)).toEqual([
      // Docker may leave a container of it, which shows only then.
      "seal: container remove *",
      "apply: service remove old_ci_app",
      "seal: network remove old_ci_default",
      "seal: config remove old_ci_page_v1",
      "seal: config remove old_ci_cc-ci",
    ]);
  });

  test("has its rest removed when an undeploy was cut short", () => {
    const rest = { services: [], configs: [sealed("old_ci_page_v1", {})] };
    expect(planned(foundOf({ stacks: [stack("old_ci", rest)] }))).toEqual([
      "seal: config remove old_ci_page_v1",
      "seal: config remove old_ci_cc-ci",
    ]);
  });

  test("leaves no container that a power cut has left over", () => {
    const left = { Id: "1", Names: ["/old_ci_app.1.x"], Labels: {}, Ports: [] };
    const found = foundOf({ stacks: [stack("old_ci", { orphans: [left] })] });
    expect(planned(found)).toEqual([
      "apply: container remove old_ci_app.1.x",
      "apply: app undeploy old_ci",
      "seal: config remove old_ci_cc-ci",
    ]);
    const undeployed = stack("old_ci", { orphans: [left], services: [] });
    expect(planned(foundOf({ stacks: [undeployed] }))).toEqual([
      "seal: container remove old_ci_app.1.x",
      "seal: config remove old_ci_cc-ci",
    ]);
  });

  test("stays while something else uses it", () => {
    const found = foundOf({
      networks: [network("backend")],
      secrets: [sealed("wiki_ci_old_0123456789ab")],
      services: [
        service("wiki_ci_app", { secret: "wiki_ci_old_0123456789ab", network: "backend" }),
      ],
    });
    expect(planned(found)).toEqual([]);
  });

  test("is a secret only when its name ends in a version of ours", () => {
    const found = foundOf({
      secrets: [sealed("hand_made_v1"), sealed("wiki_ci_old_0123456789ab")],
    });
    expect(planned(found)).toEqual(["seal: secret remove wiki_ci_old_0123456789ab"]);
  });
});

describe("the steps", () => {
  const refusal = new DockerRefusal(503, "This node is not a swarm manager.");
  const [pieces, list] = ["/pieces.json", Buffer.from(JSON.stringify(foundOf().pieces))];
  const files = { read: async () => list, list: async () => [] } as unknown as Files;
  const resource: ResourceOf<"retired"> = {
    ...{ kind: "retired", of: "host", piecesFile: pieces },
    ...{ abraDirectories: "/apps", waitSeconds: 60 },
  };

  /** With a swarm that says 503 to all but some questions. */
  function steps(LocalNodeState: string, answers: Readonly<Record<string, unknown>> = {}) {
    const { docker } = fakeDocker({
      ...{ "GET /configs": refusal, "GET /secrets": refusal, "GET /services": refusal },
      ...{ "GET /networks": [], "GET /info": { Swarm: { LocalNodeState } }, ...answers },
    });
    return retiredSteps(resource, contextOf({ world: { docker, files, clock: systemClock } }));
  }

  test("have nothing to do where there is no swarm", async () => {
    const all = steps("inactive");
    expect(await all.plan()).toEqual([]);
    await all.verify?.();
  });

  test("end where the swarm does not answer, and take nothing for gone", async () => {
    await expect(steps("active").plan()).rejects.toBe(refusal);
    const isKnown = { "GET /configs": [sealed("old_ci_cc-ci")] };
    await expect(steps("active", isKnown).verify?.()).rejects.toBe(refusal);
  });

  test("remove nothing while the swarm does not answer, and say so", async () => {
    const secret = sealed("wiki_ci_old_0123456789ab");
    const all = steps("active", {
      ...{ "GET /configs": [], "GET /secrets": [secret], "GET /services": [] },
      [`DELETE /secrets/${secret.ID}`]: refusal,
    });
    const [call] = await all.plan();
    expect(call?.verb).toBe("secret remove");
    await expect(call?.perform()).rejects.toBe(refusal);
  });
});

test("several stacks that go slowly are waited for no longer than one may take", async () => {
  // given: an abra that takes 60 s for each, or as long as it may
  let now = 0;
  const clock: Clock = {
    now: () => new Date(now * 1000),
    monotonic: () => now,
    sleep: async (seconds) => {
      now += seconds;
    },
  };
  const undeploy = async (_domain: string, _directory: string, seconds: number) =>
    await clock.sleep(Math.min(seconds, 60));
  const context = contextOf({ world: { clock, abra: { undeploy } as unknown as Abra } });
  const found = foundOf({ stacks: ["a_ci", "b_ci", "c_ci"].map((name) => stack(name)) });
  const patience = new Patience(clock, 100);
  // when
  for (const call of planRetired(found, context, patience)) {
    if (call.verb === "app undeploy") await call.perform();
  }
  const gone = await patience.waitFor(async () => undefined);
  // then
  // One second for the last of them, which only just began.
  expect([now, gone]).toEqual([101, undefined]);
});

test("a container that is forgotten only while the run waits for it is removed all the same", async () => {
  // given: an undeploy was cut short, and its container ended just now
  const resource: ResourceOf<"retired"> = {
    kind: "retired",
    ...{ of: "host", waitSeconds: 600, piecesFile: "/pieces.json", abraDirectories: "/abra" },
  };
  const clock = fakeClock(new Date("2026-01-01T00:00:05Z"));
  const { docker, asked } = fakeDocker({
    ...{ "GET /services": [], "GET /secrets": [], "GET /networks": [] },
    "GET /configs": [sealed("old_cc-ci")],
    "GET /volumes": { Volumes: [] },
    "GET /containers/json": [
      { Id: "c1", Names: ["/c1"], Labels: { "com.docker.swarm.task.id": "t1" }, Ports: [] },
    ],
    "GET /containers/c1/json": { State: { Running: false, FinishedAt: "2026-01-01T00:00:00Z" } },
    ...{ "DELETE /configs/id-old_cc-ci": {}, "DELETE /containers/c1": {} },
  });
  const files = {
    read: async () => Buffer.from('{ "version": 1, "host": "cc-ci", "pieces": [] }'),
    list: async () => [],
  } as unknown as Files;
  const context = contextOf({ sights: new Sights(), world: { docker, clock, files } });
  const state: DesiredState = {
    ...{ version: 1, host: "cc-ci", piece: "retire", resources: [resource] },
  };

  // when
  const gate = new Gate(heardReport(), undefined);
  await apply(state, context, () => retiredSteps(resource, context), gate);

  // then
  const removed = asked.filter(({ method }) => method === "DELETE").map(({ path }) => path);
  expect(removed).toEqual(["/containers/c1", "/configs/id-old_cc-ci"]);
});
