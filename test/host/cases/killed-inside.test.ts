import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { type Host, usualConfiguration } from "../host.ts";
import { callsIn } from "../library/as-planned.ts";
import { forgetOtherReleases } from "../library/forget-releases.ts";
import { Recovered, removeStack } from "../library/kill-everywhere.ts";
import { sharedHost } from "../library/shared-host.ts";
import { stallUpstream } from "../library/slow-upstream.ts";
import { placesOf } from "../library/web-app.ts";
import { withoutTimer } from "../library/without-timer.ts";
import { until } from "../machine/processes.ts";

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

describe("a run that is killed inside of a call", { timeout: 1_800_000 }, () => {
  let before: Recovered | undefined;
  const shared = sharedHost({ configuration: withoutTimer(usualConfiguration()) }, async (host) => {
    await host.settle();
    before = await Recovered.asNow(host);
  });

  test("while it clones, which leaves half of a clone beside", async () => {
    const host = shared();
    await removeStack(host, domain, "traefik");
    await using upstream = await stallUpstream(host, "traefik");
    await start(host);
    await running(host, "git.* index-pac[k]");
    await host.faults.killUnit(unit);
    const { stdout } = await host.exec(["ls", "-A", dirname(checkout)]);
    expect(stdout).toBe(".traefik.new\n");
    await upstream.relieve();
    await before?.again();
  });

  test("while it fetches, which leaves half of a pack", async () => {
    const host = shared();
    await forgetOtherReleases(host, checkout);
    // What is small would come as single files, of which none is ever a half one.
    await host.exec(["git", "config", "--system", "fetch.unpackLimit", "1"]);
    await host.exec(["sh", "-c", `cd ${checkout} && git tag --delete $(git tag)`]);
    await using upstream = await stallUpstream(host, "traefik");
    await start(host);
    await running(host, "git.* index-pac[k]");
    await host.faults.killUnit(unit);
    const { stdout } = await host.exec(["find", `${checkout}/.git/objects`, "-name", "tmp_*"]);
    expect(stdout).toContain("/pack/tmp_pack_");
    await upstream.relieve();
    await before?.again();
  });

  test("while an image is pulled", async () => {
    const host = shared();
    await removeStack(host, domain, "traefik");
    await host.exec(["sh", "-c", `docker tag ${image} kept && docker rmi ${image}`]);
    // A registry that takes the call, and then says nothing.
    const hosts = host.read("/etc/hosts");
    host.write("/etc/hosts", `${hosts}127.0.0.1 registry-1.docker.io\n`);
    const mute = `net.createServer(() => fs.writeFileSync("/run/called", "")).listen(443)`;
    await host.exec(["systemd-run", "--unit=mute", "/usr/local/bin/node", "--eval", mute]);
    const since = Date.now();
    await start(host);
    await until("the call", 60, () => existsSync(host.machine.inside("/run/called")) || undefined);
    const last = async () => callsIn(await host.journal(unit, since)).at(-1);
    await until("it in the journal", 10, async () =>
      (await last()) === `image pull ${image}` ? true : undefined,
    );
    await host.faults.killUnit(unit);
    host.write("/etc/hosts", hosts);
    await host.exec([
      "sh",
      "-c",
      `systemctl stop mute && docker tag kept ${image} && docker rmi kept`,
    ]);
    await before?.again();
  });

  test("while abra deploys, after each thing that it makes", async () => {
    const host = shared();
    for (let made = 1; ; made += 1) {
      await removeStack(host, domain, "traefik");
      // Network, configs and services, in the order of Docker's own client.
      const pattern = `^(network|config|service) create ${stack}_(internal|traefik|file|app|socket)`;
      // The events end with the run, so that who waits for the last one of them gets fewer.
      const script = `
exec 3< <(exec docker events --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}')
events=$!
{ systemctl start ${unit}; kill $events 2>/dev/null; } &
[ "$(grep --max-count=${made} -cE '${pattern}' <&3)" -eq ${made} ] || exit 0
systemctl kill --signal=SIGKILL --kill-whom=all ${unit} && echo killed`;
      const { stdout } = await host.exec(["bash", "-c", script], { timeoutSeconds: 120 });
      await before?.again();
      if (stdout === "") {
        expect(made).toBeGreaterThan(5);
        break;
      }
    }
  });
});
