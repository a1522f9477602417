import { describe, expect, test } from "vitest";
import { observed, type Runs, runAll, runAsPlanned } from "../library/as-planned.ts";
import { expectAtRest, expectIdlePass, quiet } from "../library/at-rest.ts";
import { sharedHost } from "../library/shared-host.ts";
import { tasksOf } from "../library/tasks.ts";
import { pageOf, placesOf, withWebs } from "../library/web-app.ts";
import type { Configuration } from "../system/system.ts";

/** One app for each way in which a release can go wrong. */
const wrong = {
  unknown: "0.9.9",
  rollback: "0.3.0",
  pause: "0.4.0",
  crash: "0.5.0",
  image: "0.6.0",
  config: "0.7.0",
} as const;

type Way = keyof typeof wrong;

const ways = Object.keys(wrong) as Way[];
function allAt(releaseOf: (way: Way) => string, traefik = "release: 5.1.1"): Configuration {
  const apps = ways.map((way) => [way, { release: releaseOf(way), keys: keysOf(way) }] as const);
  return withWebs(Object.fromEntries(apps), "", traefik);
}

/** A crash loop is told only once its time is over; the rest ends by itself, on a busy machine later. */
function keysOf(way: Way): string {
  return way === "crash" ? "deploySeconds: 40\n" : "";
}

describe("a release that goes wrong", { timeout: 900_000 }, () => {
  let tasksBefore: Readonly<Record<string, readonly string[]>>;
  let first: Runs;
  let firstPages: Readonly<Record<string, string>>;
  let again: Runs;
  const shared = sharedHost({ configuration: allAt(() => "0.2.0") }, async (host) => {
    await host.settle();
    tasksBefore = await tasksOf(host);
    // An older Traefik, whose image is nowhere to be had.
    const all = allAt((way) => wrong[way], "release: 5.1.2");
    first = await observed(host, async () => {
      const { exitStatus } = await host.switchTo(all);
      expect(exitStatus, "a failed unit is what a switch must tell").toBe(4);
    });
    const pages = ways.map(async (way) => [way, await pageOf(host, way)] as const);
    firstPages = Object.fromEntries(await Promise.all(pages));
    await quiet(host);
    again = await runAsPlanned(host, [
      ...["recipe-without-release", "service-not-up", "image-not-reached", "abra-failed"],
    ]);
  });

  const lineOf = (runs: Runs, way: Way) => runs[`app-${way}`]?.line;
  const endsOf = (way: Way) =>
    [first, again].map((runs) => {
      const { state, line } = runs[`app-${way}`] ?? {};
      return `${state} ${line?.id}`;
    });
  const deploysOf = (runs: Runs, way: Way) =>
    (runs[`app-${way}`]?.calls ?? []).filter((call) => /^(?:app deploy|service seal) /.test(call));

  test.each([
    ["unknown", "failed recipe-without-release"],
    ["rollback", "failed service-rolled-back"],
    ["pause", "failed service-update-paused"],
    ["crash", "failed service-not-up"],
    ["image", "pending image-not-reached"],
    ["config", "failed abra-failed"],
  ] as const)("ends in one line, each time anew: %s", (way, end) => {
    expect(endsOf(way)).toEqual([end, end]);
  });

  test("names the nearest releases where there is no such one", () => {
    expect(lineOf(first, "unknown")?.text).toContain(
      "no release 0.9.9: the nearest are 0.9.0+1.1.0",
    );
  });

  test.each(["rollback", "pause"] as const)("tells what the tasks said: %s", (way) => {
    expect(lineOf(first, way)?.text).toContain("not healthy");
  });

  test("tells what a crash loop ends with", () => {
    expect(lineOf(first, "crash")?.text).toContain("non-zero exit (3)");
  });

  test("names the image that is not to be had, and the config that would change", () => {
    expect(lineOf(first, "image")?.text).toContain("the image web:9.9.9 is not on this host");
    expect(lineOf(first, "config")?.text).toContain("config");
  });

  test.each(["unknown", "image"] as const)(
    "deploys nothing as long as it lacks something: %s",
    async (way) => {
      expect([deploysOf(first, way), deploysOf(again, way)]).toEqual([[], []]);
      const { stack } = placesOf(way);
      expect((await tasksOf(shared()))[stack]).toEqual(tasksBefore[stack]);
    },
  );

  test.each(["unknown", "rollback", "pause", "image", "config"] as const)(
    "leaves running what ran: %s",
    async (way) => {
      const page = `Hello again from ${way}.ci.example.org`;
      expect([firstPages[way], await pageOf(shared(), way)]).toEqual([page, page]);
    },
  );

  test("takes no Traefik for too old that this Docker still answers", async () => {
    expect(first.traefik?.line?.id).toBe("image-not-reached");
    const { stack } = placesOf("traefik");
    expect((await tasksOf(shared()))[stack]).toEqual(tasksBefore[stack]);
  });

  test("is over as soon as a good one is set", async () => {
    const host = shared();
    const good = await observed(host, async () => {
      await host.switchTo(allAt(() => "0.9.0"));
    });
    const others = Object.entries(good).filter(([, { state }]) => state !== "converged");
    if (others.length > 0) {
      // A task that fails while its service is updated may be started again beside the new one, and Docker ends
      // neither (moby/swarmkit#2242) before it is deployed again.
      expect(others).toMatchObject([["app-crash", { line: { id: "service-not-up" } }]]);
      expect(others[0]?.[1].line?.text).toContain("2 of 1 tasks run (no task says why)");
      expect((await runAll(host))["app-crash"]?.state).toBe("converged");
    }
    for (const way of ways) {
      expect(await pageOf(host, way)).toBe(`Hello once more from ${way}.ci.example.org`);
    }
    await expectAtRest(host);
  });

  test("is pending while upstream cannot be reached, and goes on when it can", async () => {
    const host = shared();
    const upstream = "/srv/recipes/web.git";
    // A switch starts what multi-user.target wants.
    await host.exec(["systemctl", "disable", "--now", "test-git-server"]);
    const tag = ["tag", "--annotate", "--message=new", "0.10.0+1.1.0", "0.9.0+1.1.0"];
    const person = { GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.org" };
    await host.exec(["git", "-C", upstream, ...tag], { env: person });
    const { exitStatus, failed } = await host.switchTo(
      allAt((way) => (way === "image" ? "0.10.0" : "0.9.0")),
    );
    expect([exitStatus, failed]).toEqual([0, []]);
    const runs = await runAsPlanned(host, ["recipe-unreachable"]);
    expect(runs["app-image"]).toMatchObject({
      ...{ state: "pending", line: { id: "recipe-unreachable" } },
    });
    expect((await host.unit("cc-ci-app-image.service")).exitStatus).toBe(75);
    expect(await pageOf(host, "image")).toBe("Hello once more from image.ci.example.org");
    await host.exec(["systemctl", "enable", "--now", "test-git-server"]);
    expect((await runAll(host))["app-image"]?.state).toBe("converged");
    await expectIdlePass(host);
  });
});
