import { describe, expect, test } from "vitest";
import type { Docker } from "../../../../services/converge/adapters/docker.ts";
import { DockerRefusal } from "../../../../services/converge/adapters/docker-socket.ts";
import { fakeDocker } from "../kinds/fakes.ts";

/** What moby says with a 503: daemon/cluster/cluster.go and errors.go. */
const words = {
  none: 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  notReady:
    "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.",
  worker:
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
  locked:
    'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.',
  leaderless:
    "rpc error: code = Unavailable desc = The swarm does not have a leader. It's possible that too few managers are online.",
};

/** Nodes that say 503 and are in a swarm: what they are, their state in it, and their words. */
const nodes: readonly (readonly [string, string, string])[] = [
  ["whose manager is not ready", "pending", words.notReady],
  ["that has only just been started", "active", words.notReady],
  ["whose swarm starts anew, with the words of one in no swarm", "error", words.none],
  ["that cannot tell its state", "", words.none],
  ["whose swarm has no leader", "active", words.leaderless],
  ["whose swarm is locked", "locked", words.locked],
  ["that is a worker", "active", words.worker],
];

const lists: Readonly<Record<string, (docker: Docker) => Promise<readonly unknown[]>>> = {
  "/services": (docker) => docker.services(),
  "/tasks": (docker) => docker.tasks("id"),
  "/secrets": (docker) => docker.secrets(),
  "/configs": (docker) => docker.configs(),
};

const removals: Readonly<Record<string, (docker: Docker) => Promise<void>>> = {
  "/services/id": (docker) => docker.removeService("id"),
  "/networks/id": (docker) => docker.removeNetwork("id"),
  "/secrets/id": (docker) => docker.removeSealed("secrets", "id"),
  "/configs/id": (docker) => docker.removeSealed("configs", "id"),
  "/containers/id": (docker) => docker.removeContainer("id"),
};

/** A daemon that refuses one question. */
function refusing(question: string, refusal: DockerRefusal, LocalNodeState = "active"): Docker {
  return fakeDocker({ [question]: refusal, "GET /info": { Swarm: { LocalNodeState } } }).docker;
}

describe("a list of the swarm", () => {
  test.for(Object.entries(lists))("%s is empty where there is no swarm", async ([path, list]) => {
    const docker = refusing(`GET ${path}`, new DockerRefusal(503, words.none), "inactive");
    expect(await list(docker)).toEqual([]);
  });

  test.for(nodes)("is refused by a node %s", async ([, state, said]) => {
    for (const [path, list] of Object.entries(lists)) {
      const refusal = new DockerRefusal(503, said);
      await expect(list(refusing(`GET ${path}`, refusal, state)), path).rejects.toBe(refusal);
    }
  });

  test("costs no other question when it is given", async () => {
    const { docker, asked } = fakeDocker({ "GET /services": [] });
    expect(await docker.services()).toEqual([]);
    expect(asked.map(({ path }) => path)).toEqual(["/services"]);
  });

  test("of a service's tasks is empty when the service is gone", async () => {
    const refusal = new DockerRefusal(404, "service id not found");
    expect(await refusing("GET /tasks", refusal).tasks("id")).toEqual([]);
  });
});

describe("a removal", () => {
  test.for(Object.entries(removals))("of %s is done when it is gone", async ([path, remove]) => {
    await remove(refusing(`DELETE ${path}`, new DockerRefusal(404, "not found")));
  });

  test.for(Object.entries(removals))("of %s is not done otherwise", async ([path, remove]) => {
    for (const status of [409, 500, 503]) {
      const refusal = new DockerRefusal(status, words.notReady);
      await expect(remove(refusing(`DELETE ${path}`, refusal))).rejects.toBe(refusal);
    }
  });
});

describe("who waits for a manager", () => {
  test("sees no swarm and no node until one is ready", async () => {
    const refusal = new DockerRefusal(503, words.notReady);
    expect(await refusing("GET /swarm", refusal).cluster()).toBeUndefined();
    expect(await refusing("GET /nodes", refusal).nodes()).toEqual([]);
  });

  test("is told every other no", async () => {
    const refusal = new DockerRefusal(500, "context deadline exceeded");
    await expect(refusing("GET /swarm", refusal).cluster()).rejects.toBe(refusal);
    await expect(refusing("GET /nodes", refusal).nodes()).rejects.toBe(refusal);
  });
});

test("a task is not gone because its manager is not ready", async () => {
  const refusal = new DockerRefusal(503, words.notReady);
  await expect(refusing("GET /tasks/id", refusal).hasTask("id")).rejects.toBe(refusal);
  expect(await refusing("GET /tasks/id", new DockerRefusal(404, "")).hasTask("id")).toBe(false);
});
