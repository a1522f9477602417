import { describe, expect, test } from "vitest";
import { impactOf } from "../../../constructs/impact/impact.ts";
import { takeSnapshot } from "../../../constructs/impact/snapshot.ts";
import { appOf, synthesized } from "../../synthesized.ts";
import { repositoryUrl } from "../git-server/install.ts";
import { type Host, usualConfiguration } from "../host.ts";
import { observed, type Runs, runAll, runAsPlanned } from "../library/as-planned.ts";
import { sharedHost } from "../library/shared-host.ts";
import { tasksOf } from "../library/tasks.ts";
import { placesOf } from "../library/web-app.ts";

const limit = { timeout: 600_000 };

/** Pieces that made at least one call. */
function busy(runs: Runs): readonly string[] {
  return Object.keys(runs).filter((piece) => (runs[piece]?.calls.length ?? 0) > 0);
}

function outcomes(runs: Runs): readonly string[] {
  return [...new Set(Object.values(runs).map(({ state }) => state))];
}

/** What `npm run diff` knows, from one configuration to another. */
async function impact(before: string, after: string) {
  const snapshot = async (yaml: string) => {
    const files = await synthesized(appOf(yaml));
    return takeSnapshot(new Map([...files].map(([path, { content }]) => [path, content])));
  };
  return impactOf(await snapshot(before), await snapshot(after)).hosts[0];
}

const wiki = `apps:
  wiki:
    domain: wiki.ci.example.org
    recipe: web
    release: 0.1.0
    repository: ${repositoryUrl("web")}`;

const newer = "release: 5.2.0";
const mirrored = `docker:
  registryMirrors:
    - https://mirror.example.org`;

describe("a host", limit, () => {
  let first: Runs;
  const shared = sharedHost({}, async (host) => {
    first = await observed(host, async () => undefined);
  });

  test("converges at its first boot", async () => {
    const host = shared();
    expect(outcomes(first)).toEqual(["converged"]);
    const { stdout } = await host.exec([
      ...[
        "curl",
        "--silent",
        "--show-error",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
      ],
      ...["--resolve", "traefik.ci.example.org:443:127.0.0.1", "https://traefik.ci.example.org/"],
    ]);
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  test("does nothing in a second pass: no call, no event, no write, no abra", async () => {
    const host = shared();
    const since = Date.now();
    const versions = await host.docker.versions();
    const runs = await runAsPlanned(host);
    expect({ busy: busy(runs), outcomes: outcomes(runs) }).toEqual({
      busy: [],
      outcomes: ["converged"],
    });
    expect(await host.docker.versions()).toEqual(versions);
    expect(await host.docker.events(since)).toEqual([]);
    const calls = ["journalctl", "-t", "abra-stand-in", "-o", "cat"];
    expect((await host.exec(calls)).stdout).toContain("app deploy");
    expect((await host.exec([...calls, `--since=@${since / 1000}`])).stdout).not.toContain("app");
  });

  test("keeps what its units have rendered, and a broken one is rendered again", async () => {
    const host = shared();
    const path = `/var/cache/cc-ci/converge/recipes/${placesOf("traefik").stack}.json`;
    const kept = host.read(path);
    expect(kept).toContain('"madeFrom":');
    host.write(path, kept.slice(0, -1));
    expect(busy(await runAll(host))).toEqual([]);
    expect(host.read(path)).toBe(kept);
  });

  test("prunes images that have neither a tag nor a container, and no other", async () => {
    const host = shared();
    const images = async () =>
      (await host.exec(["sh", "-c", "docker image ls --all --quiet --no-trunc | sort"])).stdout;
    const before = await images();
    await host.exec(["sh", "-c", "tar -c -T /dev/null | docker import -"]);
    expect(await images()).not.toBe(before);
    expect(await host.start("cc-ci-prune")).toMatchObject({ state: "inactive", result: "success" });
    expect(await images()).toBe(before);
  });

  test("is converged after a reboot, without a call", async () => {
    const host = shared();
    const runs = await observed(host, async () => await host.reboot());
    expect({ busy: busy(runs), outcomes: outcomes(runs) }).toEqual({
      busy: [],
      outcomes: ["converged"],
    });
  });

  test("is converged after a power cut", async () => {
    const host = shared();
    const runs = await observed(host, async () => await host.powerCut());
    expect(outcomes(runs)).toEqual(["converged"]);
    expect(busy(await runAll(host))).toEqual([]);
  });

  test("applies at a switch what diff said, and nothing else", async () => {
    const runs = await switchAsSaid(shared(), usualConfiguration(), usualConfiguration(wiki));
    expect(busy(runs)).toEqual(["app-wiki"]);
  });

  test("deploys another release of the proxy at a switch, and only that", async () => {
    const after = usualConfiguration(wiki, newer);
    const runs = await switchAsSaid(shared(), usualConfiguration(wiki), after);
    expect(busy(runs)).toEqual(["traefik"]);
  });

  test("restarts at a switch what diff said, and converges over it", async () => {
    const host = shared();
    const after = usualConfiguration(`${wiki}\n${mirrored}`, newer);
    expect(busy(await switchAsSaid(host, usualConfiguration(wiki, newer), after))).toEqual([]);
    expect(busy(await runAll(host))).toEqual([]);
  });

  test("takes away at a switch what diff said, and moves what it said", async () => {
    const before = usualConfiguration(`${wiki}\n${mirrored}`, newer);
    const after = usualConfiguration(mirrored, `${newer}\ndomain: front.ci.example.org`);
    const runs = await switchAsSaid(shared(), before, after);
    expect(busy(runs)).toEqual(["retire", "traefik"]);
  });
});

/** Switches, and holds everything that happened to what `npm run diff` had said. */
async function switchAsSaid(host: Host, before: string, after: string): Promise<Runs> {
  const said = await impact(before, after);
  if (said === undefined) throw new Error("diff says that nothing differs");
  const tasks = await tasksOf(host);
  let changed: readonly string[] = [];
  const runs = await observed(host, async () => {
    const { exitStatus, restarted, stopped } = await host.switchTo(after);
    expect(exitStatus).toBe(0);
    // Docker is activated by its socket: NixOS stops it, and starts the socket again.
    changed = [...restarted, ...stopped].filter((unit) => !unit.endsWith(".socket"));
  });
  expect(outcomes(runs)).toEqual(["converged"]);
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).sort();
  expect([...busy(runs)].sort()).toEqual(names(said.applies));
  expect([...changed].sort()).toEqual(names(said.restarts));
  const calls = Object.values(runs).flatMap((run) => run.calls);
  const stacksOf = (verb: string) =>
    calls
      .filter((call) => call.startsWith(`${verb} `))
      .map((call) => call.slice(verb.length + 1).replaceAll(".", "_"))
      .sort();
  expect(stacksOf("app deploy")).toEqual(names(said.redeploys));
  expect(stacksOf("app undeploy")).toEqual([...said.retired.stacks]);
  const touched = [...names(said.redeploys), ...said.retired.stacks];
  const others = (all: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(all).filter(([stack]) => !touched.includes(stack));
  if (said.restarts.length === 0) expect(others(await tasksOf(host))).toEqual(others(tasks));
  return runs;
}
