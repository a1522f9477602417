import { describe, expect, test } from "vitest";
import { impactOf } from "../../constructs/impact/impact.ts";
import { takeSnapshot } from "../../constructs/impact/snapshot.ts";
import { appOf, synthesized } from "../synthesized.ts";
import { observed, type Runs, runAll, runAsPlanned } from "./as-planned.ts";
import { repositoryUrl } from "./git-server/install.ts";
import { usualConfiguration } from "./host.ts";
import { sharedHost } from "./shared-host.ts";

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
    const calls = ["journalctl", "-t", "abra-stand-in", "-o", "cat", `--since=@${since / 1000}`];
    expect((await host.exec(calls)).stdout).not.toContain("app");
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
    const host = shared();
    const before = usualConfiguration();
    const after = usualConfiguration(wiki);
    const said = await impact(before, after);
    const runs = await observed(host, async () => {
      expect((await host.switchTo(after)).exitStatus).toBe(0);
    });
    expect(outcomes(runs)).toEqual(["converged"]);
    expect(busy(runs)).toEqual(said?.applies.map(({ name }) => name));
    expect(busy(runs)).toEqual(["app-wiki"]);
    expect(said?.restarts).toEqual([]);
  });

  test("deploys another release of the proxy at a switch, and only that", async () => {
    const host = shared();
    const before = usualConfiguration(wiki);
    const after = usualConfiguration(wiki, "release: 5.2.0");
    const said = await impact(before, after);
    const runs = await observed(host, async () => {
      expect((await host.switchTo(after)).exitStatus).toBe(0);
    });
    expect(outcomes(runs)).toEqual(["converged"]);
    expect(busy(runs)).toEqual(["traefik"]);
    expect(said?.applies.map(({ name }) => name)).toEqual(["traefik"]);
  });

  test("restarts at a switch what diff said, and converges over it", async () => {
    const host = shared();
    const before = usualConfiguration(wiki, "release: 5.2.0");
    const after = usualConfiguration(
      `${wiki}\ndocker:\n  registryMirrors:\n    - https://mirror.example.org`,
      "release: 5.2.0",
    );
    const said = await impact(before, after);
    let restarted: readonly string[] = [];
    const runs = await observed(host, async () => {
      const result = await host.switchTo(after);
      expect(result.exitStatus).toBe(0);
      // Docker is activated by its socket: NixOS stops it, and starts the socket again.
      restarted = [...result.restarted, ...result.stopped].filter(
        (unit) => !unit.endsWith(".socket"),
      );
    });
    expect(outcomes(runs)).toEqual(["converged"]);
    expect(said?.restarts.map(({ name }) => `${name}`)).toEqual(restarted);
    expect(busy(await runAll(host))).toEqual([]);
  });
});
