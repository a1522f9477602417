import { describe, expect, test } from "vitest";
import type { Host } from "../host.ts";
import { runAll, runAsPlanned } from "../library/as-planned.ts";
import { callsOf, expectAtRest, harm, stopsOf } from "../library/at-rest.ts";
import { tasksOf } from "../library/tasks.ts";
import { pageOf, placesOf, putPassword, withEverything, withWebs } from "../library/web-app.ts";
import { witnessedHost } from "../library/witnessed-host.ts";

const web = placesOf("web");
const page = "Hello from web.ci.example.org";

/** Every file that abra and we work on, with its content. */
async function filesOf(host: Host): Promise<string> {
  const find = ["find", "/var/lib/cc-ci/abra", "-type", "f", "-exec", "sha256sum", "{}", "+"];
  return (await host.exec(find)).stdout.split("\n").sort().join("\n");
}

describe("a host whose disk is full", { timeout: 900_000 }, () => {
  const shared = witnessedHost({
    configuration: withWebs({ web: { keys: `${withEverything}deploySeconds: 40\n` } }),
    prepare: (_root, host) => putPassword(host),
  });

  test.each([
    ["an .env is to be written", `echo GREETING=Bye >${web.env}`],
    ["a recipe is to be cloned", `rm -r ${web.checkout}`],
  ])("says so in one line, and has nothing half written: %s", async (_, script) => {
    const host = shared();
    await host.exec(["sh", "-ec", script]);
    const relieve = await host.faults.fullDisk("/var/lib/cc-ci");
    const before = [await filesOf(host), await host.docker.versions(), await tasksOf(host)];
    const since = Date.now();
    const runs = await runAsPlanned(host, ["disk-full", "end-unknown"], "app-web");
    expect(stopsOf(runs)["app-web"]).toMatch(/^failed (?:disk-full|end-unknown)$/);
    const said = (await host.journal("cc-ci-app-web.service", since)).split("\n");
    expect(said.filter((line) => /^failed/.test(line))).toEqual([
      expect.stringMatching(
        /^failed \[disk-full\]: no space left on the disk of \/var\/lib\/cc-ci/,
      ),
    ]);
    const after = [await filesOf(host), await host.docker.versions(), await tasksOf(host)];
    expect(after).toEqual(before);
    expect(await pageOf(host, "web")).toBe(page);

    await relieve();
    expect(stopsOf(await runAsPlanned(host, [], "app-web"))).toEqual({});
  });

  test("hands on what Docker says when there is no room for a container", async () => {
    const host = shared();
    await harm(host, `docker service rm ${web.stack}_worker`);
    const relieve = await host.faults.fullDisk("/var/lib/docker/containers");
    const { "app-web": run } = await runAsPlanned(host, ["service-not-up"], "app-web");
    expect(run).toMatchObject({ state: "failed", line: { id: "service-not-up" } });
    expect(run?.line?.text).toContain("no space left on device");
    expect(await pageOf(host, "web")).toBe(page);
    await relieve();
    expect(stopsOf(await runAsPlanned(host, [], "app-web"))).toEqual({});
  });

  test("needs no room as long as there is nothing to do", async () => {
    const host = shared();
    const relieve = await host.faults.fullDisk("/var/lib/cc-ci");
    const runs = await runAll(host);
    expect(callsOf(runs)).toEqual({});
    expect((await host.unit("cc-ci-traefik.service")).result).toBe("success");
    await relieve();
    await expectAtRest(host);
  });
});
