import { describe, expect, test } from "vitest";
import type { Host } from "../host.ts";
import { planOf, runAll, runAsPlanned } from "../library/as-planned.ts";
import { callsOf, expectAtRest, harm, stopsOf } from "../library/at-rest.ts";
import { follow, textOf } from "../library/follow.ts";
import { sharedHost } from "../library/shared-host.ts";
import { pageOf, placesOf, withWebs } from "../library/web-app.ts";
import { until } from "../machine/processes.ts";

const page = "Hello from web.ci.example.org";
const limit = { timeout: 900_000 };
const web = placesOf("web");

/** Docker goes on removing what the swarm had on the node: a network of a stack came last. */
async function leaveSwarm(host: Host): Promise<void> {
  await harm(host, "docker swarm leave --force");
  const ofSwarm = ["docker", "network", "ls", "--quiet", "--filter", "scope=swarm"];
  const without = async () => (await host.exec(ofSwarm)).stdout === "" || undefined;
  await until("a node without networks of a swarm", 60, without, 700);
}

describe("a swarm that cannot be used", limit, () => {
  const shared = sharedHost({ configuration: withWebs({ web: {} }) }, async (host) => {
    await host.settle();
  });
  const saved = "/var/lib/docker/saved";

  test("is never made anew by itself when it is gone, and comes back from a backup", async () => {
    const host = shared();
    const before = await host.docker.versions();
    await host.exec(["systemctl", "stop", "docker.service", "docker.socket"]);
    await host.exec(["cp", "-a", "/var/lib/docker/swarm", saved]);
    await host.waitForDocker();
    await runAll(host);
    await leaveSwarm(host);
    const runs = await runAsPlanned(host);
    expect(runs.swarm).toMatchObject({ calls: [], state: "refused", line: { id: "swarm-gone" } });
    expect((await host.unit("cc-ci-swarm.service")).exitStatus).toBe(2);
    const alone = await planOf(host, "traefik");
    expect(alone).toMatchObject({ traefik: { calls: [], stop: { id: "piece-blocked" } } });
    const restore = `rm -r /var/lib/docker/swarm; cp -a ${saved} /var/lib/docker/swarm`;
    const back = await follow(host, restore, "systemctl restart docker");
    expect([stopsOf(back), callsOf(back)]).toEqual([{}, {}]);
    expect(await pageOf(host, "web")).toBe(page);
    expect(Object.keys(await host.docker.versions())).toEqual(Object.keys(before));
    await expectAtRest(host);
  });

  test("is made anew once a person accepts its loss, and volumes are found again", async () => {
    const host = shared();
    const data = `/var/lib/docker/volumes/${web.stack}_data/_data/file`;
    await host.exec(["sh", "-c", `echo precious >${data}`]);
    await leaveSwarm(host);
    await runAsPlanned(host);
    const file = /remove (\S+);/.exec(await textOf(host, "swarm"))?.[1] ?? "";
    const made = await follow(host, `rm ${file}`);
    expect(stopsOf(made)).toEqual({});
    expect(made.swarm?.calls.map((call) => call.split(" ").slice(0, 2).join(" "))).toEqual([
      ...["swarm init", "swarm record"],
    ]);
    expect(await pageOf(host, "web")).toBe(page);
    expect((await host.exec(["cat", data])).stdout).toBe("precious\n");
    await expectAtRest(host);
  });

  test("is a person's to unlock when it is locked, and all goes on where it was", async () => {
    const host = shared();
    // given
    await host.exec(["docker", "swarm", "update", "--autolock=true"]);
    const key = (await host.exec(["docker", "swarm", "unlock-key", "--quiet"])).stdout;
    await host.exec(["systemctl", "restart", "docker"]);
    await host.settle();
    // when
    const runs = await runAsPlanned(host);
    // then
    expect(stopsOf(runs)).toMatchObject({
      swarm: "refused swarm-locked",
      traefik: "blocked piece-blocked",
    });
    expect(callsOf(runs)).toEqual({});
    await host.exec(["docker", "swarm", "unlock"], { input: key });
    await host.exec(["docker", "swarm", "update", "--autolock=false"]);
    const after = await runAsPlanned(host);
    expect([stopsOf(after), callsOf(after)]).toEqual([{}, {}]);
  });
});
