import { describe, expect, test } from "vitest";
import { DockerEngine } from "../../../constructs/swarm/docker-engine.ts";
import { OverlayNetwork } from "../../../constructs/swarm/overlay-network.ts";
import { Swarm, type SwarmProps } from "../../../constructs/swarm/swarm.ts";
import { bareHost, filesOf, problemsOf } from "../nixos/tree.ts";

/** What a tree with this swarm and these networks objects to. */
function problems(props: SwarmProps, ...subnets: readonly string[]): readonly string[] {
  const host = bareHost();
  const swarm = new Swarm(host, "swarm", props);
  for (const [index, subnet] of subnets.entries())
    new OverlayNetwork(swarm, `n${index}`, { subnet });
  return problemsOf(host);
}

test("a swarm with its defaults is fine", () => {
  expect(problems({}, "10.80.0.0/16")).toEqual([]);
});

describe("a swarm is refused for", () => {
  test.each<readonly [string, SwarmProps, string]>([
    [
      "a name for an address",
      { advertiseAddress: "localhost" },
      'advertiseAddress: "localhost" is no IPv4 address: write it as in 127.0.0.1',
    ],
    [
      "an IPv6 address",
      { listenAddress: "::1" },
      'listenAddress: "::1" is no IPv4 address: write it as in 127.0.0.1',
    ],
    [
      "an address with a port",
      { listenAddress: "127.0.0.1:2377" },
      'listenAddress: "127.0.0.1:2377" is no IPv4 address: write it as in 127.0.0.1',
    ],
    [
      "every address",
      { advertiseAddress: "0.0.0.0", listenAddress: "127.0.0.1" },
      "advertiseAddress: 0.0.0.0 is no address that can be reached: name one of the host's own",
    ],
    [
      "a life of no day",
      { nodeCertificateDays: 0 },
      "nodeCertificateDays: must be a whole number of days, from 1 to 36500",
    ],
    [
      "a life of half a day",
      { nodeCertificateDays: 1.5 },
      "nodeCertificateDays: must be a whole number of days, from 1 to 36500",
    ],
    [
      "a life of more than a century",
      { nodeCertificateDays: 36_501 },
      "nodeCertificateDays: must be a whole number of days, from 1 to 36500",
    ],
    [
      "an address of its own in a pool",
      { advertiseAddress: "10.70.0.1", listenAddress: "192.0.2.1" },
      "advertiseAddress: 10.70.0.1 lies in the pool 10.64.0.0/12, which is for networks of containers: choose another pool",
    ],
    [
      "no pools",
      { addressPools: [] },
      "addressPools: must name one subnet or more, as in 10.64.0.0/12",
    ],
    [
      "a public pool",
      { addressPools: ["8.0.0.0/8"] },
      'addressPools: "8.0.0.0/8" must lie in a private range: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10',
    ],
    [
      "pools that overlap",
      { addressPools: ["10.64.0.0/12", "10.65.0.0/16"] },
      "addressPools: 10.65.0.0/16 overlaps 10.64.0.0/12: name each address once",
    ],
    [
      "networks as large as the pool",
      { addressPools: ["10.64.0.0/16"], subnetSize: 16 },
      "subnetSize: 16 must be larger than the prefix length of the pool 10.64.0.0/16, and 29 at the most",
    ],
    [
      "networks without room",
      { subnetSize: 30 },
      "subnetSize: 30 must be larger than the prefix length of the pool 10.64.0.0/12, and 29 at the most",
    ],
  ])("%s", (_, props, problem) => {
    expect(problems(props)).toEqual([`one/swarm: ${problem}`]);
  });
});

describe("a network is refused for", () => {
  test.each([
    [
      "a subnet in a pool",
      ["10.65.0.0/16"],
      "one/swarm/n0: subnet: 10.65.0.0/16 overlaps the address pool 10.64.0.0/12, from which Docker takes the networks of stacks: choose one outside",
    ],
    [
      "a subnet around a pool",
      ["10.0.0.0/8"],
      "one/swarm/n0: subnet: 10.0.0.0/8 overlaps the address pool 10.64.0.0/12, from which Docker takes the networks of stacks: choose one outside",
    ],
    [
      "a subnet that another one has",
      ["10.80.0.0/16", "10.80.4.0/24"],
      "one/swarm/n1: subnet: 10.80.4.0/24 overlaps 10.80.0.0/16 of another network: choose another",
    ],
    [
      "no subnet",
      ["10.80"],
      'one/swarm/n0: subnet: "10.80" is no IPv4 subnet: write it as in 10.80.0.0/16',
    ],
  ])("%s", (_, subnets, problem) => {
    expect(problems({}, ...subnets)).toEqual([problem]);
  });
});

test("a network around the node's own address is refused", () => {
  expect(problems({ listenAddress: "10.80.3.4" }, "10.80.0.0/16", "10.81.0.0/16")).toEqual([
    "one/swarm/n0: subnet: 10.80.0.0/16 holds the node's own address 10.80.3.4: choose another",
  ]);
});

test("a pool that is amiss is named once, and not by every network as well", () => {
  expect(problems({ addressPools: ["x"] }, "10.80.0.0/16")).toEqual([
    'one/swarm: addressPools: "x" is no IPv4 subnet: write it as in 10.80.0.0/16',
  ]);
});

test("two networks of one name are refused, each with where the other is", () => {
  // Given two swarms, which the tree allows, with a network of the same name each
  const host = bareHost();
  const engine = new DockerEngine(host, "docker");
  const swarm = new Swarm(host, "swarm", { engine });
  new OverlayNetwork(swarm, "proxy");
  // When a second one takes the name, then its file is in the way at once
  expect(() => new OverlayNetwork(swarm, "proxy")).toThrow(
    /There is already a Construct with name/,
  );
});

test("the swarm's desired state carries what was asked for, days as seconds", () => {
  const host = bareHost();
  new Swarm(host, "swarm", { addressPools: ["192.168.0.0/16"], nodeCertificateDays: 2 });
  expect(JSON.parse(filesOf(host)["out/one/swarm.json"] ?? "")).toMatchObject({
    version: 1,
    host: "one",
    piece: "swarm",
    resources: [
      {
        kind: "swarm",
        advertiseAddress: "127.0.0.1",
        listenAddress: "127.0.0.1",
        addressPools: ["192.168.0.0/16"],
        subnetSize: 24,
        nodeCertificateSeconds: 172_800,
      },
    ],
  });
});

test.each([
  "https://mirror.example.org/v2",
  "mirror.example.org",
  "https://a b",
  "https://u@m",
  "https://m:0",
  "https://m:65536",
  "https://m..org",
  "https://m_n",
  "",
])("%j is refused as a mirror", (mirror) => {
  const host = bareHost();
  new DockerEngine(host, "docker", {
    registryMirrors: ["https://fine.example.org/", "http://10.0.0.1:65535", mirror],
  });
  expect(problemsOf(host)).toEqual([
    `one/docker: registryMirrors: ${JSON.stringify(mirror)} must be the address of a server without a path, as in https://mirror.example.org`,
  ]);
});
