import { describe, expect, test } from "vitest";
import { runAll } from "./as-planned.ts";
import { callsOf, expectAtRest, stopsOf } from "./at-rest.ts";
import type { Host } from "./host.ts";
import { tasksOf } from "./tasks.ts";
import { pageOf, placesOf, putPassword, withEverything, withWebs } from "./web-app.ts";
import { witnessedHost } from "./witnessed-host.ts";

const web = placesOf("web");
const page = "Hello from web.ci.example.org";

/** Every file that abra and we work on, with its content. */
async function filesOf(host: Host): Promise<string> {
  const find = ["find", "/var/lib/cc-ci/abra", "-type", "f", "-exec", "sha256sum", "{}", "+"];
  return (await host.exec(find)).stdout.split("\n").sort().join("\n");
}

describe("a host whose disk is full", { timeout: 900_000 }, () => {
  const shared = witnessedHost({
    configuration: withWebs({ web: { keys: withEverything } }),
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
    const runs = await runAll(host);
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
    expect(stopsOf(await runAll(host))).toEqual({});
    await expectAtRest(host);
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
