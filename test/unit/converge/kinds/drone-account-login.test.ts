import { describe, expect, test } from "vitest";
import { Files } from "../../../../services/converge/adapters/files.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { Stop } from "../../../../services/converge/engine/line.ts";
import { logIn } from "../../../../services/converge/kinds/drone/account-login.ts";
import { LoginRefusal, type LoginTrouble } from "../../../../services/lib/drone/login.ts";
import { contextOf } from "../fake-context.ts";
import { fakeClock } from "./fakes.ts";

const ownerTokenFile = "/token";
const bridge: ResourceOf<"drone-account"> = {
  ...{ kind: "drone-account", login: "ci-bridge", tokenFile: "/bridge-token" },
  ...{ server: "https://drone.ci.example.org", forge: "https://git.example.org" },
  ...{ repository: "ci/cc-ci", waitSeconds: 0 },
  account: { role: "starter", ownerTokenFile, passwordFile: "/password" },
};

/** What comes of logins that end so, one after the other: the line, and how often it was tried. */
async function triedWith(...troubles: readonly (LoginTrouble | undefined)[]) {
  const files = new Files();
  files.read = async () => Buffer.from("a password\n");
  const passwords: string[] = [];
  const world = {
    ...{ files, clock: fakeClock(new Date("2026-11-28T12:00:00Z")) },
    logIn: async ({ password }: { readonly password: string }) => {
      const trouble = troubles[passwords.length];
      passwords.push(password);
      if (trouble !== undefined) throw new LoginRefusal(trouble, "words");
    },
  };
  const line = await logIn(bridge, "/password", contextOf({ world })).then(
    () => undefined,
    (error: unknown) => (error instanceof Stop ? error.line.id : error),
  );
  return { line, passwords };
}

describe("a login to Drone", () => {
  test("is tried a second time when something on the way did not answer", async () => {
    expect(await triedWith("silent", undefined)).toEqual({
      ...{ line: undefined, passwords: ["a password", "a password"] },
    });
  });

  test("is left to the next run after that", async () => {
    const { line, passwords } = await triedWith("silent", "silent");
    expect([line, passwords.length]).toEqual(["drone-login-silent", 2]);
  });

  test.for([
    ["password-refused", "drone-password-refused"],
    ["person-wanted", "drone-login-by-person"],
    ["refused", "drone-login-refused"],
    ["elsewhere", "drone-login-refused"],
  ] as const)("is tried once when the answer is a no (%s)", async ([trouble, id]) => {
    const { line, passwords } = await triedWith(trouble);
    expect([line, passwords.length]).toEqual([id, 1]);
  });
});
