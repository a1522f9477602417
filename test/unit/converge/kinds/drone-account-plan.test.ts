import { describe, expect, test } from "vitest";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import {
  type AccountSight,
  planAccount,
} from "../../../../services/converge/kinds/drone/account-plan.ts";

type Account = ResourceOf<"drone-account">["account"];

const password = "/var/lib/ci-secrets/password";
const secret = { stack: "drone_ci_example_org", name: "admin_token" };
const ownerTokenFile = "/var/lib/cc-ci/secrets/drone-admin-token";

const owner: Account = { role: "owner", secret, passwordFile: password };
const starter: Account = { role: "starter", ownerTokenFile, passwordFile: password };
const byPerson: Account = { ...starter, passwordFile: null };
const metrics: Account = { role: "metrics", ownerTokenFile };

/** An account that is as it should be. */
const fine = {
  ...{ is: "there", isRight: true, isSynced: true, isLogged: false },
  onForge: { is: "logged-in", permissions: { read: true, write: true, admin: true } },
} as const satisfies AccountSight;
const loggedOut = { ...fine, onForge: { is: "logged-out" }, isSynced: false } as const;
const refused = { is: "refused", isTaken: false, isStartedWith: false } as const;

/** The verbs of the calls, those that seal in brackets. */
function calls(account: Account, sight: AccountSight): readonly string[] {
  const resource: ResourceOf<"drone-account"> = {
    ...{ kind: "drone-account", server: "https://drone.ci.example.org", login: "someone" },
    ...{ tokenFile: "/t", account, forge: "https://git.example.org", repository: "ci/cc-ci" },
    waitSeconds: 60,
  };
  const nothing = async (): Promise<void> => undefined;
  const work = {
    ...{ logIn: nothing, sync: nothing, create: nothing },
    ...{ remove: nothing, rotate: nothing, renew: nothing },
  };
  return planAccount(resource, sight, work).map(({ verb, phase, target }) => {
    const shown = verb.replace("drone ", "") + (target === "*" ? " *" : "");
    return phase === "seal" ? `[${shown}]` : shown;
  });
}

describe("an account of Drone", () => {
  test.for<[string, Account, AccountSight, readonly string[]]>([
    ["the owner, as it should be", owner, fine, []],
    [
      "an owner whose token stands in the log",
      owner,
      { ...fine, isLogged: true },
      ["[token rotate]"],
    ],
    ["an owner that never logged in", owner, loggedOut, ["login", "sync"]],
    [
      "an owner that a person logs in",
      { ...owner, passwordFile: null },
      loggedOut,
      // Drone can read nothing for it.
      [],
    ],
    [
      "an owner that was logged in, and nothing read for it",
      { ...owner, passwordFile: null },
      { ...fine, isSynced: false },
      ["sync"],
    ],
    ["an owner's token that is not deployed yet", owner, { ...refused, isTaken: true }, []],
    [
      "an owner's token that was deployed and does not count",
      owner,
      { is: "refused", isTaken: true, isStartedWith: true },
      ["token renew"],
    ],
    ["who starts builds, as it should be", starter, fine, []],
    ["who starts builds, not there yet", starter, refused, ["account create", "login", "sync"]],
    ["who starts builds, not there yet, a person's", byPerson, refused, ["account create"]],
    [
      "who starts builds, under another token",
      starter,
      { ...refused, isTaken: true },
      ["account remove", "account create", "login", "sync"],
    ],
    [
      "who starts builds, made an admin by hand",
      starter,
      { ...fine, isRight: false },
      ["account remove", "account create", "login", "sync"],
    ],
    ["a login that has died", starter, { ...fine, onForge: { is: "logged-out" } }, ["login"]],
    ["who reads metrics, not there yet", metrics, refused, ["account create"]],
    ["who reads metrics, as it should be", metrics, { ...fine, onForge: null }, []],
    [
      "the owner, before Drone is deployed",
      owner,
      { is: "not-yet" },
      ["login *", "sync *", "[token rotate *]"],
    ],
    [
      "who starts builds, before Drone is deployed",
      byPerson,
      { is: "not-yet" },
      ["account remove *", "account create *", "sync *"],
    ],
  ])("%s", ([, account, sight, wanted]) => {
    expect(calls(account, sight)).toEqual(wanted);
  });
});
