import { describe, expect, test } from "vitest";
import {
  type Cluster,
  clusterSchema,
  type Info,
  infoSchema,
} from "../../../../services/converge/adapters/docker-schemas.ts";
import {
  DockerRefusal,
  DockerSilence,
} from "../../../../services/converge/adapters/docker-socket.ts";
import { Files } from "../../../../services/converge/adapters/files.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { Sights } from "../../../../services/converge/engine/sights.ts";
import type { Context } from "../../../../services/converge/engine/steps.ts";
import {
  planSwarm,
  type SwarmSight,
  swarmSteps,
  swarmWarnings,
} from "../../../../services/converge/kinds/swarm.ts";
import { contextOf, heardReport } from "../fake-context.ts";
import { fakeClock, fakeDocker, sent } from "./fakes.ts";

const resource: ResourceOf<"swarm"> = {
  kind: "swarm",
  advertiseAddress: "127.0.0.1",
  listenAddress: "127.0.0.1",
  addressPools: ["10.64.0.0/12"],
  subnetSize: 24,
  nodeCertificateSeconds: 7_776_000,
  waitSeconds: 60,
};

const file = "/var/lib/cc-ci/state/swarm/cluster-id";

function info(state: string, parts: Partial<Info["Swarm"]> = {}): Info["Swarm"] {
  const isManager = state === "active";
  return infoSchema.parse({
    Swarm: {
      ...{ LocalNodeState: state, ControlAvailable: isManager },
      ...{ NodeID: "node-1", NodeAddr: isManager ? "127.0.0.1" : "", ...parts },
    },
  }).Swarm;
}

function cluster(parts: Readonly<Record<string, unknown>> = {}): Cluster {
  return clusterSchema.parse({
    ...{ ID: "cluster-1", Version: { Index: 10 } },
    ...{ DefaultAddrPool: ["10.64.0.0/12"], SubnetSize: 24 },
    Spec: { Name: "default", CAConfig: { NodeCertExpiry: 7_776_000_000_000_000 } },
    ...parts,
  });
}

const converged: SwarmSight = { swarm: info("active"), cluster: cluster(), recorded: "cluster-1" };

function contextIn(parts: Parameters<typeof contextOf>[0] = {}): Context {
  return contextOf({ piece: "swarm", ...parts });
}

function plan(sight: Partial<SwarmSight>): readonly string[] {
  return planSwarm(resource, { ...converged, ...sight }, contextIn()).map(
    ({ phase, verb, target, why }) => `${phase} ${verb} ${target}: ${why}`,
  );
}

describe("what is done about a swarm", () => {
  test("nothing, when it is as it should be", () => {
    expect(plan({})).toEqual([]);
  });

  test("on a fresh host it is made and noted", () => {
    const sight = { swarm: info("inactive"), cluster: undefined, recorded: undefined };
    expect(plan(sight)).toEqual([
      "apply swarm init 127.0.0.1: this node is in no swarm",
      "apply swarm record *: the swarm is new",
    ]);
  });

  test("one that was never noted, or is another, is noted", () => {
    expect(plan({ recorded: undefined })).toEqual([
      "apply swarm record cluster-1: none is noted so far",
    ]);
    expect(plan({ recorded: "cluster-0" })).toEqual([
      "apply swarm record cluster-1: cluster-0 is noted so far",
    ]);
  });

  test("another life of node certificates is set", () => {
    const Spec = { CAConfig: { NodeCertExpiry: 3_600_000_000_000 } };
    expect(plan({ cluster: cluster({ Spec }) })).toEqual([
      "apply swarm update cluster-1: node certificates live 3600 s and should live 7776000 s",
    ]);
  });
});

describe("a state that a call would make worse stops with one line", () => {
  const none = { cluster: undefined };
  test.each<[string, Partial<SwarmSight>, string, string, string]>([
    ["gone", { swarm: info("inactive") }, "swarm-gone", "refused", `remove ${file}`],
    [
      "a worker",
      { ...none, swarm: info("active", { ControlAvailable: false }) },
      "swarm-worker",
      "refused",
      "no manager of it",
    ],
    ["without a leader", none, "swarm-leaderless", "failed", "no leader"],
    ["pending", { ...none, swarm: info("pending") }, "swarm-pending", "failed", "after 60 s"],
    [
      "broken",
      { ...none, swarm: info("error", { Error: "bad\nraft" }) },
      "swarm-error",
      "refused",
      "broken (bad raft)",
    ],
    [
      "locked",
      { ...none, swarm: info("locked") },
      "swarm-locked",
      "refused",
      "docker swarm unlock",
    ],
    [
      "not told",
      { ...none, swarm: info("") },
      "swarm-state-unknown",
      "failed",
      "(its state is '')",
    ],
    [
      "new to us",
      { ...none, swarm: info("dreaming") },
      "swarm-state-unknown",
      "failed",
      "'dreaming'",
    ],
  ])("%s", (_, sight, id, as, text) => {
    expect(() => plan(sight)).toThrow(
      expect.objectContaining({
        line: { id, as, text: expect.stringContaining(text) },
      }),
    );
  });
});

describe("what only a new swarm could have is warned of", () => {
  test.each<[string, Partial<SwarmSight>, readonly string[]]>([
    ["nothing", {}, []],
    ["another swarm", { recorded: "cluster-0" }, ["swarm-is-another"]],
    [
      "other pools",
      { cluster: cluster({ DefaultAddrPool: ["10.0.0.0/8"] }) },
      ["swarm-pools-differ"],
    ],
    ["another size", { cluster: cluster({ SubnetSize: 25 }) }, ["swarm-pools-differ"]],
    [
      "another address",
      { swarm: info("active", { NodeAddr: "192.0.2.1" }) },
      ["swarm-address-differs"],
    ],
  ])("%s", (_, sight, ids) => {
    const warnings = swarmWarnings(resource, { ...converged, ...sight });
    expect(warnings.map(({ id }) => id)).toEqual(ids);
  });

  test("the pool of a swarm that was made without one is Docker's own", () => {
    const sight = { ...converged, cluster: cluster({ DefaultAddrPool: null }) };
    const [line] = swarmWarnings(resource, sight);
    expect(line?.text).toContain("takes networks from 10.0.0.0/8 in /24 and should from 10.64");
    expect(swarmWarnings({ ...resource, addressPools: ["10.0.0.0/8"] }, sight)).toEqual([]);
  });

  test("the order of pools is none", () => {
    const pools = ["10.96.0.0/12", "10.64.0.0/12"];
    const sight = { ...converged, cluster: cluster({ DefaultAddrPool: pools.toReversed() }) };
    expect(swarmWarnings({ ...resource, addressPools: pools }, sight)).toEqual([]);
  });
});

describe("the steps", () => {
  /** A daemon that answers differently as time goes by: from each second on, what stands there. */
  function daemon(timeline: Readonly<Record<number, () => Info["Swarm"]>>, mayWait = true) {
    let seconds = 0;
    const clock = fakeClock(new Date(0), (slept) => {
      seconds = slept;
    });
    const current = () => {
      const from = Object.keys(timeline)
        .map(Number)
        .filter((start) => start <= seconds);
      return { Swarm: timeline[Math.max(...from)]?.() };
    };
    const files = new Files();
    files.read = async () => Buffer.from("cluster-1\n");
    const { docker } = fakeDocker({
      "GET /info": current,
      "GET /swarm": converged.cluster,
      "GET /nodes": () => [
        {
          ID: "node-1",
          Spec: { Availability: "drain" },
          Status: { State: seconds < 3 ? "down" : "ready" },
        },
      ],
    });
    const report = heardReport();
    const context = contextIn({
      world: { docker, clock, files },
      report,
      mayWait,
    });
    return { steps: swarmSteps(resource, context), report, elapsed: () => seconds };
  }
  const silent = (): never => {
    throw new DockerSilence("connect ENOENT");
  };

  test("wait for a daemon and a swarm that are starting", async () => {
    const { steps, report } = daemon({
      0: silent,
      5: () => info("pending"),
      9: () => info("active", { ControlAvailable: false }),
      12: () => info("active"),
    });
    expect(await steps.plan()).toEqual([]);
    expect([...new Set(report.heard)]).toEqual([
      "waits: Docker does not answer",
      "waits: this node's swarm is 'pending'",
      "waits: this node's swarm has no manager yet",
    ]);
  });

  test("wait no longer in all than the resource says", async () => {
    const { steps, elapsed } = daemon({ 0: () => info("pending") });
    await expect(steps.plan()).rejects.toThrow("'pending' after 60 s");
    await expect(steps.plan()).rejects.toThrow("'pending' after 60 s");
    expect(elapsed()).toBe(60);
  });

  test("of a plan wait for nothing", async () => {
    const { steps, elapsed } = daemon({ 0: silent }, false);
    await expect(steps.plan()).rejects.toThrow(DockerSilence);
    expect(elapsed()).toBe(0);
  });

  test("ask the daemon once who it is, which is dear, when nothing is to be done", async () => {
    const { docker, asked } = fakeDocker({
      "GET /info": { Swarm: info("active") },
      "GET /swarm": converged.cluster,
      "GET /nodes": [
        { ID: "node-1", Spec: { Availability: "active" }, Status: { State: "ready" } },
      ],
    });
    const files = new Files();
    files.read = async () => Buffer.from("cluster-1\n");
    const steps = swarmSteps(
      resource,
      contextIn({ world: { docker, files, clock: fakeClock(new Date(0)) }, sights: new Sights() }),
    );
    expect(await steps.plan()).toEqual([]);
    await steps.verify?.();
    expect(asked.filter(({ path }) => path === "/info")).toHaveLength(1);
  });

  test("verify that the node is ready, and warn when it takes no tasks", async () => {
    const { steps, report, elapsed } = daemon({ 0: () => info("active") });
    await steps.verify?.();
    expect(elapsed()).toBe(3);
    expect(report.warnings.map(({ id }) => id)).toEqual(["swarm-node-drained"]);
  });
});

describe("the calls", () => {
  function performed(answers: Readonly<Record<string, unknown>>, sight: Partial<SwarmSight>) {
    const { docker, asked } = fakeDocker({ "GET /swarm": cluster(), ...answers });
    const written: unknown[] = [];
    const files = new Files();
    files.write = async (...args) => void written.push(args);
    const context = contextIn({ world: { docker, files } });
    const calls = planSwarm(resource, { ...converged, ...sight }, context);
    return { calls, asked, written };
  }

  test("make a swarm as the resource says, and note its id", async () => {
    const sight = { swarm: info("inactive"), cluster: undefined, recorded: undefined };
    const { calls, asked, written } = performed({ "POST /swarm/init": "node-1" }, sight);
    for (const call of calls) await call.perform();
    expect(sent(asked)).toEqual([
      [
        "/swarm/init",
        {
          ...{ AdvertiseAddr: "127.0.0.1", ListenAddr: "127.0.0.1" },
          ...{ DefaultAddrPool: ["10.64.0.0/12"], SubnetSize: 24 },
          Spec: { CAConfig: { NodeCertExpiry: 7_776_000_000_000_000 } },
        },
      ],
    ]);
    expect(written).toEqual([[file, "cluster-1\n"]]);
  });

  test("say why Docker made none", async () => {
    const refusal = new DockerRefusal(500, "--live-restore daemon configuration is incompatible");
    const sight = { swarm: info("inactive"), cluster: undefined, recorded: undefined };
    const { calls } = performed({ "POST /swarm/init": refusal }, sight);
    await expect(calls[0]?.perform()).rejects.toThrow(
      "Docker made no swarm at 127.0.0.1: --live-restore",
    );
  });

  test("change the life of certificates in what the swarm is at that moment", async () => {
    const old = { CAConfig: { NodeCertExpiry: 1, External: "kept" }, Raft: "kept" };
    const answers = {
      "GET /swarm": cluster({ Version: { Index: 99 }, Spec: old }),
      "POST /swarm/update": "",
    };
    const { calls, asked } = performed(answers, { cluster: cluster({ Spec: old }) });
    await calls[0]?.perform();
    expect(asked.at(-1)?.query).toEqual({ version: "99" });
    expect(sent(asked)).toEqual([
      [
        "/swarm/update",
        { CAConfig: { NodeCertExpiry: 7_776_000_000_000_000, External: "kept" }, Raft: "kept" },
      ],
    ]);
  });
});
