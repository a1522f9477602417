import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { pieceListSchema } from "../../services/converge/desired-state.ts";
import { appOf } from "../synthesized.ts";
import { requireNixpkgs, requireTool } from "../tools.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";
import { everything, modulesIn, writeTree } from "./everything.ts";
import { verifyUnits } from "./systemd-verify.ts";
import { unitDifferences, withoutVersions } from "./unit-keys.ts";

const root = join(import.meta.dirname, "../..");

let scratch = "";

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "cc-ci-generated-"));
  await writeTree(scratch, appOf(everything));
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Evaluates the host with a module of the operator's own beside it. */
async function evaluateWith(
  context: TestContext,
  module: string,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  requireTool(context, "nix-instantiate");
  const own = join(mkdtempSync(join(scratch, "own-")), "default.nix");
  writeFileSync(own, module);
  return await evaluate([...modulesIn(scratch), own], options);
}

test("a host that uses every key evaluates without a failed assertion or a warning", async (context) => {
  const { failedAssertions, warnings, units } = await evaluateWith(context, "{ }");
  expect(failedAssertions).toEqual([]);
  expect(warnings).toEqual([]);
  expect(Object.keys(units)).toContain("cc-ci-app-wiki.path");
});

test("systemd has nothing to say about any of its units", async (context) => {
  requireTool(context, "systemd-analyze");
  const { units } = await evaluateWith(context, "{ }");
  const texts = Object.entries(units)
    .filter(([name]) => name.startsWith("cc-ci"))
    .map(([name, { text }]) => [name, text] as const);
  expect(texts.length).toBeGreaterThan(10);
  expect(await verifyUnits(Object.fromEntries(texts))).toBe("");
});

test("the real NixOS gives every unit the same text", async (context) => {
  const nixpkgs = requireNixpkgs(context);
  const [ours, real] = [
    await evaluateWith(context, "{ }"),
    await evaluateWith(context, "{ }", { nixpkgs }),
  ];
  expect(real.failedAssertions).toEqual([]);
  const ignored = [
    "Service.Environment.LOCALE_ARCHIVE",
    "Service.Environment.TZDIR",
    "Unit.X-Restart-Triggers",
    "Install.WantedBy",
  ];
  for (const [name, { text }] of Object.entries(ours.units)) {
    if (!name.startsWith("cc-ci")) continue;
    expect(unitDifferences(text, real.units[name]?.text ?? "", ignored), name).toEqual([]);
  }
  const pieces = ({ etc }: Evaluation) => withoutVersions(etc["cc-ci/pieces.json"]?.text ?? "");
  expect(pieces(real)).toBe(pieces(ours));
});

test("the installed list of pieces names store paths, and no slot is left in it", async (context) => {
  const { etc, units } = await evaluateWith(context, "{ }");
  const text = etc["cc-ci/pieces.json"]?.text ?? "";
  const { pieces } = pieceListSchema.parse(JSON.parse(text));
  // then nothing waits to be filled, and each file is the one that the unit is started with
  expect(text).not.toContain('"slot"');
  for (const { unit, file, slots } of pieces) {
    expect(file).toMatch(/^\/nix\/store\/[a-z0-9]{32}-[a-z-]+\.json$/);
    expect(units[unit]?.text).toContain(` apply ${String(file)}`);
    for (const [slot, value] of Object.entries(slots)) {
      expect(units[unit]?.text).toContain(` --slot ${slot}=${String(value)}`);
    }
  }
});

test("the unfree predicate accepts what the host names, and nothing else", async (context) => {
  const { unfree } = await evaluateWith(context, "{ }", { unfree: ["drone", "drone-cli"] });
  expect(unfree).toEqual({ drone: true, "drone-cli": false });
});

test("the firewall is open on 80 and 443 only", async (context) => {
  const { firewall } = await evaluateWith(context, "{ services.openssh.openFirewall = false; }");
  expect(firewall).toMatchObject({ enable: true, allowedTCPPorts: [80, 443], allowedUDPPorts: [] });
});

describe("an assertion names the option that must not be changed", () => {
  test.for([
    ["virtualisation.docker.daemon.settings.live-restore = lib.mkForce true;", "live-restore"],
    ["virtualisation.docker.daemon.settings.iptables = false;", "iptables must stay on"],
    ["networking.nftables.enable = true;", "Docker refuses nftables"],
    ['virtualisation.docker.daemon.settings.firewall-backend = "nftables";', "firewall-backend"],
    ["virtualisation.docker.autoPrune.enable = true;", "autoPrune must be off"],
  ] as const)("%s", async ([option, words], context) => {
    const { failedAssertions } = await evaluateWith(context, `{ lib, ... }: { ${option} }`);
    expect(failedAssertions.join("\n")).toContain(words);
  });
});

test("every Nix file, generated or written by hand, parses and has the layout of nixfmt", (context) => {
  const [parse, nixfmt] = [requireTool(context, "nix-instantiate"), requireTool(context, "nixfmt")];
  const below = (folder: string): readonly string[] =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".nix"))
      .map((name) => join(folder, name));
  const files = [
    ...below(join(scratch, "out")),
    ...["out", "nix", "test/nix"].flatMap((folder) => below(join(root, folder))),
    join(root, "flake.nix"),
  ];
  expect(files.length).toBeGreaterThan(30);
  execFileSync(parse, ["--parse", ...files], { stdio: ["ignore", "ignore", "pipe"] });
  execFileSync(nixfmt, ["-c", ...files], { stdio: ["ignore", "ignore", "pipe"] });
});

test("the committed environment files are read by godotenv as they were meant", (context) => {
  const dotenv = requireTool(context, "dotenv");
  const read = (path: string): unknown =>
    JSON.parse(execFileSync(dotenv, { input: readFileSync(path), encoding: "utf8" }));
  expect(read(join(root, "out/cc-ci/traefik.env"))).toMatchObject({
    TYPE: "traefik:@slot:recipe-version@",
    LETS_ENCRYPT_ENV: "",
    SECRET_WILDCARD_CERT_VERSION: "@slot:secret-ssl-cert-version@",
    SECRET_WILDCARD_KEY_VERSION: "@slot:secret-ssl-key-version@",
    WILDCARDS_ENABLED: "1",
  });
  expect(read(join(scratch, "out/cc-ci/app-wiki.env"))).toMatchObject({
    GREETING: 'it\'s "quoted", 100% and costs $5',
  });
});
