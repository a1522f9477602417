import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireTool } from "../tools.ts";
import { evaluateFile } from "./evaluate.ts";

const root = join(import.meta.dirname, "../..");
const hosts = readdirSync(join(root, "out"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const checks = hosts.flatMap((host) => [host, `${host}-boots`]).sort();
const systems = ["aarch64-linux", "x86_64-linux"];

test("the flake has a configuration for every host, and checks that evaluate and boot it", async (context) => {
  requireTool(context, "nix-instantiate");
  const outputs = await evaluateFile("flake.nix", { flake: join(root, "flake.nix") });
  expect(outputs).toMatchObject({
    hosts: Object.fromEntries(hosts.map((host) => [host, host])),
    checks: Object.fromEntries(systems.map((system) => [system, checks])),
    machines: Object.fromEntries(
      systems.map((system) => [
        system,
        hosts.map((host) => expect.stringMatching(`-vm-test-run-cc-ci-${host}$`)),
      ]),
    ),
    devShells: Object.fromEntries(systems.map((system) => [system, ["default"]])),
    formatters: systems,
  });
});

test("each program of the host is a package, and its npm packages are fixed by a hash", async (context) => {
  requireTool(context, "nix-instantiate");
  const outputs = await evaluateFile("flake.nix", { flake: join(root, "flake.nix") });
  const packages = Object.fromEntries(
    ["converge", "rehearsal", "run"].map((name) => {
      const path = new RegExp(`^/nix/store/[a-z0-9]{32}-cc-ci-${name}-`);
      return [name, expect.stringMatching(path)];
    }),
  );
  expect(outputs).toMatchObject({
    packages: Object.fromEntries(systems.map((system) => [system, packages])),
  });
  expect(readFileSync(join(root, "nix/packages/node-modules-hash.nix"), "utf8")).toMatch(
    /"sha256-[A-Za-z0-9+/]{43}="/,
  );
});

test("a full revision pins nixpkgs", () => {
  expect(readFileSync(join(root, "flake.nix"), "utf8")).toMatch(
    /inputs\.nixpkgs\.url = "github:NixOS\/nixpkgs\/[0-9a-f]{40}";/,
  );
});
