import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { requireTool } from "../../tools.ts";

const repository = join(import.meta.dirname, "../../..");
const rootLock = readLock("package-lock.json");
const servicesLock = readLock("services/package-lock.json");

test("the hash that Nix expects is that of what npm installs from the lock file", (context) => {
  const nodeModules = requireTool(context, "services-node-modules");
  const hex = execFileSync(requireTool(context, "nix-hash"), ["--type", "sha256", nodeModules], {
    encoding: "utf8",
  });
  const hash = `"sha256-${Buffer.from(hex.trim(), "hex").toString("base64")}"\n`;
  expect(hash, "put this hash into nix/packages/node-modules-hash.nix").toBe(
    readFileSync(join(repository, "nix/packages/node-modules-hash.nix"), "utf8"),
  );
});

test("what the generator and the host's programs share is the same package in both locks", () => {
  const shared = Object.keys(servicesLock).filter((path) => path in rootLock);
  expect(shared).toContain("node_modules/zod");
  expect(pick(servicesLock, shared)).toEqual(pick(rootLock, shared));
});

test("every package of the host's programs is named by its content alone", () => {
  for (const [path, entry] of Object.entries(servicesLock)) {
    expect(entry, path).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      integrity: expect.stringMatching(/^sha512-/),
      resolved: undefined,
    });
  }
});

test("every package of the host's programs is asked for in one exact version", () => {
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(readJson("services/package.json"));
  for (const [name, version] of Object.entries(dependencies)) {
    expect(version, name).toBe(servicesLock[`node_modules/${name}`]?.version);
  }
});

interface LockedPackage {
  readonly version: string | undefined;
  readonly integrity: string | undefined;
  readonly resolved: string | undefined;
}

/** The packages of a lock file by their path, without the project's own entry. */
function readLock(file: string): Record<string, LockedPackage> {
  const text = z.string().optional();
  const entry = z.object({ version: text, integrity: text, resolved: text });
  const lock = z.object({ packages: z.record(z.string(), entry) }).parse(readJson(file));
  return Object.fromEntries(
    Object.entries(lock.packages)
      .filter(([path]) => path !== "")
      .map(([path, { version, integrity, resolved }]) => [path, { version, integrity, resolved }]),
  );
}

function pick(lock: Record<string, LockedPackage>, paths: readonly string[]): unknown {
  return Object.fromEntries(paths.map((path) => [path, lock[path]]));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(repository, file), "utf8"));
}
