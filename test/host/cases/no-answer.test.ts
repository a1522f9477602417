import { describe, expect, test } from "vitest";
import { planOf, runAll, runAsPlanned, statusOf } from "../library/as-planned.ts";
import { callsOf, stopsOf } from "../library/at-rest.ts";
import { sharedHost } from "../library/shared-host.ts";
import { withWebs } from "../library/web-app.ts";

/** Most of it is spent waiting, for as long as the units wait. */
const limit = { timeout: 900_000 };

describe("what does not answer", limit, () => {
  const shared = sharedHost({ configuration: withWebs({ web: {} }) }, async (host) => {
    await host.settle();
  });

  test("is said in one line when it is Docker, and nothing is changed", async () => {
    const host = shared();
    const docker = ["systemctl", "kill", "--kill-whom=main", "docker.service"];
    await host.exec([...docker, "--signal=STOP"]);
    const planned = await planOf(host);
    const { exitStatus } = await host.start("cc-ci-swarm");
    const { swarm } = await statusOf(host);
    await host.exec([...docker, "--signal=CONT"]);
    expect(planned.swarm).toMatchObject({ calls: [], stop: { id: "docker-silent" } });
    expect(exitStatus).toBe(1);
    expect([swarm?.state, swarm?.line?.id]).toEqual(["failed", "docker-silent"]);
    const runs = await runAsPlanned(host);
    expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, {}]);
  });

  test("is said by a run that could not even be started, and by status and plan", async () => {
    const host = shared();
    const units = ["docker.service", "docker.socket"];
    await host.exec(["systemctl", "stop", ...units]);
    await host.exec(["systemctl", "mask", "--runtime", ...units]);
    const { exitCode, stdout } = await host.converge("run", "swarm");
    const status = await host.converge("status");
    const planned = await planOf(host);
    await host.exec(["systemctl", "unmask", "--runtime", ...units]);
    const blocked = /\[piece-blocked\] cc-ci-swarm\.service is not started, since docker\.service/;
    const said = [1, expect.stringMatching(blocked)];
    expect([exitCode, stdout]).toEqual(said);
    expect([status.exitCode, status.stdout]).toEqual(said);
    expect(status.stdout).not.toContain("converged");
    expect(planned.swarm).toMatchObject({ calls: [], stop: { id: "piece-blocked" } });
    await host.waitForDocker();
    const { exitCode: end, stderr: lost } = await host.exec(
      ["sh", "-c", "converge run swarm >/dev/full"],
      { mayFail: true },
    );
    expect([end, lost]).toEqual([
      1,
      expect.stringMatching(/^failed \[output-lost\]: what converge says cannot be written/),
    ]);
    // All that had run comes up again with Docker.
    expect(stopsOf(await runAll(host))).toEqual({});
  });

  test("is said of each name when it is the published port", async () => {
    const host = shared();
    const rule = ["INPUT", "--proto=tcp", "--dport=443", "--jump=REJECT"];
    await host.exec(["iptables", "--insert", ...rule]);
    const runs = await runAsPlanned(host, ["not-served"]);
    await host.exec(["iptables", "--delete", ...rule]);
    expect([stopsOf(runs), callsOf(runs)]).toEqual([
      { traefik: "failed not-served", "app-web": "failed not-served" },
      {},
    ]);
    expect(stopsOf(await runAsPlanned(host))).toEqual({});
  });
});
