import { describe, expect, test } from "vitest";
import type { Service } from "../../../../services/converge/adapters/docker-schemas.ts";
import type { StackModel } from "../../../../services/converge/adapters/stack-model.ts";
import type { Call, Phase } from "../../../../services/converge/engine/call.ts";
import {
  brokenUpdate,
  type Manner,
  planStack,
  type StackSight,
  type StackWork,
} from "../../../../services/converge/kinds/stack/plan.ts";
import {
  refuseForeign,
  refuseTakenPort,
} from "../../../../services/converge/kinds/stack/refusals.ts";
import { model, modelService, sealed, serviceOf, stack } from "./stack-parts.ts";

const digest = "d".repeat(32);
const well = sealed(digest, serviceOf());

const manner: Manner = {
  ...{ stack, deploy: "app deploy", target: "web.example.org", getImage: "image pull" },
};

const since = "2026-01-01T00:00:00Z";
const worksAlready = { tried: undefined, works: digest, since };

const sight: StackSight = {
  ...{ services: [well], ownership: worksAlready, wanted: { model, digest } },
  missingImages: [],
  ...{
    isAiling: false,
    lostPort: undefined,
    networks: new Map([["proxy", "id-proxy"]]),
  },
  ...{ before: [], superseded: [], isDeployed: false },
};

const nothing = async () => undefined;
const work: StackWork = {
  ...{ getImage: nothing, own: nothing, noteTried: nothing, noteWorks: nothing },
  ...{ deploy: nothing, seal: nothing, remove: nothing, restartDocker: nothing },
};

const plan = (parts: Partial<StackSight>) => planStack(manner, { ...sight, ...parts }, work);
const shown = (parts: Partial<StackSight>, phase?: Phase) =>
  plan(parts)
    .filter((call) => phase === undefined || call.phase === phase)
    .map(({ verb, target }) => `${verb} ${target}`);
const why = (parts: Partial<StackSight>) =>
  plan(parts).find(({ verb }) => verb === "app deploy")?.why;

const envWrite: Call = {
  ...{ phase: "apply", verb: "env write", target: "/abra/web.env" },
  ...{ why: "abra has put another version into it", perform: nothing },
};
const deploy = "app deploy web.example.org";
const seal = `service seal ${stack}_app`;
const mark = `config mark ${stack}_cc-ci`;

describe("a stack", () => {
  test("that was seen to work, and that nobody touched since, is left alone", () => {
    expect(shown({})).toEqual([]);
    expect(shown({ before: [envWrite], missingImages: ["web:1.0.0"] })).toEqual([]);
  });

  test.for<[string, Partial<StackSight>, string]>([
    ["it is not there", { services: [] }, `${stack}_app is not there`],
    ["it has no seal", { services: [serviceOf()] }, "was deployed and not yet seen to work"],
    ["somebody changed it", { services: [scaled(well)] }, "was changed by hand"],
    [
      "its update was taken back",
      {
        services: [
          { ...well, UpdateStatus: { State: "rollback_completed", Message: "", StartedAt: since } },
        ],
      },
      "its last update is rollback_completed",
    ],
    [
      "its update stopped half-way",
      { services: [{ ...well, UpdateStatus: { State: "paused", Message: "", StartedAt: since } }] },
      "its last update is paused",
    ],
    [
      "its network was made anew",
      { networks: new Map([["proxy", "id-new"]]) },
      "the network proxy is not the one that it is on",
    ],
    [
      "its network is gone",
      { networks: new Map() },
      "the network proxy is not the one that it is on",
    ],
  ])("is deployed and sealed when %s", ([, parts, reason]) => {
    expect(shown(parts)).toEqual([deploy, seal]);
    expect(why(parts)).toContain(reason);
  });

  test("is deployed when another state is wanted, which is noted first", () => {
    const parts = { wanted: { model, digest: "e".repeat(32) } };
    expect(shown(parts)).toEqual([mark, deploy, seal, mark]);
    const tried = { ...worksAlready, tried: "e".repeat(32), works: undefined };
    expect(shown({ ...parts, ownership: tried })).toEqual([deploy, seal, mark]);
    expect(why(parts)).toContain("was deployed from other files or settings");
  });

  test.each(["paused", "rollback_completed", "rollback_paused", "rollback_started"])(
    "is not deployed again as it was when its update is %s, unless it worked before",
    (State) => {
      const update = (StartedAt: string) => ({ UpdateStatus: { State, Message: "", StartedAt } });
      const broken = { ...well, ...update("2026-01-01T00:00:01Z") };
      const seen = { ...sight, ownership: { tried: digest, works: undefined, since } };
      const found = (parts: Partial<StackSight>) => brokenUpdate(stack, { ...seen, ...parts });
      expect(found({ services: [broken] })).toBe(broken);
      // An update of before what was noted is one to another state.
      expect(found({ services: [{ ...well, ...update("2025-12-31T23:59:59Z") }] })).toBeUndefined();
      // A service that the recipe does not name any more is going to be removed.
      const left = { ...broken, Spec: { ...broken.Spec, Name: `${stack}_old` } };
      expect(found({ services: [well, left] })).toBeUndefined();
      expect(found({ services: [broken], ownership: worksAlready })).toBeUndefined();
      expect(found({ services: [broken], wanted: undefined })).toBeUndefined();
    },
  );

  test("is ours before there is any of it, and has its images and its .env", () => {
    const parts = { services: [], ownership: undefined, missingImages: ["web:1.0.0"] } as const;
    expect(shown({ ...parts, before: [envWrite] })).toEqual([
      "image pull web:1.0.0",
      `config create ${stack}_cc-ci`,
      "env write /abra/web.env",
      deploy,
      seal,
      mark,
    ]);
  });

  test("has its images got again when a task of it could not start", () => {
    const missingImages = ["web:1.0.0"];
    expect(shown({ missingImages, isAiling: true })).toEqual(["image pull web:1.0.0"]);
  });

  test("loses the services that its recipe does not name any more", () => {
    const left = serviceOf({ ID: "id-old", spec: { Name: `${stack}_old` } });
    expect(shown({ services: [well, left] })).toEqual([`service remove ${stack}_old`]);
    expect(shown({ services: [left] })).toEqual([deploy, seal, `service remove ${stack}_old`]);
  });

  test("is sealed service by service, those that are not yet", () => {
    const two: StackModel = {
      ...model,
      services: [modelService, { ...modelService, name: "worker" }],
    };
    const worker = serviceOf({ ID: "id-worker", spec: { Name: `${stack}_worker` } });
    const parts = { wanted: { model: two, digest }, services: [well, worker] };
    expect(shown(parts, "seal")).toEqual([seal, `service seal ${stack}_worker`]);
    expect(shown({ ...parts, isDeployed: true }, "seal")).toEqual([`service seal ${stack}_worker`]);
  });

  test("of which not all is known yet has calls whose targets are open", () => {
    const unknown = { wanted: undefined, before: [{ ...envWrite, target: "*" }] };
    const open = ["image pull *", "config mark *", "env write *", "app deploy *", "service seal *"];
    expect(shown(unknown)).toEqual([...open, "service remove *", "config mark *"]);
    const fresh = { wanted: undefined, services: [], ownership: undefined };
    expect(shown(fresh)).toEqual([
      "image pull *",
      `config create ${stack}_cc-ci`,
      deploy,
      "service seal *",
      "config mark *",
    ]);
  });
});

describe("a person decides", () => {
  const ours = { stack, host: "cc-ci", piece: "web" };
  const ownership = (owner: string) => ({
    ...{ ID: "c", Version: { Index: 1 }, CreatedAt: "", UpdatedAt: "" },
    Spec: { Name: `${stack}_cc-ci`, Labels: { "cc-ci.managed": owner } },
  });

  test("about a stack that somebody else deployed", () => {
    expect(() => refuseForeign(ours, [well], undefined)).toThrow(
      /web_example_org_app\).*"echo cc-ci \| docker config create --label cc-ci\.managed=cc-ci web_example_org_cc-ci -"/,
    );
    expect(() => refuseForeign(ours, [well], ownership("other"))).toThrow(
      /belongs to host 'other'/,
    );
    refuseForeign(ours, [well], ownership("cc-ci"));
    refuseForeign(ours, [], undefined);
  });

  test("about a port that somebody else has", () => {
    const other = (port: number, protocol = "tcp") => ({
      ...serviceOf({ spec: { Name: "other_app", Labels: {} } }),
      Endpoint: { Ports: [{ Protocol: protocol, PublishedPort: port, PublishMode: "host" }] },
    });
    const container = (PublicPort: number, labels = {}) => ({
      ...{ Id: "0123456789abcdef", Names: ["/nginx"], Labels: labels },
      Ports: [{ PublicPort, Type: "tcp" }],
    });
    const own = { "com.docker.stack.namespace": stack };
    expect(() => refuseTakenPort(ours, model, [other(443)], [])).toThrow(
      /port 443\/tcp of this host.* is taken by the service other_app/,
    );
    expect(() => refuseTakenPort(ours, model, [], [container(443)])).toThrow(/the container nginx/);
    refuseTakenPort(ours, model, [other(443, "udp"), other(444)], [container(443, own)]);
  });
});

function scaled(service: Service): Service {
  return { ...service, Spec: { ...service.Spec, Mode: { Replicated: { Replicas: 3 } } } };
}
