import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { requireNixpkgs, requireTool } from "../tools.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";
import { unitDifferences } from "./unit-keys.ts";

const root = join(import.meta.dirname, "..", "..");

const folders = (path: string): readonly string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];

/** Hosts that are generated and described by hand: both halves are needed to evaluate one. */
const described = folders(join(root, "nix", "hosts"));
const hosts = folders(join(root, "out")).filter((host) => described.includes(host));

/** As nix/host.nix puts a host together. */
const modulesOf = (host: string): readonly string[] => [
  join(root, "nix", "hosts", host),
  join(root, "nix", "modules", "cc-ci.nix"),
  join(root, "out", host),
];

function evaluateHost(
  context: TestContext,
  host: string,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  requireTool(context, "nix-instantiate");
  return evaluate(modulesOf(host), options);
}

test("there is a host to evaluate", (context) => {
  // given the repository, when, then: CI has nothing to prove without one
  if (hosts.length === 0 && process.env.CI !== "true")
    context.skip("needs out/: run the generator");
  expect(hosts).not.toEqual([]);
});

describe.for(hosts)("host %s", (host) => {
  test("evaluates, with every unit's text, no failed assertion and no warning", async (context) => {
    // given the committed modules, when
    const { failedAssertions, units, warnings } = await evaluateHost(context, host);
    // then
    expect(failedAssertions).toEqual([]);
    expect(warnings).toEqual([]);
    const own = Object.keys(units).filter((name) => name.startsWith("cc-ci"));
    expect(own).toContain("cc-ci.target");
    expect(own.length).toBeGreaterThan(1);
  });

  test("names no unit of its own that does not exist", async (context) => {
    // given, when
    const { units } = await evaluateHost(context, host);
    // then every cc-ci unit that a unit's dependencies name is there
    const named = Object.values(units).flatMap((unit) =>
      [...unit.text.matchAll(/^(?:After|Before|Requires|Wants|PartOf|BindsTo|Unit)=(.*)$/gm)]
        .flatMap((match) => match[1]?.split(" ") ?? [])
        .concat(unit.wantedBy, unit.requiredBy),
    );
    const missing = [...new Set(named)].filter(
      (name) => name.startsWith("cc-ci") && !name.includes("@") && units[name] === undefined,
    );
    expect(missing).toEqual([]);
  });

  test("has the same units in the real NixOS", async (context) => {
    const nixpkgs = requireNixpkgs(context);
    // given, when
    const ours = await evaluateHost(context, host);
    const real = await evaluateHost(context, host, { nixpkgs });
    // then
    expect(real.failedAssertions).toEqual([]);
    const own = Object.entries(ours.units).filter(([name]) => name.startsWith("cc-ci"));
    for (const [name, unit] of own) {
      const other = real.units[name];
      expect(unitDifferences(unit.text, other?.text ?? "", fromRelease), name).toEqual([]);
      expect(other?.wantedBy, name).toEqual(unit.wantedBy);
      expect(other?.requiredBy, name).toEqual(unit.requiredBy);
    }
    for (const [path, file] of Object.entries(ours.etc)) {
      if (file.text !== undefined) expect(real.etc[path]?.text, path).toBe(file.text);
    }
    expect(real.tmpfiles).toEqual(expect.arrayContaining([...ours.tmpfiles]));
    expect(real.firewall).toEqual(ours.firewall);
    expect(real.docker.settings).toMatchObject({ "live-restore": ours.docker.liveRestore });
  });
});

/** Keys that NixOS itself gives a unit, in ways that differ from release to release. */
const fromRelease = [
  "Service.Environment.LOCALE_ARCHIVE",
  "Service.Environment.TZDIR",
  "Unit.X-Restart-Triggers",
  "Install.WantedBy",
];
