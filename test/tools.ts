import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { cachedFolder } from "./setup/cache.ts";
import { type CachedTool, cachedTools } from "./setup/cached-tools.ts";
import { hostParts, whyNoHosts } from "./setup/host.ts";
import { findProgram } from "./setup/programs.ts";

const paths = new Map<CachedTool, string>();

/**
 * Where a cached thing has what is used of it, there or not. What it is made of is read once: it takes programs
 * to find out, each case asks, and nothing is built while tests run.
 */
export function pathOf(tool: CachedTool): string {
  let path = paths.get(tool);
  if (path === undefined) {
    path = join(cachedFolder(tool), tool.path);
    paths.set(tool, path);
  }
  return path;
}

/**
 * The absolute path of a tool of the tests, or undefined when it is missing: a program that Debian
 * brings (`nix-instantiate`, `shellcheck`, …), or by its name what `npm run setup` built: `nixfmt`,
 * `dotenv`, `traefik`, and as folders `gitea`, `services-node-modules`, `host-root`, `host-images`.
 */
export function findTool(name: string): string | undefined {
  const cached = [...cachedTools, ...hostParts].find((tool) => tool.name === name);
  if (cached === undefined) return findProgram(name);
  const path = pathOf(cached);
  return existsSync(path) ? path : undefined;
}

/**
 * The same for a test that cannot do without: it is skipped, with what to do as the reason. In CI
 * nothing may go unproved, so there it fails with those words.
 */
export function requireTool(context: Pick<TestContext, "skip">, name: string): string {
  const path = findTool(name);
  if (path !== undefined) return path;
  const reason = `needs ${name}: run 'npm run setup'`;
  if (process.env.CI === "true") throw new Error(reason);
  return context.skip(reason);
}

/** Why no host of the tests can be booted here, and what to do; undefined when one can. */
export function whatHostsLack(): string | undefined {
  const reason = whyNoHosts();
  if (reason !== undefined) return `a host ${reason}`;
  const tools = ["systemd-nspawn", "nix-instantiate", "openssl", "git", "dotenv"];
  const missing = [...tools, "host-root", "host-images"].filter(
    (name) => findTool(name) === undefined,
  );
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")}: run 'npm run setup'`;
}

/** Skips a test that boots a host, where none can be booted; in CI it fails there. */
export function requireHosts(context: Pick<TestContext, "skip">): void {
  const lack = whatHostsLack();
  if (lack === undefined) return;
  if (process.env.CI === "true") throw new Error(lack);
  context.skip(lack);
}

/**
 * The nixpkgs tree that NIXPKGS names, for a test against the real NixOS modules. CI has none, and
 * this is the only thing that may be skipped there; a NIXPKGS that names no nixpkgs is an error.
 */
export function requireNixpkgs(context: Pick<TestContext, "skip">): string {
  const path = process.env.NIXPKGS;
  if (!path) return context.skip("needs a nixpkgs tree: set NIXPKGS to the path of one");
  if (!existsSync(join(path, "nixos/lib/eval-config.nix"))) {
    throw new Error(`NIXPKGS=${path}: no nixpkgs there (it has no nixos/lib/eval-config.nix)`);
  }
  return path;
}
