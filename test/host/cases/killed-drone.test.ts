import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { ciRepository } from "../forge/seed.ts";
import { bootHost, type Host } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import { DroneApi, requestOf, tokenFiles } from "../library/drone-api.ts";
import { droneHost, seededForgeOfHosts } from "../library/drone-host.ts";
import { killEverywhere, killsToTry, startsNothing } from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { TestRuns } from "../library/test-runs.ts";
import { Witnesses } from "../library/witnesses.ts";

const stack = "drone_ci_example_org";

/** The digits of the token that Drone makes itself, and of what holds them. */
const random = /(?<=admin_token_|ADMIN_TOKEN_VERSION=)[0-9a-f]{12}|(?<="fits )[0-9a-f]{32}/g;

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

    const database = {
      ...{ piece: "drone-repository", turn: "a lost database", random },
      begin: async () => {
        await host.start("cc-ci-drone");
        await loseDatabase(host);
      },
    };
    const others = {
      ...{ piece: "drone-repository", turn: "what others did", random },
      begin: async () => {
        await takeRepository(host);
        host.write(tokenFiles.metrics, randomBytes(32).toString("hex"), 0o600);
      },
    };
    const token = {
      ...{ piece: "drone-repository", turn: "a token that nobody knows", random },
      ...{ stop: "pending drone-token-on-its-way" },
      begin: async () => {
        await host.start("cc-ci-drone");
        await new DroneApi(host).ask("/api/user/token?rotate=true", { method: "POST" });
      },
    };
    const killed = [...(await killEverywhere(host, [database], ways))];
    killed.push(...(await killEverywhere(host, [others], ways)));
    killed.push(...(await killEverywhere(host, [token], ways)));
    await host.start("cc-ci-drone");

    const down = {
      ...{ piece: "drone-runner", turn: "no runner" },
      begin: () => systemctl(host, "stop", "cc-ci-runner"),
    };
    const outdated = {
      ...{ piece: "drone-runner", turn: "another secret" },
      begin: async () => {
        const secret = "/var/lib/cc-ci/secrets/drone-rpc-secret";
        await host.exec(["touch", secret]);
      },
    };
    killed.push(...(await killEverywhere(host, [down], ways)));
    killed.push(...(await killEverywhere(host, [outdated], ways)));

    const builds = {
      ...{ piece: "drone-builds", turn: "builds that nobody works on" },
      begin: () => leaveBuilds(host),
    };
    killed.push(...(await killEverywhere(host, [builds], ways)));
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-drone"]);
  });
});

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
