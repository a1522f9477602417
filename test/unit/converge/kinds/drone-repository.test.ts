import { describe, expect, test } from "vitest";
import { Files } from "../../../../services/converge/adapters/files.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import type { Steps } from "../../../../services/converge/engine/steps.ts";
import {
  droneRepositorySteps,
  planRepository,
  type RepositorySight,
} from "../../../../services/converge/kinds/drone-repository.ts";
import { DroneClient } from "../../../../services/lib/drone/client.ts";
import type { User } from "../../../../services/lib/drone/schemas.ts";
import { DroneRefusal } from "../../../../services/lib/drone/trouble.ts";
import { ForgeClient } from "../../../../services/lib/forge/client.ts";
import { ForgeRefusal, type ForgeTrouble } from "../../../../services/lib/forge/trouble.ts";
import { contextOf } from "../fake-context.ts";
import { fakeClock } from "./fakes.ts";

const settings: ResourceOf<"drone-repository">["settings"] = {
  ...{ config_path: "out/cc-ci/drone.yml", timeout: 60, visibility: "public", trusted: false },
  ...{ protected: false, ignore_forks: true, ignore_pull_requests: true },
};

const resource: ResourceOf<"drone-repository"> = {
  ...{ kind: "drone-repository", server: "https://drone.ci.example.org", ownerTokenFile: "/o" },
  ...{ forge: "https://git.example.org", forgeTokenFile: "/f", repository: "ci/cc-ci" },
  ...{ settings, waitSeconds: 60 },
};

const repository = {
  ...{ slug: "ci/cc-ci", user_id: 1, active: true, permissions: undefined },
  ...settings,
};
const fine: RepositorySight = { repository, ownerId: 1, hooks: [] };
const hook = { id: 7, config: { url: "https://drone.ci.example.org/hook?secret=x" } };

function plan(sight: RepositorySight | string) {
  const set: unknown[] = [];
  const nothing = async (): Promise<void> => undefined;
  const work = {
    ...{ enable: nothing, own: nothing, removeHooks: nothing },
    set: async (changed: unknown) => void set.push(changed),
  };
  const calls = planRepository(resource, sight, work);
  return { calls, set, verbs: calls.map(({ verb, target }) => `${verb} ${target}`) };
}

describe("the CI repository in Drone", () => {
  test("that is as it should be needs nothing", () => {
    expect(plan(fine).verbs).toEqual([]);
  });

  test("is enabled, set, and rid of the hook that enabling makes", () => {
    // Drone keeps other settings of a repository that was never enabled.
    const fresh = { ...repository, active: false, user_id: 0, timeout: 0, config_path: "" };
    expect(plan({ ...fine, repository: fresh }).verbs).toEqual([
      "repository enable ci/cc-ci",
      "repository set ci/cc-ci",
      "hook remove ci/cc-ci",
    ]);
    expect(plan({ ...fine, repository: undefined }).verbs).toHaveLength(3);
  });

  test.for<[string, Partial<typeof repository>, string]>([
    ["timeout", { timeout: 120 }, "it differs in timeout"],
    ["path of the pipeline", { config_path: ".drone.yml" }, "it differs in config_path"],
    ["trust", { trusted: true } as never, "it differs in trusted"],
    ["protection", { protected: true } as never, "it differs in protected"],
    ["visibility", { visibility: "private" } as never, "it differs in visibility"],
    [
      "care for pull requests",
      { ignore_forks: false, ignore_pull_requests: false } as never,
      "it differs in ignore_forks, ignore_pull_requests",
    ],
  ])("gets its %s back, and nothing else", async ([, changed, why]) => {
    const { calls, set } = plan({ ...fine, repository: { ...repository, ...changed } });
    expect(calls.map((call) => call.why)).toEqual([why]);
    await calls[0]?.perform();
    const wanted = Object.keys(changed).map((name) => [
      name,
      settings[name as keyof typeof settings],
    ]);
    expect(set).toEqual([Object.fromEntries(wanted)]);
  });

  test("goes back to the owner's account, and no hook is made for that", () => {
    expect(plan({ ...fine, ownerId: 2 }).verbs).toEqual(["repository own ci/cc-ci"]);
  });

  test("is rid of a hook that somebody had Drone make", () => {
    expect(plan({ ...fine, hooks: [hook] }).verbs).toEqual(["hook remove ci/cc-ci"]);
  });

  test("may need anything before Drone is deployed", () => {
    expect(plan("Drone is deployed first").verbs).toEqual([
      "repository enable *",
      "repository own *",
      "repository set *",
      "hook remove *",
    ]);
  });
});

describe("a plan beside a login that is dead, and is renewed before", () => {
  /** What the forge says to who asks for the hooks with the owner's token. */
  const stepsWith = (
    forgeSays: ForgeRefusal | readonly [],
    { isKnown = true, isLoginDead = true } = {},
  ) => {
    const drone = (options: { readonly server: string; readonly token: string }) => {
      const client = new DroneClient(options);
      client.user = async () => ({ id: 1 }) as User;
      client.repository = async () => {
        if (!isKnown) throw new DroneRefusal("not-found", 404, "Not Found");
        return repository;
      };
      client.permissions = async () => {
        if (isLoginDead) throw new DroneRefusal("login-dead", 500, "Unauthorized");
        return undefined;
      };
      return client;
    };
    const forge = (options: { readonly server: string; readonly token: string }) => {
      const client = new ForgeClient(options);
      client.hooks = async () => {
        if (forgeSays instanceof ForgeRefusal) throw forgeSays;
        return forgeSays;
      };
      return client;
    };
    const files = new Files();
    files.read = async () => Buffer.from("a token");
    const clock = fakeClock(new Date("2026-11-28T12:00:00Z"));
    const world = { drone, forge, files, clock };
    return droneRepositorySteps(resource, contextOf({ world, mayWait: false }));
  };
  const refusal = (trouble: ForgeTrouble, status: number) =>
    new ForgeRefusal(trouble, "no", { status });
  const targets = async (steps: Steps) => [...new Set((await steps.plan()).map((c) => c.target))];

  test("ends as its run does, before it, by a token of the forge that is nobody's", async () => {
    const { require } = stepsWith(refusal("token-refused", 401));
    await expect(require?.()).rejects.toMatchObject({ line: { id: "forge-refused" } });
  });

  test.for([refusal("not-allowed", 403), refusal("silent", 502)])(
    "is not held up before it by another no of the forge: %s",
    async (forgeSays) => {
      await stepsWith(forgeSays).require?.();
    },
  );

  test("leaves open what the login may change", async () => {
    expect(await targets(stepsWith(refusal("not-allowed", 403)))).toEqual(["*"]);
    expect(await targets(stepsWith([], { isKnown: false }))).toEqual(["*"]);
    expect(await targets(stepsWith([]))).toEqual([]);
  });

  test("and not what it has nothing to do with", async () => {
    const alive = { isKnown: false, isLoginDead: false };
    expect(await targets(stepsWith([], alive))).toEqual([resource.repository]);
    const refused = stepsWith(refusal("not-allowed", 403), alive).plan();
    await expect(refused).rejects.toMatchObject({ line: { id: "forge-refused" } });
  });
});
