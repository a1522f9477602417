import { describe, expect, test } from "vitest";
import type { Host } from "../host.ts";
import { observed, type Runs, runAsPlanned } from "../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, quiet, stopsOf } from "../library/at-rest.ts";
import { pageOf, placesOf, putPassword, withEverything, withWebs } from "../library/web-app.ts";
import { witnessedHost } from "../library/witnessed-host.ts";
import { until } from "../machine/processes.ts";
import type { Configuration } from "../system/system.ts";

const web = placesOf("web");
const both = withWebs({ web: { keys: withEverything }, wiki: {} });

async function secretsOf(host: Host): Promise<readonly string[]> {
  const ls = ["docker", "secret", "ls", "--format={{.Name}}", `--filter=name=${web.stack}`];
  return (await host.exec(ls)).stdout.split("\n").filter(Boolean);
}

async function switched(host: Host, configuration: Configuration): Promise<Runs> {
  const runs = await observed(host, async () => {
    await host.switchTo(configuration);
  });
  return runs;
}

/** Where a call stands among others; fails when it is not there. */
function placeOf(calls: readonly string[], start: string): number {
  const place = calls.findIndex((call) => call.startsWith(start));
  expect(place, `${start} in ${calls.join(", ")}`).toBeGreaterThanOrEqual(0);
  return place;
}

describe("what leaves the configuration", { timeout: 900_000 }, () => {
  const shared = witnessedHost({
    configuration: both,
    prepare: (_root, host) => putPassword(host),
  });

  test("a secret of another content takes the old one's place only once it works", async () => {
    const host = shared();
    const [old = ""] = await secretsOf(host);
    // Nobody shall take it before the switch does.
    await host.exec(["systemctl", "stop", "cc-ci-app-web.path"]);
    putPassword(host, "another password that a machine has made");
    // A release that never gets healthy: Docker goes back to the old secret, which must be there.
    const bad = await switched(
      host,
      withWebs({ web: { release: "0.3.0", keys: withEverything }, wiki: {} }),
    );
    expect(bad["app-web"]?.line?.id).toBe("service-rolled-back");
    expect(await secretsOf(host)).toContain(old);
    // Docker says that it went back when the older task runs; Traefik hears of it a little later.
    await until("the page of the older release", 20, async () =>
      (await pageOf(host, "web")) === "Hello from web.ci.example.org" ? true : undefined,
    );
    const good = await switched(host, both);
    expect(stopsOf(good)).toEqual({});
    const calls = good["app-web"]?.calls ?? [];
    expect(calls.at(-1)).toBe(`secret remove ${old}`);
    expect(placeOf(calls, "app deploy")).toBeLessThan(placeOf(calls, "service seal"));
    expect(await secretsOf(host)).toHaveLength(1);
    await expectAtRest(host);
  });

  test("an overlay takes the service with it that it had brought, and no volume", async () => {
    const host = shared();
    const keys = withEverything.replace("compose.worker.yml, ", "");
    const runs = await switched(host, withWebs({ web: { keys }, wiki: {} }));
    expect(stopsOf(runs)).toEqual({});
    const calls = runs["app-web"]?.calls ?? [];
    const removed = placeOf(calls, `service remove ${web.stack}_worker`);
    expect(removed).toBeGreaterThan(placeOf(calls, "service seal"));
    expect(await pageOf(host, "web")).toBe("Hello from web.ci.example.org");
    await expectAtRest(host);
  });

  test("an app is undeployed without its secrets, and its volume is kept, and named", async () => {
    const host = shared();
    const data = `/var/lib/docker/volumes/${web.stack}_data/_data`;
    await host.exec(["sh", "-c", `echo precious >${data}/file`]);
    // What a power cut now and then leaves of a task, for which abra would wait in vain.
    const labels = [`com.docker.stack.namespace=${web.stack}`, "com.docker.swarm.task.id=../info"];
    const create = `docker container create --name left ${labels.map((each) => `--label ${each}`).join(" ")}`;
    await host.exec(["sh", "-ec", `${create} $(docker image ls --quiet web | head -1) true`]);
    const since = Date.now();
    const runs = await switched(host, withWebs({ wiki: {} }));
    const { retire, "app-web": gone } = runs;
    expect([stopsOf(runs), gone]).toEqual([{}, undefined]);
    expect(retire?.calls).toEqual([
      "container remove left",
      `app undeploy ${web.stack}`,
      expect.stringMatching(`^secret remove ${web.stack}_db_password_`),
      `config remove ${web.stack}_cc-ci`,
    ]);
    expect(await host.journal("cc-ci-retire.service", since)).toContain(
      `its volumes were kept: ${web.stack}_data`,
    );
    expect(await secretsOf(host)).toEqual([]);
    expect(await pageOf(host, "wiki")).toBe("Hello from wiki.ci.example.org");
    await expectAtRest(host);

    const back = await switched(host, both);
    expect(stopsOf(back)).toEqual({});
    expect((await host.exec(["cat", `${data}/file`])).stdout).toBe("precious\n");
    expect(await pageOf(host, "web")).toBe("Hello from web.ci.example.org");
    await expectAtRest(host);
  });

  test("two apps go at once, as plan says, the newest first", async () => {
    const host = shared();
    // A switch starts every unit: this one does nothing in it, so that plan can be asked before.
    const folder = "/run/systemd/system/cc-ci-retire.service.d";
    const nothing = "[Service]\nExecStart=\nExecStart=/bin/true\n";
    const put = `mkdir ${folder} && cat >${folder}/nothing.conf`;
    await host.exec(["sh", "-c", put], { input: nothing });
    await switched(host, withWebs({}));
    await host.exec(["sh", "-c", `rm -r ${folder} && systemctl daemon-reload`]);
    await quiet(host);
    const runs = await runAsPlanned(host);
    const undeployed = (runs.retire?.calls ?? []).filter((call) => call.startsWith("app undeploy"));
    const wiki = placesOf("wiki");
    expect(undeployed).toEqual([`app undeploy ${web.stack}`, `app undeploy ${wiki.stack}`]);
    expect(Object.keys(callsOf(runs))).toEqual(["retire"]);
    await expectIdlePass(host);
  });
});
