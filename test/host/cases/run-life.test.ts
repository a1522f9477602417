import { describe, expect, test } from "vitest";
import { parametersOf } from "../../../services/lib/run.ts";
import { idleHost } from "../library/idle-host.ts";
import { sharedHost } from "../library/shared-host.ts";
import { requestFor, runnerAccount, TestRuns, withRuns } from "../library/test-runs.ts";
import { until } from "../machine/processes.ts";

const children = { acts: [{ children: 3 }, { say: "begun" }, { sleepSeconds: 600 }] };

describe("a test run", () => {
  const shared = sharedHost(idleHost(withRuns()), async (host) => {
    new TestRuns(host).script({
      wiki: { acts: [{ say: "hello from the run" }] },
      broken: { outcome: "failed", reason: "the app does not come up" },
      silent: { results: "none" },
      torn: { results: "garbage" },
      slow: { acts: [{ say: "begun" }, { sleepSeconds: 600 }] },
      stubborn: { ignoresEnd: true, ...children },
      children,
    });
  });
  const runs = () => new TestRuns(shared());

  test("that passes ends its build well, with what it printed", async () => {
    const request = requestFor();
    const { status, printed } = await runs().run(request);
    expect(printed).toContain("hello from the run");
    expect(printed).toMatch(new RegExp(`the run ${request.id} has passed\n$`));
    expect(status).toBe(0);
    await runs().none();
    expect(runs().resultsOf(request.id)).toMatchObject({ outcome: "passed", request });
    expect(runs().tearDownsOf(request.id)).toBe(1);
  });

  test.for([
    ["that fails", "broken", "failed", "the app does not come up"],
    ["that says nothing", "silent", "aborted", "left no results"],
    ["that leaves no results but a file of that name", "torn", "aborted", "left no results"],
  ] as const)("%s fails its build", async ([, recipe, outcome, words]) => {
    const request = requestFor(recipe);
    const { status, printed } = await runs().run(request);
    expect(printed).toContain(words);
    expect(status).toBe(1);
    await runs().none();
    expect(runs().resultsOf(request.id)?.outcome).toBe(outcome);
    expect(runs().tearDownsOf(request.id)).toBe(1);
  });

  test("is listed while it goes on, for root", async () => {
    const host = shared();
    const build = runs().start(requestFor("slow"));
    const unit = await runs().unitOf(build.id, "begun");
    expect(await runs().list()).toMatchObject([{ id: build.id, recipe: "slow", unit }]);
    const { stdout } = await host.exec(["cc-ci-run", "list"]);
    expect(stdout).toMatch(new RegExp(`^${build.id}  slow  since \\d{4}-.*\\(${unit}\\)\n$`));
    await build.cancel();
    await build.end;
    await runs().none();
    expect((await host.exec(["cc-ci-run", "list"])).stdout).toBe("no run goes on\n");
  });

  test.for(["children", "stubborn"])(
    "of a build that is cancelled leaves nothing: %s",
    async (recipe) => {
      const build = runs().start(requestFor(recipe));
      await runs().unitOf(build.id, "begun");
      await build.cancel();
      expect((await build.end).status).not.toBe(0);
      await runs().none();
      expect(runs().resultsOf(build.id)).toMatchObject({
        ...{ outcome: "aborted", reason: "it was cancelled: who asked for it went away" },
      });
      expect(runs().tearDownsOf(build.id)).toBe(1);
      expect(await runs().serves()).toBe(true);
    },
  );

  test("of a build whose shell alone is killed, as Drone kills it, leaves nothing", async () => {
    const request = requestFor("children");
    const variables = Object.entries(parametersOf(request));
    const host = shared();
    const ask = "cc-ci-run ask; echo never reached";
    await host.exec([
      ...[
        "systemd-run",
        "--quiet",
        "--unit=step",
        `--uid=${runnerAccount}`,
        "--property=KillMode=process",
      ],
      ...variables.map(([name, value]) => `--setenv=${name}=${value}`),
      ...["sh", "-c", ask],
    ]);
    await runs().unitOf(request.id, "begun");
    await host.exec(["systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", "step"]);
    await runs().none();
    expect(runs().resultsOf(request.id)?.reason).toContain("who asked for it went away");
    expect(runs().tearDownsOf(request.id)).toBe(1);
  });

  test("whose service is killed is torn down, and its build fails", async () => {
    const build = runs().start(requestFor("children"));
    const unit = await runs().unitOf(build.id, "begun");
    await shared().faults.killUnit(unit);
    const { status, printed } = await build.end;
    expect(status).toBe(1);
    expect(printed).toContain("[run-connection-broken]");
    await runs().none();
    expect(runs().resultsOf(build.id)?.reason).toBe("its service was killed by SIGKILL");
    expect(runs().tearDownsOf(build.id)).toBe(1);
    expect(await runs().serves()).toBe(true);
  });

  test("that is stopped on the host ends in order, and its build fails", async () => {
    const build = runs().start(requestFor("children"));
    const unit = await runs().unitOf(build.id, "begun");
    await shared().exec(["systemctl", "stop", unit]);
    const { status, printed } = await build.end;
    expect(status).toBe(1);
    expect(printed).toContain("[run-called-off]");
    await runs().none();
    expect(runs().resultsOf(build.id)?.reason).toContain("was stopped on the host");
    expect(runs().tearDownsOf(build.id)).toBe(1);
  });

  test("fails no unit, and the host runs as well as before", async () => {
    const { stdout } = await shared().exec([
      "systemctl",
      "list-units",
      "--failed",
      "--no-legend",
      "cc-ci-run*",
    ]);
    expect(stdout).toBe("");
  });
});

describe("a test run that takes too long", () => {
  const shared = sharedHost(idleHost(withRuns("timeoutMinutes: 1")), async (host) =>
    new TestRuns(host).script({ children, stubborn: { ignoresEnd: true, ...children } }),
  );

  test("is ended, with all that it left", async () => {
    const runs = new TestRuns(shared());
    const builds = ["children", "stubborn"].map((recipe) => runs.start(requestFor(recipe)));
    for (const { id, end } of builds) {
      const { status, printed } = await end;
      expect(status).toBe(1);
      expect(printed).toContain("[run-called-off]");
      await until(`the results of ${id}`, 60, () => runs.resultsOf(id));
      expect(runs.resultsOf(id)?.reason).toBe("it took longer than it may");
      expect(runs.tearDownsOf(id)).toBe(1);
    }
    await runs.none();
    expect(await runs.serves()).toBe(true);
  });
});
