import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { SeededForge } from "../forge/seed.ts";
import type { Host } from "../host.ts";
import { observed, runAsPlanned, statusOf } from "../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, harm, stopsOf } from "../library/at-rest.ts";
import {
  bridgeAddress,
  bridgeHost,
  bridgeStack,
  RecipePulls,
  tokenFiles,
  withBridge,
} from "../library/bridge-host.ts";
import { withDrone } from "../library/drone-host.ts";
import { sharedHost } from "../library/shared-host.ts";
import { withSlowSenders } from "../library/slow-senders.ts";
import { TestRuns } from "../library/test-runs.ts";
import { until } from "../machine/processes.ts";
import type { Configuration } from "../system/system.ts";

const service = `${bridgeStack}_app`;

const containerSchema = z.object({
  Image: z.string(),
  ReadOnly: z.boolean(),
  CapabilityDrop: z.array(z.string()),
  Env: z.array(z.string()).nullish(),
  Mounts: z.array(
    z.object({ Type: z.string(), Target: z.string(), ReadOnly: z.boolean().default(false) }),
  ),
  Secrets: z.array(z.object({ SecretName: z.string() })),
});

const serviceSchema = z.object({
  Spec: z.object({ TaskTemplate: z.object({ ContainerSpec: containerSchema }) }),
});

/** In that mode it asks the forge each 14 minutes alone. */
const withHook = { bridge: "mode: webhook" };

/** What the bridge's container is like. */
async function containerOf(host: Host): Promise<z.infer<typeof containerSchema>> {
  const { Spec } = serviceSchema.parse(await host.docker.get(`/services/${service}`));
  return Spec.TaskTemplate.ContainerSpec;
}

/** An answer of the bridge through the proxy. */
async function page(
  host: Host,
  path: string,
  address = bridgeAddress,
): Promise<{ status: number; text: string }> {
  const command = ["curl", "--silent", "--write-out", "\n%{http_code}", `${address}${path}`];
  const { stdout } = await host.exec(command, { mayFail: true });
  const at = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(at + 1)), text: stdout.slice(0, at) };
}

describe("a host with the bridge", { timeout: 600_000 }, () => {
  let forge: SeededForge | undefined;
  let known: RecipePulls | undefined;
  const shared = sharedHost(
    async () => {
      const { forge: seeded, ...options } = await bridgeHost({ hasOwnTimers: false });
      forge = seeded;
      return options;
    },
    async (host) => {
      if (forge !== undefined) known = new RecipePulls(host, forge);
      await host.settle();
    },
  );
  const pulls = (): RecipePulls => {
    if (known === undefined) throw new Error("the host has no forge");
    return known;
  };
  const configured = (keys: Parameters<typeof withBridge>[1] = {}): Configuration =>
    withBridge(forge?.clientId ?? "", { hasOwnTimers: false, ...keys });

  test("converges by itself at its first boot, and does nothing in a second pass", async () => {
    const pieces = Object.values(await statusOf(shared()));
    expect(pieces.filter(({ state }) => state !== "converged")).toEqual([]);
    expect(pieces.map(({ piece }) => piece)).toContain("bridge");
    await expectIdlePass(shared());
  });

  test("says through the proxy whether it does what it is for, and shows no more there", async () => {
    expect(await page(shared(), "/healthz")).toEqual({
      ...{ status: 200, text: '{"ok":true,"problems":[]}' },
    });
    for (const path of ["/metrics", "/hook"]) {
      expect([path, (await page(shared(), path)).status]).toEqual([path, 404]);
    }
  });

  test("tests what a member asks for, and tells how each stage went", async () => {
    const { number, head } = await pulls().open();
    await pulls().comment("maintainer", number, "!testme");
    await pulls().comment("member", number, "!testme --quick");
    const told = await pulls().answered(number, /passed/);
    expect(told).toContain(head);
    expect(told).toMatch(/\| rehearse \| ✅ passed \| \d+ s \|/);
    expect(told).toMatch(/\| linger \| ⚪ skipped \|/);
    const others = (await pulls().answers(number)).filter((body) => body !== told);
    expect(others).toEqual([expect.stringContaining("Only members of recipes can ask")]);
    await expectAtRest(shared());
  });

  test("tells the last lines of a test that failed", async () => {
    const runs = new TestRuns(shared());
    runs.script({
      wiki: { outcome: "failed", reason: "the page said 500", acts: [{ say: "oh" }] },
    });
    const { number } = await pulls().open();
    await pulls().comment("member", number, "!testme");
    const told = await pulls().answered(number, /failed/);
    expect(told).toContain("the page said 500");
    expect(told).toMatch(/```text\n(?:.*\n)*oh\n```/);
    runs.script({});
    await runs.none();
  });

  test("lets the bridge write to its own volume alone, and gives it secrets as files", async () => {
    const host = shared();
    const { Env, ReadOnly, CapabilityDrop, Mounts } = await containerOf(host);
    expect({ Env: Env ?? [], ReadOnly, CapabilityDrop }).toEqual({
      ...{ Env: [], ReadOnly: true, CapabilityDrop: ["ALL"] },
    });
    const writable = Mounts.filter((mount) => !mount.ReadOnly);
    expect(writable).toEqual([{ Type: "volume", Target: "/data", ReadOnly: false }]);
    const { stdout } = await host.exec(["docker", "service", "logs", "--raw", service]);
    for (const path of Object.values(tokenFiles)) {
      expect(host.read(path).trim().length).toBeGreaterThan(16);
      expect(stdout).not.toContain(host.read(path).trim());
    }
  });

  test.for<[string, string, readonly string[]]>([
    [
      "removed",
      `docker service rm ${service}`,
      [`stack deploy ${bridgeStack}`, `service seal ${service}`],
    ],
    [
      "altered by hand",
      `docker service update --quiet --detach --env-add A=1 ${service}`,
      [`stack deploy ${bridgeStack}`, `service seal ${service}`],
    ],
    [
      "without its image",
      `docker service rm ${service}
       until [ -z "$(docker ps -aq --filter label=com.docker.swarm.service.name=${service})" ]; do sleep 0.2; done
       docker image rm --force $(docker image ls -q cc-ci.invalid/bridge)`,
      ["image load", `stack deploy ${bridgeStack}`, `service seal ${service}`],
    ],
  ])("brings the bridge back that was %s", async ([, script, calls]) => {
    const host = shared();
    await harm(host, script);
    const runs = await runAsPlanned(host, [], "bridge");
    expect(stopsOf(runs)).toEqual({});
    const made = runs.bridge?.calls.map((call) => call.replace(/^(image load) .*$/, "$1"));
    expect(made).toEqual(calls);
    const isWell = async () => (await page(host, "/healthz")).status === 200 || undefined;
    await until("its health", 60, isWell);
  });

  test("goes on with what was asked for after a power cut, and answers it", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    runs.script({ wiki: { acts: [{ say: "begun" }, { sleepSeconds: 600 }] } });
    const { number } = await pulls().open();
    await pulls().comment("member", number, "!testme");
    await pulls().answered(number, /running since/);
    // when
    await host.powerCut();
    await host.settle();
    // Which the timer does otherwise.
    const told = await until("the end of it", 180, async () => {
      await host.start("cc-ci-drone-builds");
      return (await pulls().answers(number)).find((body) => body.includes("cancelled"));
    });
    // then
    expect(told).toContain("It was ended in Drone, or lost there");
    expect(await pulls().answers(number)).toHaveLength(1);
    runs.script({});
    await runs.none();
  });

  test("runs with another token once its file has one, and forgets the old one", async () => {
    const host = shared();
    const before = (await containerOf(host)).Secrets.map(({ SecretName }) => SecretName);
    const token = host.read(tokenFiles.forge);
    // The path unit sees it.
    const runs = await observed(host, async () => {
      host.write(tokenFiles.forge, "another-token-that-nobody-knows", 0o600);
    });
    expect(stopsOf(runs)).toEqual({});
    const [name = ""] = before.filter((each) => each.includes("_forge_token_"));
    expect(runs.bridge?.calls).toContain(`secret remove ${name}`);
    const refused = async () => (await page(host, "/healthz")).text;
    await expect.poll(refused, { timeout: 30_000 }).toContain("refuses the bridge's token");
    await observed(host, async () => host.write(tokenFiles.forge, token, 0o600));
    await expect.poll(refused, { timeout: 60_000 }).toContain('"ok":true');
  });

  test("remembers at another domain what was asked for before, and answers it", async () => {
    const host = shared();
    const runs = new TestRuns(host);
    runs.script({ wiki: { acts: [{ say: "begun" }, { sleepSeconds: 600 }] } });
    const { number, head } = await pulls().open();
    await pulls().comment("member", number, "!testme");
    await pulls().answered(number, /running since/);
    // when
    const moved = await observed(host, async () => {
      const next = configured({ bridge: "domain: hooks.ci.example.org" });
      expect((await host.switchTo(next)).exitStatus).toBe(0);
    });
    // then
    expect(stopsOf(moved)).toEqual({});
    expect(Object.keys(callsOf(moved))).toEqual(["bridge"]);
    expect((await page(host, "/healthz", "https://hooks.ci.example.org")).status).toBe(200);
    expect((await page(host, "/healthz")).status).toBe(404);
    await pulls().comment("member", number, "!testme cancel");
    await pulls().answered(number, /⚪ cancelled after/);
    const told = await pulls().answers(number);
    expect(told.filter((body) => body.includes(head))).toHaveLength(1);
    runs.script({});
    // A runner that is just about to ask again is told of the end of its build neither now nor later.
    await until("the end of its run", 180, async () => {
      if ((await runs.units()).length === 0) return true;
      await host.start("cc-ci-drone-builds");
      return undefined;
    });
    await runs.none();
  });

  test("takes hooks from the forge once it is told to, and misses nothing on the way", async () => {
    const host = shared();
    const next = configured(withHook);
    const runs = await observed(host, async () => {
      expect((await host.switchTo(next)).exitStatus).toBe(0);
    });
    expect(stopsOf(runs)).toEqual({});
    expect(Object.keys(callsOf(runs))).toEqual(["bridge"]);
    const key = host.read("/var/lib/cc-ci/secrets/bridge-webhook-key").trim();
    await pulls().hook(`${bridgeAddress}/hook`, key);
    const { number } = await pulls().open();
    await pulls().comment("member", number, "!testme help");
    await pulls().answered(number, /What can be written here/, 30);
    expect((await page(host, "/hook")).status).toBe(405);
    await expectAtRest(host);
  });

  test("goes on answering while others send slowly, whom the proxy waits for", async () => {
    const senders = { count: 60, keyFile: "/var/lib/cc-ci/secrets/bridge-webhook-key" };
    expect(await withSlowSenders(shared(), "bridge.ci.example.org", senders)).toEqual({
      ...{ held: 60, healthz: 200, delivery: 202 },
    });
  });

  test("runs another image once the host brings one, and drops the one before", async () => {
    const host = shared();
    const before = (await containerOf(host)).Image;
    const { app, modules = [] } = configured(withHook);
    const image = '{ cc-ci.images.bridge.reference = "cc-ci.invalid/bridge:other"; }';
    const runs = await observed(host, async () => {
      expect((await host.switchTo({ app, modules: [...modules, image] })).exitStatus).toBe(0);
    });
    expect(stopsOf(runs)).toEqual({});
    expect(runs.bridge?.calls).toContain("image load cc-ci.invalid/bridge:other");
    expect(runs.bridge?.calls).toContain(`image remove ${before}`);
    await expectAtRest(host);
  });

  test("undeploys the bridge that left its configuration, and keeps what it remembers", async () => {
    const host = shared();
    const runs = await observed(host, async () => {
      const next = withDrone(forge?.clientId ?? "", { hasOwnTimers: false });
      expect((await host.switchTo(next)).exitStatus).toBe(0);
    });
    expect(stopsOf(runs)).toEqual({});
    expect(runs.retire?.calls).toContain(`service remove ${service}`);
    const { stdout } = await host.exec(["docker", "volume", "ls", "--quiet"]);
    expect(stdout.split("\n")).toContain(`${bridgeStack}_data`);
    await expectAtRest(host);
  });
});
