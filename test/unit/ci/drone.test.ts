import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { expectUnit } from "../../../constructs/testing.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../../synthesized.ts";
import { problemsOf } from "../nixos/tree.ts";

/** A host with Drone, and what a test changes of its keys. */
function problems(
  changes: Readonly<Record<string, unknown>> = {},
  accepted = "drone, drone-runner-exec",
) {
  const keys: Record<string, unknown> = {
    ...{ release: "1.9.0", forge: "https://git.example.org", clientId: "3c1f2a6e-7a1b" },
    ...{ clientSecret: "/var/lib/ci-secrets/client", builds: { repository: "ci/cc-ci" } },
    owner: { login: "ci-owner", forgeToken: "/var/lib/ci-secrets/forge-token" },
    ...{ bridge: { login: "ci-bridge" }, ...changes },
  };
  const yaml = `acceptUnfree: [${accepted}]\ndrone: ${JSON.stringify(keys)}`;
  const [host] = appOf(hostYaml(yaml)).hosts;
  if (host === undefined) throw new Error("no host");
  return problemsOf(host);
}

test("Drone with all that it needs is fine", () => {
  expect(problems()).toEqual([]);
  expect(
    problems({ forge: "https://git.example.org:3000", domain: "build.ci.example.org" }),
  ).toEqual([]);
});

describe("its licence", () => {
  test.for([
    ["", "drone and drone-runner-exec"],
    ["drone", "drone-runner-exec"],
    ["drone-runner-exec", "drone"],
  ])("is put to the operator who accepts [%s]", ([accepted, missing]) => {
    expect(problems({}, accepted)).toEqual([
      `cc-ci/drone: needs ${missing} in acceptUnfree: Drone's licence is not a free one, and its free edition serves no runner; read docs/install.md, and name them if you accept it`,
    ]);
  });
});

test.for<[string, Readonly<Record<string, unknown>>, string]>([
  [
    "a forge with a path",
    { forge: "https://git.example.org/gitea" },
    'cc-ci/drone: forge: "https://git.example.org/gitea" must be the https address',
  ],
  ["a forge without TLS", { forge: "http://git.example.org" }, "cc-ci/drone: forge: "],
  ["an id that is none", { clientId: "it's" }, "cc-ci/drone: clientId: must be the id"],
  [
    "the secret itself in the place of its path",
    { clientSecret: "gto_abcdef" },
    "cc-ci/drone/clientSecret: clientSecret: must be an absolute path",
  ],
  [
    "a login that would be more than one",
    { owner: { login: "a,admin:true", forgeToken: "/a" } },
    'cc-ci/drone: owner: "a,admin:true" is no login that Drone takes',
  ],
  [
    "the owner as the one who starts builds",
    { bridge: { login: "CI-Owner" } },
    "cc-ci/drone-repository: bridge.login: must be another account than the owner's",
  ],
  [
    "a repository without an owner",
    { builds: { repository: "cc-ci" } },
    'cc-ci/drone-repository: builds.repository: "cc-ci" must be owner and name',
  ],
  [
    "a branch that is an option",
    { builds: { repository: "ci/cc-ci", branch: "--x" } },
    'cc-ci/drone-repository: builds.branch: "--x" is no name of a branch',
  ],
  [
    "a setting of Drone in the environment",
    { env: { DRONE_RPC_SECRET: "x" } },
    "cc-ci/drone: env: DRONE_RPC_SECRET cannot be set here: Drone's own settings are the construct's",
  ],
])("%s is refused", ([, changes, message]) => {
  const found = problems(changes);
  expect(
    found.some((problem) => problem.startsWith(message)),
    found.join("\n"),
  ).toBe(true);
});

test("the server reads its secrets whether or not their files end with a newline", async () => {
  // given what synth writes, and Docker puts secrets into
  const files = await synthesized(appOf(hostYaml(droneYaml)));
  const text = files.get("out/cc-ci/drone.ccci.env.tmpl")?.content ?? "";
  const filled = text.replaceAll(/{{ secret "([a-z_]+)" }}/g, "$1-value\n");

  // when it is read as Drone does, one line after the other, and one bad line makes it ignore all of them
  const lines = filled.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

  // then
  expect(lines.filter((line) => !/^[A-Z_]+=[A-Za-z0-9.,:_-]+$/.test(line))).toEqual([]);
  expect(lines).toContain("DRONE_GITEA_CLIENT_SECRET=client_secret-value");
  expect(lines).toContain(
    "DRONE_USER_CREATE=username:ci-owner,machine:false,admin:true,token:admin_token-value",
  );
});

describe("the pipeline", () => {
  const text = async (keys = "") => {
    const files = await synthesized(appOf(hostYaml(`${droneYaml}\n${keys}`)));
    return files.get("out/cc-ci/drone.yml")?.content ?? "";
  };

  test("is one step, of a program by its whole path, for builds that are started by hand", async () => {
    // `PATH` is a parameter like any other, so a name alone could be any program.
    expect(parse(await text())).toEqual({
      ...{ kind: "pipeline", type: "exec", name: "run" },
      platform: { os: "linux", arch: "amd64" },
      clone: { disable: true },
      trigger: { event: ["custom"] },
      steps: [{ name: "run", commands: ["exec /run/current-system/sw/bin/cc-ci-run ask"] }],
    });
  });

  test("has nothing that Drone would put a parameter into, or take for its own", async () => {
    // Drone replaces `${NAME}` in the text before it is read as YAML, and makes `$` of `$$`.
    expect(await text()).not.toContain("$");
  });

  test("says which processor the host has", async () => {
    const keys = droneYaml.replace("drone:\n", "drone:\n  architecture: arm64\n");
    const files = await synthesized(appOf(hostYaml(keys)));
    expect(parse(files.get("out/cc-ci/drone.yml")?.content ?? "")).toMatchObject({
      platform: { arch: "arm64" },
    });
  });
});

describe("the runner", () => {
  const app = appOf(hostYaml(`${droneYaml}\nruns: { maxTests: 5, timeoutMinutes: 30 }`));

  test("takes builds of the CI repository alone, as many as there may be runs", () => {
    expectUnit(app, "cc-ci-runner").toHaveOptions({
      environment: {
        ...{ DRONE_RUNNER_CAPACITY: "5", DRONE_LIMIT_REPOS: "ci/cc-ci" },
        ...{ DRONE_LIMIT_EVENTS: "custom", DRONE_UI_DISABLE: "true" },
        ...{ DRONE_RPC_PROTO: "https", DRONE_RPC_HOST: "drone.ci.example.org" },
      },
    });
  });

  test("is seen by this host alone", () => {
    expectUnit(app, "cc-ci-runner").toHaveOptions({
      environment: { DRONE_HTTP_BIND: "127.0.0.1:3000" },
      serviceConfig: { IPAddressDeny: "any", IPAddressAllow: "localhost" },
    });
  });

  test("lets a build end, teardown included, whatever is switched", () => {
    expectUnit(app, "cc-ci-runner").toHaveOptions({
      restartIfChanged: false,
      serviceConfig: { KillMode: "mixed", TimeoutStopSec: `${30 * 60 + 300 + 900 + 1800}s` },
    });
  });

  test("finds its secret where no build does", async () => {
    const module = (await synthesized(app)).get("out/cc-ci/runner.nix")?.content ?? "";
    const lines = module.split("\n").filter((line) => line.includes("RPC_SECRET"));
    expect(lines).toEqual([
      expect.stringMatching(
        /ExecStartPost = "\+\$\{sed\} .*w\/run\/cc-ci-runner\/[0-9a-f]{12} \/var\/lib\/cc-ci\/secrets\/drone-rpc-secret";$/,
      ),
    ]);
    // Nor in the memory of the runner, whose user it has.
    expect(module).toContain('boot.kernel.sysctl."kernel.yama.ptrace_scope" = 1;');
  });

  test("and each run that it may begin have a place", () => {
    expectUnit(app, "cc-ci-run.socket").toHaveOptions({ socketConfig: { MaxConnections: 5 } });
  });
});
