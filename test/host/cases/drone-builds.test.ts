import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../../services/lib/drone/outcome.ts";
import type { Build } from "../../../services/lib/drone/schemas.ts";
import { outOfTurn } from "../../drone/out-of-turn.ts";
import type { Host } from "../host.ts";
import { DroneApi, requestOf } from "../library/drone-api.ts";
import { droneHost, seededForgeOfHosts, withDrone } from "../library/drone-host.ts";
import {
  endOf,
  expectAborted,
  expectNextRuns,
  expectNothingLeft,
  isOver,
  pickUpSeconds,
} from "../library/ended-builds.ts";
import { rootWith, runOnNetworkOf } from "../library/on-network-of.ts";
import { sharedHost } from "../library/shared-host.ts";
import { TestRuns } from "../library/test-runs.ts";
import { until } from "../machine/processes.ts";

/** What runs of these recipes do. */
const scenes = {
  quick: { acts: [{ say: "begun" }] },
  failing: { acts: [{ say: "begun" }], outcome: "failed", reason: "it does not start" },
  short: { acts: [{ say: "begun" }, { sleepSeconds: 3 }] },
  children: { acts: [{ children: 3 }, { say: "begun" }, { sleepSeconds: 600 }] },
};

describe("builds on a host", () => {
  const keys = { host: "runs: { maxTests: 2, timeoutMinutes: 1 }" };
  const shared = sharedHost(
    () => droneHost(keys),
    async (host) => {
      await host.settle();
      new TestRuns(host).script(scenes);
    },
  );

  /** A build of that recipe, in the middle of its run. */
  async function running(host: Host, recipe = "children") {
    const [drone, runs] = [new DroneApi(host), new TestRuns(host)];
    const request = requestOf({ recipe });
    await drone.answers();
    const { number } = await drone.start(await seededForgeOfHosts(), request);
    await until("the run of a build", 2 * pickUpSeconds, async () =>
      runs.logOf(request.id).includes("begun") ? true : undefined,
    );
    return { drone, runs, number, id: request.id };
  }

  test("get what they were started with, and say what became of it", async () => {
    const host = shared();
    const drone = new DroneApi(host);
    const forge = await seededForgeOfHosts();
    // given
    const requests = [requestOf({ recipe: "quick" }), requestOf({ recipe: "failing", pull: null })];
    // when
    const ends: Build[] = [];
    for (const request of requests) {
      const { number } = await drone.start(forge, request);
      ends.push(await drone.until(number, isOver, 2 * pickUpSeconds));
    }
    // then
    expect(ends.map(endOf)).toEqual([
      ["success", 0],
      ["failure", 1],
    ]);
    for (const [index, request] of requests.entries()) {
      const log = await drone.log(ends[index]?.number ?? 0);
      expect(log).toContain(`rehearses ${JSON.stringify(request)}`);
    }
    await expectNothingLeft(host);
  });

  test("are started by a person, who follows them", async () => {
    const host = shared();
    const { clientId } = await seededForgeOfHosts();
    const { app } = withDrone(clientId, keys);
    const root = rootWith(mkdtempSync(join(tmpdir(), "cc-ci-trigger-")), String(app));
    try {
      // when
      const words = ["trigger", "--recipe", "cc-ci", "--ref", "main", "--quick"];
      const env = { DRONE_TOKEN: new DroneApi(host).token("bridge") };
      const { exitCode, stdout, stderr } = await runOnNetworkOf(host, root, words, env);
      // then it is a run of that very commit, and what it prints is seen
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      const { commit } = await seededForgeOfHosts();
      expect(stdout).toMatch(/^started: https:\/\/drone\.ci\.example\.org\/ci\/cc-ci\/\d+$/m);
      expect(stdout).toContain(
        `"repository":"ci/cc-ci","pull":null,"commit":"${commit}","quick":true`,
      );
      expect(stdout).toMatch(/^success$/m);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test("run two at a time, in the order in which they were started", async () => {
    const host = shared();
    const drone = new DroneApi(host);
    const forge = await seededForgeOfHosts();
    // when five are started at once
    const numbers: number[] = [];
    for (let count = 0; count < 5; count += 1) {
      numbers.push((await drone.start(forge, { recipe: "short" })).number);
    }
    // then there are never more than two at work, in Drone and on the host
    const most = { builds: 0, runs: 0 };
    await until("the end of five builds", 4 * pickUpSeconds, async () => {
      const builds = (await drone.builds()).filter(({ number }) => numbers.includes(number));
      const atWork = builds.filter(({ status }) => status === "running").length;
      most.builds = Math.max(most.builds, atWork);
      most.runs = Math.max(most.runs, (await new TestRuns(host).list()).length);
      return builds.every(isOver) ? true : undefined;
    });
    expect(most).toEqual({ builds: 2, runs: 2 });
    const ends: Build[] = [];
    for (const number of numbers) ends.push(await drone.build(number));
    expect(ends.map(({ status }) => status)).toEqual(numbers.map(() => "success"));
    // and the first come first
    const begun = ends.map(({ stages }) => stages[0]?.started?.getTime() ?? 0);
    expect(outOfTurn(begun, 2)).toEqual([]);
    await expectNothingLeft(host);
  });

  test.for<[string, Readonly<Record<string, string>>, "success" | "failure"]>([
    ["a parameter that nobody knows", { CCCI_EXTRA: "1" }, "failure"],
    ["a recipe with a quote", { CCCI_RECIPE: 'wi"ki; touch /run/cc-ci-runner/owned' }, "failure"],
    ["a recipe of two lines", { CCCI_RECIPE: "wiki\ntouch /run/cc-ci-runner/owned" }, "failure"],
    [
      "a recipe that a shell would expand",
      { CCCI_RECIPE: "${IFS}$(touch /run/cc-ci-runner/owned)" },
      "failure",
    ],
    ["a recipe of five thousand letters", { CCCI_RECIPE: "a".repeat(5000) }, "failure"],
    ["a commit that is a branch", { CCCI_COMMIT: "main" }, "failure"],
    ["another PATH", { PATH: "/tmp" }, "success"],
    ["another user and home", { USER: "root", HOME: "/root", SHELL: "/bin/false" }, "success"],
  ])("do no harm with %s", async ([, parameters, status]) => {
    const host = shared();
    const [drone, runs] = [new DroneApi(host), new TestRuns(host)];
    const before = runs.folders();
    // when
    const request = requestOf({ recipe: "quick" });
    const { number } = await drone.start(await seededForgeOfHosts(), request, parameters);
    const end = await drone.until(number, isOver, 2 * pickUpSeconds);
    // then it says what is wrong with them, without them, and there was no run
    expect(endOf(end)).toEqual([status, status === "success" ? 0 : 1]);
    const log = await drone.log(number);
    if (status === "failure") {
      expect(log).toContain("the build's parameters are no request for a run");
      expect(log).not.toContain("owned");
      expect(runs.folders()).toEqual(before);
    }
    await expectNothingLeft(host);
  });

  test("that are cancelled leave nothing, and their place is free", async () => {
    const host = shared();
    const { drone, runs, number, id } = await running(host);
    // when
    await drone.cancel(number);
    // then
    const end = await drone.until(number, isOver);
    expect(endOf(end)).toEqual(["killed", 130]);
    await expectAborted(host, id, /went away|cancel/);
    await expectNextRuns(host);
    expect(runs.tearDownsOf(id)).toBe(1);
  });

  test("that take too long are ended, and leave nothing", async () => {
    const host = shared();
    const { drone, number, id } = await running(host);
    // when nobody does anything, then
    const end = await drone.until(number, isOver, 120);
    expect(endOf(end)).toEqual(["failure", 1]);
    await expectAborted(host, id, /took longer than it may/);
    await expectNextRuns(host);
  }, 300_000);

  test("whose run is killed fail, and leave nothing", async () => {
    const host = shared();
    const { drone, runs, number, id } = await running(host);
    // when
    await host.faults.killUnit(await runs.unitOf(id, "begun"));
    // then
    const end = await drone.until(number, isOver);
    expect(endOf(end)).toEqual(["failure", 1]);
    await expectAborted(host, id, /killed/);
  });

  test("whose runner is killed are ended, and the next ones run", async () => {
    const host = shared();
    const { drone, number, id } = await running(host);
    // when
    await host.exec(["systemctl", "kill", "--signal=SIGKILL", "cc-ci-runner.service"]);
    // then what it was doing is over at once
    await expectAborted(host, id, /went away|cancel/);
    // and Drone, which cannot know, is told by and by
    expect((await drone.build(number)).status).toBe("running");
    const end = await drone.until(number, isOver, 200);
    expect(end.status).toBe("killed");
    expect(await host.journal("cc-ci-drone-builds.service")).toMatch(
      // Whichever of the two shows first.
      new RegExp(
        `build cancel ci/cc-ci/${number}: (?:cc-ci-runner.service, which had|its run ended)`,
      ),
    );
    await expectNextRuns(host);
    await expectNothingLeft(host);
  }, 400_000);

  /**
   * Takes Drone's server away under a build whose run waits meanwhile, and does not end before `back` says so.
   */
  async function withoutServer(host: Host, back: "before its end" | "after its end") {
    const scaleTo = async (count: 0 | 1): Promise<void> => {
      const service = `drone_ci_example_org_app=${count}`;
      await host.exec(["docker", "service", "scale", "--detach", service]);
      await serverIs(host, count === 0 ? "away" : "there");
    };
    const build = await running(host, "short");
    const unit = await build.runs.unitOf(build.id, "begun");
    const tell = (signal: string) => host.exec(["systemctl", "kill", `--signal=${signal}`, unit]);
    await tell("SIGSTOP");
    await scaleTo(0);
    if (back === "before its end") await scaleTo(1);
    await tell("SIGCONT");
    await until("the results of the run", 60, async () => build.runs.resultsOf(build.id));
    expect(build.runs.resultsOf(build.id)?.outcome).toBe("passed");
    await expectNothingLeft(host);
    if (back === "after its end") await scaleTo(1);
    return build;
  }

  test("that end once the server is back which was started anew are a success", async () => {
    const host = shared();
    const { drone, number } = await withoutServer(host, "before its end");
    const end = await drone.until(number, isOver);
    expect(endOf(end)).toEqual(["success", 0]);
    expect(await drone.log(number)).toMatch(/begun[\s\S]*has passed/);
    await expectNextRuns(host);
  }, 400_000);

  test("that end while there is no server are ended later, for it was never told", async () => {
    const host = shared();
    const since = Date.now();
    const { drone, number } = await withoutServer(host, "after its end");
    expect((await drone.build(number)).status).toBe("running");
    const end = await drone.until(number, isOver, 200);
    expect([outcomeOf(end), end.status]).toEqual(["cancelled", "killed"]);
    expect(await host.journal("cc-ci-drone-builds.service", since)).toMatch(
      new RegExp(`build cancel ci/cc-ci/${number}: its run ended \\S+, and Drone was not told`),
    );
    await expectNextRuns(host);
  }, 400_000);

  test("that a reboot cuts short have an end, and their place is free", async () => {
    const host = shared();
    const { drone, number, id } = await running(host);
    // when
    await host.reboot();
    await host.settle();
    // then
    await expectAborted(host, id, /stopped on the host|went away/);
    await drone.answers();
    const end = await drone.until(number, isOver, 200);
    expect(["failure", "killed"]).toContain(end.status);
    await expectNextRuns(host);
    await expectNothingLeft(host);
  }, 500_000);
});

/** Waits until the proxy knows of no server, as what asks it is told, or until that answers. */
async function serverIs(host: Host, where: "away" | "there"): Promise<void> {
  const drone = new DroneApi(host);
  const wanted = where === "away" ? 404 : 200;
  await until(`a server that is ${where}`, 120, async () =>
    (await drone.ask("/healthz")).status === wanted ? true : undefined,
  );
}
