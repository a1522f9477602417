import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { pathOf, requireHosts } from "../../tools.ts";
import { contract } from "../abra/contract.ts";
import { answerOtherwise, installAbraStandIn } from "../abra/install.ts";
import { defaultSettings, type Settings } from "../abra/settings.ts";
import { hostImages } from "../machine/docker-data.ts";
import { Machine } from "../machine/machine.ts";
import { hostRoot } from "../machine/root.ts";

const repository = join(import.meta.dirname, "../../..");
const checkout = "/mnt/checkout";

/** The whole contract takes 50 s on two idle cores. */
const probeSeconds = 400;

const verdictsSchema = z.array(z.object({ id: z.string(), verdict: z.string(), seen: z.string() }));

async function bootSwarm(): Promise<Machine> {
  const machine = await Machine.make({
    root: pathOf(hostRoot),
    docker: pathOf(hostImages),
    binds: { [checkout]: repository },
  });
  installAbraStandIn(machine.root);
  await machine.boot();
  await machine.exec(["systemctl", "start", "docker.service"]);
  await machine.exec(["docker", "swarm", "init", "--advertise-addr", "127.0.0.1"]);
  return machine;
}

async function probe(machine: Machine, ids: readonly string[] = []) {
  const flags = ["--abra", "/usr/bin/abra", "--json", ...ids.flatMap((id) => ["--only", id])];
  const { stdout, stderr } = await machine.exec(
    ["node", `${checkout}/test/host/abra/probe.ts`, ...flags],
    { timeoutSeconds: probeSeconds, mayFail: true },
  );
  expect(stderr).toBe("");
  return verdictsSchema.parse(JSON.parse(stdout));
}

// What is shown here is that the stand-in keeps the contract, and not that abra does.
describe("the stand-in for abra", { timeout: (probeSeconds + 60) * 1000 }, () => {
  let machine: Machine | undefined;

  beforeEach(async (context) => {
    requireHosts(context);
    machine ??= await bootSwarm();
  }, 120_000);
  afterAll(async () => await machine?.remove());

  const booted = (): Machine => {
    if (machine === undefined) throw new Error("no machine");
    return machine;
  };

  test("keeps every entry of the contract, and the probe leaves nothing behind", async () => {
    const verdicts = await probe(booted());
    expect(verdicts.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect(verdicts.map(({ id }) => id)).toEqual(contract.map(({ id }) => id));
    const script =
      "docker ps -aq; for kind in volume secret config; do docker $kind ls -q; done; ls /tmp";
    const left = await booted().exec(["sh", "-c", script]);
    expect(left.stdout).toBe("");
  });

  // One that answers so hides what others do: without a rewritten line no other line changes, and
  // without the state folder nothing works at all.
  const otherAnswers: Settings = {
    honoursStateFolder: false,
    cutsStackNames: false,
    takesStackNameFromEnv: true,
    rewritesType: "never",
    keepsOtherLines: false,
    exposesEnvTo: "every-service",
    exposesRecipeVersions: false,
    labels: "every-service",
    lintStops: false,
    waitsForRemoval: false,
    undeployFetches: true,
    undeployNeedsRecipe: false,
  };
  const { honoursStateFolder, rewritesType, undeployFetches, ...together } = otherAnswers;

  test.each<readonly [string, Partial<Settings>]>([
    ["most of them", together],
    ["the TYPE line", { rewritesType }],
    ["the state folder", { honoursStateFolder }],
    ["the fetch of an undeploy", { undeployFetches }],
  ])("shows to the probe each guess that turns out otherwise: %s", async (_, answers) => {
    answerOtherwise(booted().inside("/"), answers);
    const guesses = contract.filter(({ setting }) => setting !== undefined && setting in answers);
    const ids = guesses.map(({ id }) => id);
    const verdicts = await probe(booted(), ids);
    answerOtherwise(booted().inside("/"), {});
    expect(verdicts.filter(({ verdict }) => verdict !== "differs")).toEqual([]);
    expect(verdicts.map(({ id }) => id)).toEqual(ids);
  });

  test("has an entry of the contract for each of its settings", () => {
    const settings = contract.flatMap(({ setting }) => setting ?? []);
    expect([...new Set(settings)].sort()).toEqual(Object.keys(defaultSettings).sort());
  });

  test.each([
    [["app", "ls"]],
    [["app", "deploy", "a.example.org", "-n", "-o", "-D", "-c", "-f"]],
    [["app", "deploy", "a.example.org", "1.0.0", "-o", "-n", "-D", "-c", "-f"]],
    [["app", "deploy", "a.example.org", "1.0.0", "-n", "-o", "-D", "-c", "-f", "-C"]],
    [["app", "undeploy", "-n", "a.example.org"]],
    [[]],
  ])("accepts no other arguments than the adapter's, as in %j", async (args) => {
    const result = await booted().exec(["abra", ...args], { mayFail: true });
    expect(result.exitCode).toBe(64);
    expect(result.stderr).toContain("abra app undeploy <domain> -n");
  });
});
