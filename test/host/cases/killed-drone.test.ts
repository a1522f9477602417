import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { ciRepository } from "../forge/seed.ts";
import { bootHost, type Host } from "../host.ts";
import { callsUpTo, runAll, runAsPlanned, statusOf } from "../library/as-planned.ts";
import { stopsOf } from "../library/at-rest.ts";
import { DroneApi, requestOf, tokenFiles } from "../library/drone-api.ts";
import { droneHost, seededForgeOfHosts } from "../library/drone-host.ts";
import { killEverywhere, killsToTry, startsNothing } from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { TestRuns } from "../library/test-runs.ts";
import { Witnesses } from "../library/witnesses.ts";

const stack = "drone_ci_example_org";

/** The digits of the token that Drone makes itself, and of what holds them. */
const random =
  /(?<=admin_token_|ADMIN_TOKEN_VERSION=)[0-9a-f]{12}|(?<="fits |"cc-ci\.(?:works|tried)":")[0-9a-f]{32}/g;

/** The id of a run, and the number of a build. */
const numbers = /(?<=\.\/runs\/|run stop )[0-9a-f]{16}|(?<=build cancel \S+\/)\d+/g;

/** Longer than a build and its run may disagree, in seconds. */
const disagreementSeconds = 65;

describe("Drone", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())("survives a kill (%s) %s every call", async ([kill, moment]) => {
    const { forge: _, configuration = "", ...options } = await droneHost();
    const app = typeof configuration === "string" ? configuration : configuration.app;
    await using host = await bootHost({ ...options, configuration: startsNothing(app) });
    await runAsPlanned(host);
    // The token that it began with was in its log.
    await host.start("cc-ci-drone");
    const witnesses = await Witnesses.put(host);
    const ways = { kill, moment, witnesses };

    const comesUp = () => new DroneApi(host).answers();
    const database = {
      ...{ piece: "drone-repository", turn: "a lost database", random, comesUp },
      // The server, which gets another token.
      takesOthersAlong: true,
      // With a first login Drone reads for an account what it has, too.
      byItself: ["drone sync ci-owner"],
      afterwards: () => host.start("cc-ci-drone"),
      begin: async () => {
        await host.start("cc-ci-drone");
        await loseDatabase(host);
      },
    };
    // Not started at boot, as on no host but this.
    const afterwards = () => host.start("cc-ci-drone-runner");
    const others = {
      ...{ piece: "drone-repository", turn: "what others did", random, comesUp },
      afterwards,
      begin: async () => {
        await takeRepository(host);
        host.write(tokenFiles.metrics, randomBytes(32).toString("hex"), 0o600);
      },
    };
    const killed = [...(await killEverywhere(host, [database], ways))];
    killed.push(...(await killEverywhere(host, [others], ways)));
    killed.push(...(await killAtSync(host)), ...(await killAtRenewal(host)));

    const down = {
      ...{ piece: "drone-runner", turn: "no runner", comesUp },
      begin: () => systemctl(host, "stop", "cc-ci-runner"),
    };
    const outdated = {
      ...{ piece: "drone-runner", turn: "another secret", comesUp },
      begin: async () => {
        const secret = "/var/lib/cc-ci/secrets/drone-rpc-secret";
        await host.exec(["touch", secret]);
      },
    };
    killed.push(...(await killEverywhere(host, [down, outdated], ways)));

    const builds = {
      ...{ piece: "drone-builds", turn: "builds that nobody works on", comesUp },
      random: numbers,
      afterwards: async () => {
        await afterwards();
        // After a power cut a run is owed its end, which a timer would see to.
        await host.start("cc-ci-runs");
      },
      begin: () => leaveBuilds(host),
    };
    killed.push(...(await killEverywhere(host, [builds], ways)));
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-drone"]);
  });
});

/** In the middle of a run, for after a kill before it there is nothing left to be read. */
async function killAtSync(host: Host): Promise<readonly string[]> {
  const unit = "cc-ci-drone-repository.service";
  await host.start("cc-ci-drone");
  await loseDatabase(host);
  const since = Date.now();
  await host.faults.stopAt(unit, 2, "after");
  await host.exec(["systemctl", "start", "--no-block", unit]);
  expect(await host.faults.waitUntilStopped(unit)).toBe(true);
  const killed = await callsUpTo(host, unit, since, 2);
  expect(killed).toEqual(["drone login ci-owner", "drone sync ci-owner"]);
  await host.faults.killUnit(unit);
  await host.faults.stopNowhere();
  await host.start(unit);
  expect((await statusOf(host))["drone-repository"]).toMatchObject({ state: "converged" });
  // The other accounts were lost with it.
  expect(stopsOf(await runAll(host))).toEqual({});
  return killed;
}

/** Before its one call, with which a run ends: the server has to be started with what it wrote. */
async function killAtRenewal(host: Host): Promise<readonly string[]> {
  const [drone, unit] = [new DroneApi(host), "cc-ci-drone-repository.service"];
  // given a token that nobody of ours knows
  await drone.ask("/api/user/token?rotate=true", { method: "POST" });
  // when the run that renews it is killed
  const since = Date.now();
  await host.faults.stopAt(unit, 1, "before");
  await host.exec(["systemctl", "start", "--no-block", unit]);
  expect(await host.faults.waitUntilStopped(unit)).toBe(true);
  const killed = await callsUpTo(host, unit, since, 1);
  await host.faults.killUnit(unit);
  await host.faults.stopNowhere();
  // then the next ones come to one that counts, and that Drone has told nobody
  for (let run = 0; run < 3; run += 1) await host.start(unit);
  expect((await statusOf(host))["drone-repository"]).toMatchObject({ state: "converged" });
  await host.start("cc-ci-drone");
  expect((await drone.user()).admin).toBe(true);
  expect(drone.token("owner")).not.toMatch(/^[0-9a-f]{64}$/);
  return killed;
}

async function systemctl(host: Host, ...words: readonly string[]): Promise<void> {
  await host.exec(["systemctl", ...words], { timeoutSeconds: 120 });
}

/** Drone starts anew without a database, as it is deployed. */
async function loseDatabase(host: Host): Promise<void> {
  const file = `/var/lib/docker/volumes/${stack}_data/_data/database.sqlite`;
  const container = `$(docker container ls --quiet --filter name=${stack}_app)`;
  await host.exec(["sh", "-ec", `rm ${file}; docker container kill ${container}`]);
  await new DroneApi(host).answers();
}

/** Another administrator makes the repository its own, and is gone again. */
async function takeRepository(host: Host): Promise<void> {
  const drone = new DroneApi(host);
  const token = randomBytes(16).toString("hex");
  const body = { login: "somebody", machine: true, admin: true, token };
  await drone.ask("/api/users", { method: "POST", body });
  await drone.ask(`/api/repos/${ciRepository}/chown`, { method: "POST", token });
  await drone.ask("/api/users/somebody", { method: "DELETE" });
}

/** A build whose runner was killed, and a run whose build was cancelled before a runner could tell it. */
async function leaveBuilds(host: Host): Promise<void> {
  const [drone, runs] = [new DroneApi(host), new TestRuns(host)];
  const forge = await seededForgeOfHosts();
  await host.exec(["sh", "-c", "rm -rf /var/lib/cc-ci/runs/*"]);
  runs.script({ long: { acts: [{ say: "begun" }, { sleepSeconds: 3000 }] } });
  await systemctl(host, "start", "cc-ci-runner");
  const { number, params } = await drone.start(forge, { recipe: "long" });
  await runs.unitOf(params.CCCI_ID ?? "", "begun");
  await systemctl(host, "kill", "--signal=SIGKILL", "cc-ci-runner");
  await systemctl(host, "stop", "cc-ci-runner");
  await drone.until(number, ({ status }) => status === "running");
  const request = requestOf({ recipe: "long" });
  const second = await drone.start(forge, request);
  await drone.cancel(second.number);
  void runs.start(request).end.catch(() => undefined);
  await runs.unitOf(request.id, "begun");
  await new Promise((resolve) => setTimeout(resolve, disagreementSeconds * 1000));
}
