import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, type Host } from "../host.ts";
import { runAll } from "../library/as-planned.ts";
import { expectAtRest, stopsOf } from "../library/at-rest.ts";
import { DroneApi } from "../library/drone-api.ts";
import { droneHost } from "../library/drone-host.ts";
import { type Marks, marksOf } from "../library/secrecy/marks.ts";
import { ProcessSampler } from "../library/secrecy/process-sampler.ts";
import { filesWith, filesWithEach, told } from "../library/secrecy/search.ts";
import { expectBuild, loggedTokens } from "../library/shared-drone.ts";
import { TestRuns } from "../library/test-runs.ts";

const made = "/var/lib/cc-ci/secrets";
const given = "/var/lib/ci-secrets";

/** Where each secret is at home. */
const homes = {
  ...{ "rpc secret": `${made}/drone-rpc-secret`, "cookie secret": `${made}/drone-cookie-secret` },
  "database secret": `${made}/drone-database-secret`,
  ...{ "owner's token": `${made}/drone-admin-token`, "client secret": `${given}/drone-client` },
  "bridge's token": `${made}/drone-bridge-token`,
  "metrics token": `${made}/drone-metrics-token`,
  "forge token": `${given}/forge-token`,
  ...{ "owner's password": `${given}/owner`, "bridge's password": `${given}/bridge` },
} as const;
type Secret = keyof typeof homes;

/** Those that Drone's server is given: as files in memory that Docker mounts into its container. */
const mountedSecrets: readonly Secret[] = [
  ...([
    "rpc secret",
    "cookie secret",
    "database secret",
    "owner's token",
    "client secret",
  ] as const),
];
/** Those that Drone knows its accounts by, which it keeps as they are. */
const keptByDrone: readonly Secret[] = ["owner's token", "bridge's token", "metrics token"];
const dataFolder = "/var/lib/docker/volumes/drone_ci_example_org_data/_data/";

function marksIn(host: Host): Readonly<Record<Secret, readonly string[]>> {
  const marks = Object.entries(homes).map(([secret, path]) => [
    secret,
    marksOf(host.read(path).trim()),
  ]);
  return Object.fromEntries(marks);
}

/** Every file with one of the secrets is one where it has to be. */
async function expectInPlace(host: Host, marks: ReturnType<typeof marksIn>): Promise<void> {
  for (const [name, files] of await filesWithEach(host, marks)) {
    const secret = name as Secret;
    const mounted = files.filter((path) => path.startsWith("/var/lib/docker/containers/"));
    for (const path of mounted) {
      const findmnt = ["findmnt", "--noheadings", "--output=FSTYPE", `--target=${path}`];
      expect((await host.exec(findmnt)).stdout.trim()).toBe("tmpfs");
    }
    const inData = files.filter((path) => path.startsWith(dataFolder));
    const others = files.filter((path) => ![...mounted, ...inData].includes(path));
    expect({
      ...{ secret, others, isMounted: mounted.length > 0, isKept: inData.length > 0 },
    }).toEqual({
      ...{ secret, others: [homes[secret]] },
      ...{ isMounted: mountedSecrets.includes(secret), isKept: keptByDrone.includes(secret) },
    });
  }
}

/** Nothing that can be read has one of them, but for what was planted there. */
async function placesTold(host: Host, marks: Marks): Promise<readonly string[]> {
  const control = randomBytes(18).toString("hex");
  await host.exec(["logger", control]);
  const texts = Object.entries(await told(host));
  const all = { ...marks, control: marksOf(control) };
  const places = Object.entries(all).flatMap(([secret, words]) =>
    texts
      .filter(([, text]) => words.some((word) => text.includes(word)))
      .map(([where]) => `${secret} in ${where}`),
  );
  expect(places).toContain("control in journal");
  return places.filter((place) => place !== "control in journal");
}

/** Ends the sampler, which must have found what was planted, and nothing else. */
async function expectUnseen(host: Host, sampler: ProcessSampler, marks: Marks): Promise<void> {
  const control = randomBytes(18).toString("hex");
  await host.exec(["sh", "-c", "sleep 0.1; exit 0", control]);
  const { found } = await sampler.stop({ ...marks, control: marksOf(control) });
  const places = found.map(({ where, secret }) => `${secret} in ${where}`);
  expect([...new Set(places)]).toEqual(["control in argv"]);
}

describe("secrets of Drone", { timeout: 900_000 }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test("show up nowhere but in their files, and one that Drone logs is nobody's", async () => {
    using booting = await ProcessSampler.start();
    const { forge, ...options } = await droneHost({ hasOwnTimers: false });
    await using host = await bootHost(options);
    await host.settle();
    await expectAtRest(host);
    const drone = new DroneApi(host);
    await expectBuild({ forge, drone, runs: new TestRuns(host) });
    // then nobody saw one of them meanwhile, the one that was told included
    const [first = "", ...others] = await loggedTokens({ host });
    expect([first.length, others]).toEqual([64, []]);
    const old = { "first token": marksOf(first) };
    const marks = marksIn(host);
    await expectUnseen(host, booting, { ...marks, ...old });
    await expectInPlace(host, marks);
    expect(await placesTold(host, { ...marks, ...old })).toEqual(["first token in docker"]);
    expect((await drone.ask("/api/user", { token: first })).status).toBe(401);
    for (const path of await filesWith(host, old["first token"])) {
      expect(path).toMatch(/^\/var\/lib\/docker\/(?:containers\/.*\.log$|volumes\/drone_)/);
    }
    // and what a build is told and tells has none of them either
    const builds = await drone.builds();
    const log = await drone.log(builds[0]?.number ?? 0);
    for (const words of Object.values(marks)) {
      expect(words.filter((word) => log.includes(word))).toEqual([]);
    }

    // when a login and a token of the forge fail
    using failing = await ProcessSampler.start();
    for (const path of [homes["owner's password"], homes["forge token"]]) {
      host.write(path, randomBytes(24).toString("hex"), 0o600);
    }
    const stops = stopsOf(await runAll(host));
    expect(stops).toEqual({ "drone-repository": "failed forge-refused" });
    const wrong = marksIn(host);
    await expectUnseen(host, failing, wrong);
    await expectInPlace(host, wrong);
    expect(await placesTold(host, wrong)).toEqual([]);
  });
});
