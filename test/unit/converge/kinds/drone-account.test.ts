import { describe, expect, test } from "vitest";
import { Files } from "../../../../services/converge/adapters/files.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { sha256 } from "../../../../services/converge/engine/stable-json.ts";
import { droneAccountSteps } from "../../../../services/converge/kinds/drone-account.ts";
import { droneRepositorySteps } from "../../../../services/converge/kinds/drone-repository.ts";
import { DroneClient } from "../../../../services/lib/drone/client.ts";
import { DroneRefusal } from "../../../../services/lib/drone/trouble.ts";
import { contextOf, heardReport } from "../fake-context.ts";
import { fakeClock, fakeDocker } from "./fakes.ts";

const stack = "drone_ci_example_org";
const ownerTokenFile = "/var/lib/cc-ci/secrets/drone-admin-token";
const drone = {
  ...{ server: "https://drone.ci.example.org", forge: "https://git.example.org" },
  ...{ repository: "ci/cc-ci", waitSeconds: 0 },
} as const;

const owner: ResourceOf<"drone-account"> = {
  ...{ kind: "drone-account", login: "ci-owner", tokenFile: ownerTokenFile, ...drone },
  account: { role: "owner", secret: { stack, name: "admin_token" }, passwordFile: null },
};
const metrics: ResourceOf<"drone-account"> = {
  ...{ kind: "drone-account", login: "cc-ci-metrics", tokenFile: "/metrics-token", ...drone },
  account: { role: "metrics", ownerTokenFile },
};
const metricsToken: ResourceOf<"host-file"> = {
  ...{ kind: "host-file", path: metrics.tokenFile, purpose: "a token", remedy: "none" },
  origin: { by: "host", randomBytes: 32 },
  demand: { format: "token", minBytes: 16 },
};

/** When the owner's token was written, which Drone has made; its account is older. */
const written = new Date("2026-11-28T12:00:00Z");
const token = "AToken0fDrone5own0123456789abcde";
const secretOf = (text: string): string =>
  `${stack}_admin_token_${sha256(Buffer.from(`admin_token\0${text}`)).slice(0, 12)}`;

function files(content: Readonly<Record<string, string>>): Files {
  const files = new Files();
  files.read = async (path) => {
    const text = content[path];
    return text === undefined ? undefined : Buffer.from(text);
  };
  files.modified = async () => written;
  return files;
}

const clock = fakeClock(written);
const permissions = { read: true, write: true, admin: true };

/** Drone that knows the owner by that token, and nobody else. */
function clientOf({ token: given }: { readonly token: string }): DroneClient {
  const client = new DroneClient({ server: drone.server, token: given });
  client.user = async () => {
    if (given !== token) throw new DroneRefusal("token-refused", 401, "Unauthorized");
    return {
      ...{ id: 1, login: owner.login, admin: true, machine: false, active: true },
      ...{ created: new Date("2026-11-28T11:00:00Z"), last_login: written },
    };
  };
  client.findUser = async () => undefined;
  client.permissions = async () => permissions;
  client.repository = async (slug) => ({
    ...{ slug, user_id: 1, active: true, visibility: "public", config_path: "drone.yml" },
    ...{ trusted: false, protected: false, ignore_forks: true, ignore_pull_requests: true },
    ...{ timeout: 80, permissions },
  });
  return client;
}

type Came = readonly [at: string, secret: string, state?: "running" | "shutdown" | "rejected"];

/** Docker with the tasks that Drone's service has had: when each came, and by which secret of the owner's. */
function dockerWith(tasks: readonly Came[]) {
  const specOf = (SecretName: string) => ({
    ContainerSpec: { Image: "drone", Secrets: [{ SecretID: SecretName, SecretName }] },
  });
  return fakeDocker({
    "GET /services": [
      {
        ...{ ID: "service", Version: { Index: 1 } },
        Spec: {
          ...{ Name: `${stack}_app`, Labels: { "com.docker.stack.namespace": stack } },
          ...{ TaskTemplate: specOf(secretOf(token)), Mode: { Replicated: { Replicas: 1 } } },
        },
      },
    ],
    "GET /tasks": tasks.map(([CreatedAt, secret, State = "shutdown"], at) => ({
      ...{ ID: `task-${at}`, ServiceID: "service", DesiredState: "shutdown", CreatedAt },
      ...{ Spec: specOf(secret), Status: { State, Timestamp: CreatedAt } },
    })),
  }).docker;
}

describe("the owner's token", () => {
  test.for<[string, Parameters<typeof dockerWith>[0], readonly string[]]>([
    ["with which Drone was started", [["2026-11-28T12:00:05Z", secretOf(token)]], []],
    ["after the one before", [["2026-11-28T11:59:00Z", secretOf("before")]], []],
    [
      "after the one before had come back",
      [
        ["2026-11-28T12:00:05Z", secretOf("before")],
        ["2026-11-28T12:00:30Z", secretOf(token)],
      ],
      ["token rotate"],
    ],
  ])("%s", async ([, tasks, verbs]) => {
    const context = contextOf({
      world: {
        files: files({ [ownerTokenFile]: token }),
        docker: dockerWith(tasks),
        drone: clientOf,
        clock,
      },
    });
    const calls = await droneAccountSteps(owner, context).plan();
    expect(calls.map(({ verb }) => verb)).toEqual(verbs);
  });
});

describe("an owner's token that Drone refuses", () => {
  const another = "another token that nobody has made yet";
  // The service's spec names the token that lies there.
  const [before, now] = [secretOf("before"), secretOf(another)];
  const planOf = async (...tasks: readonly Came[]) => {
    const context = contextOf({
      world: {
        files: files({ [ownerTokenFile]: another }),
        docker: dockerWith(tasks),
        drone: clientOf,
        clock,
      },
    });
    return await droneAccountSteps(owner, context).plan();
  };

  test("is renewed where the Drone that runs was started with it", async () => {
    const calls = await planOf(
      ["2026-11-28T12:00:05Z", before],
      ["2026-11-28T12:00:30Z", now, "running"],
    );
    expect(calls.map(({ verb }) => verb)).toEqual(["token renew"]);
  });

  test.for<[string, readonly Came[]]>([
    ["has not come yet", [["2026-11-28T12:00:05Z", before, "running"]]],
    [
      "waits, or was rolled back",
      [
        ["2026-11-28T12:00:30Z", now, "rejected"],
        ["2026-11-28T12:00:05Z", before, "running"],
      ],
    ],
    ["has not begun", [["2026-11-28T12:00:30Z", now, "rejected"]]],
  ])("is on its way as long as the update to it %s", async ([, tasks]) => {
    const line = { id: "drone-token-on-its-way" };
    await expect(planOf(...tasks)).rejects.toMatchObject({ line });
  });
});

describe("an account that has more on the forge than the CI repository", () => {
  const warnings = async (...repositories: readonly string[]) => {
    return await warningsAt(async () => repositories);
  };
  const warningsAt = async (remoteRepositories: DroneClient["remoteRepositories"]) => {
    const drone = (options: { readonly server: string; readonly token: string }) => {
      const client = clientOf(options);
      client.remoteRepositories = remoteRepositories;
      return client;
    };
    const lying = files({ [ownerTokenFile]: token });
    const world = { files: lying, docker: dockerWith([]), drone, clock };
    const report = heardReport();
    await droneAccountSteps(owner, contextOf({ world, report })).verify?.();
    return report.warnings.map(({ text }) => text);
  };

  test("is told of, with where it has it", async () => {
    const line =
      "ci-owner has more on https://git.example.org than ci/cc-ci, and Drone keeps a login of it that may do all that it may: take it out of";
    expect(await warnings("ci/cc-ci", "ci/wiki")).toEqual([`${line} ci/wiki`]);
    const many = ["x/g", "x/f", "x/e", "x/d", "x/c", "x/b", "x/a", "CI/cc-ci"];
    expect(await warnings(...many)).toEqual([`${line} x/a, x/b, x/c, x/d, x/e and 2 more`]);
  });

  test("is not told of when it has that alone", async () => {
    expect(await warnings("ci/cc-ci")).toEqual([]);
  });

  test.for(["late", "silent", "broken", "forge-silent"] as const)(
    "stops nothing when the list of it is not to be had (%s)",
    async (trouble) => {
      const refused = async () => {
        throw new DroneRefusal(trouble, 500, "no list");
      };
      expect(await warningsAt(refused)).toEqual([]);
    },
  );
});

describe("a login that looks dead", () => {
  test("is looked at twice before anybody is called", async () => {
    let looks = 0;
    const drone = (options: { readonly server: string; readonly token: string }) => {
      const client = clientOf(options);
      client.permissions = async () => {
        looks += 1;
        if (looks === 1) throw new DroneRefusal("login-dead", 500, "Unauthorized");
        return permissions;
      };
      return client;
    };
    const world = {
      files: files({ [ownerTokenFile]: token }),
      docker: dockerWith([]),
      ...{ drone, clock },
    };
    expect(await droneAccountSteps(owner, contextOf({ world })).plan()).toEqual([]);
    expect(looks).toBe(2);
  });
});

describe("a plan", () => {
  test("knows that the account of a token that is made first is made, too", async () => {
    const context = contextOf({
      world: { files: files({ [ownerTokenFile]: token }), drone: clientOf, clock },
      resources: [metricsToken, metrics],
      mayWait: false,
    });
    const calls = await droneAccountSteps(metrics, context).plan();
    expect(calls.map(({ verb }) => verb)).toEqual(["account create"]);
  });

  test("ends for the repository where the owner's token is renewed before", async () => {
    const context = contextOf({
      world: { files: files({ [ownerTokenFile]: "one of nobody" }), drone: clientOf, clock },
      resources: [owner],
      mayWait: false,
    });
    const repository: ResourceOf<"drone-repository"> = {
      ...{ kind: "drone-repository", ownerTokenFile, forgeTokenFile: "/forge-token", ...drone },
      settings: {
        ...{ config_path: "drone.yml", timeout: 80, visibility: "public" },
        ...{ trusted: false, protected: false, ignore_forks: true, ignore_pull_requests: true },
      },
    };
    expect(await droneRepositorySteps(repository, context).plan()).toEqual([]);
    const inARun = { ...context, mayWait: true };
    await expect(droneRepositorySteps(repository, inARun).plan()).rejects.toThrow("Unauthorized");
  });
});
