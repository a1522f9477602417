import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { callsIn, runAsPlanned } from "./as-planned.ts";
import { type FinalState, finalState } from "./final-state.ts";
import { forgetOtherReleases } from "./forget-releases.ts";
import { type Host, usualConfiguration } from "./host.ts";
import { removeStack } from "./kill-everywhere.ts";
import { until } from "./processes.ts";
import { sharedHost } from "./shared-host.ts";
import { stallUpstream } from "./slow-upstream.ts";
import { placesOf } from "./web-app.ts";
import { withoutTimer } from "./without-timer.ts";
import { Witnesses } from "./witnesses.ts";

const { domain, stack, checkout } = placesOf("traefik");
const unit = "cc-ci-traefik.service";
const image = "traefik:v3.6.12";

/** Waits for a program by its command line; the pattern must not match itself, in the line of `pgrep`. */
async function running(host: Host, pattern: string): Promise<void> {
  await until(pattern, 60, async () => {
    const { exitCode } = await host.exec(["pgrep", "--full", pattern], { mayFail: true });
    return exitCode === 0 ? true : undefined;
  });
}

async function start(host: Host): Promise<void> {
  await host.exec(["systemctl", "start", "--no-block", unit]);
}

/** Numbers from 0 to 1 that are the same again for the same seed (mulberry32). */
function randomsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("a run that is killed inside of a call", { timeout: 1_800_000 }, () => {
  let goal: FinalState | undefined;
  let witnesses: Witnesses | undefined;
  const configuration = withoutTimer(usualConfiguration());
  const shared = sharedHost({ configuration }, async (host) => {
    await host.settle();
    witnesses = await Witnesses.put(host);
    goal = await finalState(host);
  });

  /** Shows that the next run makes of it what an undisturbed one makes. */
  async function expectRecovery(host: Host): Promise<void> {
    await host.settle();
    for (const [piece, { state }] of Object.entries(await runAsPlanned(host))) {
      expect({ piece, state }).toEqual({ piece, state: "converged" });
    }
    expect(await finalState(host)).toEqual(goal);
    expect(await witnesses?.touched({ restarted: true })).toEqual([]);
  }

  test("while it clones, which leaves half of a clone beside", async () => {
    const host = shared();
    await removeStack(host, domain, "traefik");
    const relieve = await stallUpstream(host, "traefik");
    await start(host);
    await running(host, "git.* index-pac[k]");
    await host.faults.killUnit(unit);
    const { stdout } = await host.exec(["ls", "-A", `${checkout}/..`]);
    expect(stdout).toBe(".traefik.new\n");
    await relieve();
    await expectRecovery(host);
  });

  test("while it fetches, which leaves half of a pack", async () => {
    const host = shared();
    await forgetOtherReleases(host, checkout);
    // What is small would come as single files, of which none is ever a half one.
    await host.exec(["git", "config", "--system", "fetch.unpackLimit", "1"]);
    await host.exec(["sh", "-c", `cd ${checkout} && git tag --delete $(git tag)`]);
    const relieve = await stallUpstream(host, "traefik");
    await start(host);
    await running(host, "git.* index-pac[k]");
    await host.faults.killUnit(unit);
    const { stdout } = await host.exec(["find", `${checkout}/.git/objects`, "-name", "tmp_*"]);
    expect(stdout).toContain("/pack/tmp_pack_");
    await relieve();
    await expectRecovery(host);
  });

  test("while an image is pulled", async () => {
    const host = shared();
    await removeStack(host, domain, "traefik");
    await host.exec(["sh", "-c", `docker tag ${image} kept && docker rmi ${image}`]);
    // A registry that takes the call, and then says nothing.
    await host.exec(["sh", "-c", "echo 127.0.0.1 registry-1.docker.io >>/etc/hosts"]);
    const mute = `net.createServer(() => fs.writeFileSync("/run/called", "")).listen(443)`;
    await host.exec(["systemd-run", "--unit=mute", "/usr/local/bin/node", "--eval", mute]);
    const since = Date.now();
    await start(host);
    await until("the call", 60, () => existsSync(host.machine.inside("/run/called")) || undefined);
    expect(callsIn(await host.journal(unit, since)).at(-1)).toBe(`image pull ${image}`);
    await host.faults.killUnit(unit);
    await host.exec(["sh", "-c", "systemctl stop mute; sed -i /registry-1/d /etc/hosts || true"]);
    await host.exec(["sh", "-c", `docker tag kept ${image} && docker rmi kept`]);
    await expectRecovery(host);
  });

  test("while abra deploys, after each thing that it makes", async () => {
    const host = shared();
    for (let made = 1; ; made += 1) {
      await removeStack(host, domain, "traefik");
      // Network, configs and services, in the order of Docker's own client.
      const pattern = `^(network|config|service) create ${stack}_(internal|traefik|file|app|socket)`;
      const script = `
docker events --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' >/run/made & events=$!
trap 'kill $events' EXIT
systemctl start ${unit} & run=$!
while kill -0 $run 2>/dev/null; do
  [ "$(grep -cE '${pattern}' /run/made)" -ge ${made} ] || continue
  systemctl kill --signal=SIGKILL --kill-whom=all ${unit} && echo killed
  exit
done`;
      const { stdout } = await host.exec(["bash", "-c", script], { timeoutSeconds: 120 });
      await expectRecovery(host);
      if (stdout === "") {
        expect(made).toBeGreaterThan(5);
        break;
      }
    }
  });

  test("at any moment, and by a power cut, from which the boot recovers alone", async () => {
    const host = shared();
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    console.log(`SEED=${seed}`);
    const random = randomsOf(seed);
    await removeStack(host, domain, "traefik");
    const begun = performance.now();
    await host.start(unit);
    const seconds = (performance.now() - begun) / 1000;
    for (const kill of ["unit", "power", "unit", "power", "unit"]) {
      await removeStack(host, domain, "traefik");
      await start(host);
      await new Promise((resolve) => setTimeout(resolve, random() * seconds * 1000));
      if (kill === "power") await host.powerCut();
      else await host.faults.killUnit(unit);
      await expectRecovery(host);
    }
  });
});
