import { describe, expect, test } from "vitest";
import {
  type Network,
  networkSchema,
  type Service,
  serviceSchema,
} from "../../../../services/converge/adapters/docker-schemas.ts";
import { DockerRefusal } from "../../../../services/converge/adapters/docker-socket.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { networkSteps, planNetwork } from "../../../../services/converge/kinds/network.ts";
import { contextOf, heardReport } from "../fake-context.ts";
import { fakeClock, fakeDocker, sent } from "./fakes.ts";

const resource: ResourceOf<"network"> = {
  kind: "network",
  name: "proxy",
  driver: "overlay",
  attachable: true,
  internal: false,
  subnet: "10.80.0.0/16",
  options: {},
  waitSeconds: 30,
};

/** As Docker 26 lists one that is right. */
function network(parts: Readonly<Record<string, unknown>> = {}): Network {
  return networkSchema.parse({
    ...{ Id: "y5plrglphjdtm6hrai5twafin", Name: "proxy", Driver: "overlay", Scope: "swarm" },
    ...{ Attachable: true, Internal: false, Ingress: false, Labels: null },
    IPAM: { Config: [{ Subnet: "10.80.0.0/16", Gateway: "10.80.0.1" }] },
    Options: { "com.docker.network.driver.overlay.vxlanid_list": "4097" },
    ...parts,
  });
}

const subnet = (Subnet: string) => ({ IPAM: { Config: [{ Subnet }] } });
const option = (name: string, value: string) => ({
  Options: { "com.docker.network.driver.overlay.vxlanid_list": "4097", [name]: value },
});
/** Made, and not yet seen to by the manager. */
const fresh = { Driver: "", IPAM: { Config: null }, Options: null };

function service(name: string, target: string, labels = {}): Service {
  return serviceSchema.parse({
    ...{ ID: name, Version: { Index: 1 } },
    Spec: {
      ...{ Name: name, Labels: labels, Mode: {} },
      TaskTemplate: { Networks: [{ Target: target }] },
    },
  });
}

const context = contextOf({ piece: "network-proxy" });

function plan(networks: readonly Network[], wanted = resource, services: readonly Service[] = []) {
  const calls = planNetwork(wanted, { networks, services }, context);
  return calls.map(({ phase, verb, target, why }) => `${phase} ${verb} ${target}: ${why}`);
}

describe("what is done about a network", () => {
  test("it is made when there is none of its name", () => {
    const others = [network({ Name: "proxy2", ...subnet("10.81.0.0/16") })];
    expect(plan(others)).toEqual(["apply network create proxy: there is no network of this name"]);
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ["ours", { Labels: { "cc-ci.managed": "cc-ci" } }],
    ["of somebody else", { Labels: { "cc-ci.managed": "other" } }],
    ["without a label", {}],
    ["that has no addresses yet", fresh],
    ["whose subnet Docker does not show", { IPAM: null }],
    ["with options of Docker's own", option("com.docker.network.enable_ipv4", "true")],
    ["with others of Docker's own", option("com.docker.network.enable_ipv6", "false")],
    ["with some that nobody knows yet", option("com.docker.network.driver.new", "1")],
  ])("one that is right is used: %s", (_, parts) => {
    expect(plan([network(parts)])).toEqual([]);
  });

  test("options that are wanted are there", () => {
    const wanted = { ...resource, options: { encrypted: "" } };
    expect(plan([network(option("encrypted", ""))], wanted)).toEqual([]);
  });
});

describe("a network that differs is left alone, and the difference named", () => {
  test.each<[Readonly<Record<string, unknown>>, string]>([
    [{ Driver: "bridge" }, "its driver is bridge and should be overlay"],
    [{ Scope: "local" }, "its scope is local and should be swarm"],
    [{ Attachable: false }, "attachable is false and should be true"],
    [{ Internal: true }, "internal is true and should be false"],
    [{ Ingress: true }, "ingress is true and should be false"],
    [subnet("10.80.0.0/24"), "its subnet is 10.80.0.0/24 and should be 10.80.0.0/16"],
    [option("encrypted", ""), "option encrypted is empty and should not be set"],
    [option("com.docker.network.driver.mtu", "9000"), "mtu is 9000 and should not be set"],
    [option("com.docker.network.enable_ipv6", "true"), "ipv6 is true and should not be set"],
    [{ ...fresh, Attachable: false }, "attachable is false and should be true"],
  ])("%j", (parts, difference) => {
    expect(() => plan([network(parts)])).toThrow(
      expect.objectContaining({
        line: {
          ...{ id: "network-differs", as: "refused" },
          text: expect.stringContaining(`${difference}: Docker cannot change`),
        },
      }),
    );
  });

  test("a wanted option that is missing or has another value", () => {
    const wanted = { ...resource, options: { encrypted: "" } };
    expect(() => plan([network()], wanted)).toThrow("encrypted is not set and should be empty");
    expect(() => plan([network(option("encrypted", "true"))], wanted)).toThrow(
      "encrypted is true and should be empty",
    );
  });

  test("all differences at once, who uses it, and the steps", () => {
    const bridge = network({ Id: "4ae92c9041cb226a74", Driver: "bridge", Scope: "local" });
    const stack = { "com.docker.stack.namespace": "web_example_org" };
    const services = [
      service("lonely", "proxy"),
      service("web_example_org_app", "4ae92c9041cb226a74", stack),
      service("web_example_org_db", "4ae92c9041cb226a74", stack),
      service("other", "another"),
    ];
    expect(() => plan([bridge], resource, services)).toThrow(
      "the network proxy is there and is another than the configuration says: its scope is local and should be swarm; its driver is bridge and should be overlay: Docker cannot change a network, so undeploy what uses it (the service lonely, the stack web_example_org), run 'docker network rm 4ae92c9041cb' and 'systemctl start cc-ci.target'",
    );
  });

  test("also when one of the same name is right", () => {
    const local = network({ Id: "b", Driver: "bridge", Scope: "local" });
    expect(() => plan([network(), local])).toThrow("(no service does), run 'docker network rm b'");
  });
});

describe("a subnet that another network has", () => {
  const other = network({ Id: "o", Name: "other", ...subnet("10.80.4.0/24") });

  test.each<[string, readonly Network[]]>([
    ["before it is made", [other]],
    ["when it was made and got no addresses", [other, network(fresh)]],
  ])("is named %s", (_, networks) => {
    expect(() => plan(networks)).toThrow(
      "the network proxy cannot have the subnet 10.80.0.0/16, which overlaps 10.80.4.0/24 of the network other",
    );
  });

  test("is no matter when that one is local, or this one has its addresses", () => {
    expect(plan([network({ ...other, Scope: "local" })])).toHaveLength(1);
    expect(plan([other, network()])).toEqual([]);
  });
});

describe("the steps", () => {
  function steps(
    list: (seconds: number) => readonly unknown[],
    answers: Readonly<Record<string, unknown>> = {},
  ) {
    let seconds = 0;
    const clock = fakeClock(new Date(0), (slept) => {
      seconds = slept;
    });
    const { docker, asked } = fakeDocker({
      "GET /networks": () => list(seconds),
      "GET /services": [],
      "POST /networks/create": { Id: "new" },
      ...answers,
    });
    const world = { docker, clock };
    const report = heardReport();
    return {
      ...{ report, asked, elapsed: () => seconds },
      all: networkSteps(resource, contextOf({ piece: "network-proxy", world, report })),
    };
  }

  test("make a network with our label", async () => {
    const { all, asked } = steps(() => []);
    for (const call of await all.plan()) await call.perform();
    expect(sent(asked)).toEqual([
      [
        "/networks/create",
        {
          ...{ Name: "proxy", Driver: "overlay", Attachable: true, Internal: false, Options: {} },
          IPAM: { Driver: "default", Config: [{ Subnet: "10.80.0.0/16" }] },
          Labels: { "cc-ci.managed": "cc-ci" },
        },
      ],
    ]);
  });

  test("foresee one where there is no swarm yet, which has no services", async () => {
    const { all } = steps(() => [], without("inactive"));
    expect((await all.plan()).map(({ verb }) => verb)).toEqual(["network create"]);
  });

  test("end where a manager is not ready, and so shows no network of its swarm", async () => {
    const { all, asked } = steps(() => [], without("active"));
    await expect(all.plan()).rejects.toThrow("no swarm manager");
    expect(asked.map(({ path }) => path)).not.toContain("/networks");
  });

  function without(LocalNodeState: string): Readonly<Record<string, unknown>> {
    return {
      "GET /services": new DockerRefusal(503, "This node is no swarm manager"),
      "GET /info": { Swarm: { LocalNodeState } },
    };
  }

  test("wait until it has its addresses", async () => {
    const { all, report, elapsed } = steps((seconds) => [network(seconds < 2 ? fresh : {})]);
    await all.verify?.();
    expect(elapsed()).toBe(2);
    expect(new Set(report.heard)).toEqual(
      new Set(["waits: the network proxy has no addresses yet"]),
    );
  });

  test("give up when it gets none, or is not there", async () => {
    const none = steps(() => [network(fresh)]);
    await expect(none.all.verify?.()).rejects.toThrow("no addresses after 30 s");
    const absent = steps(() => [network({ Name: "proxy2" })]);
    await expect(absent.all.verify?.()).rejects.toThrow("proxy is not there 30 s after");
  });
});
