import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { requireTool } from "../tools.ts";

type Context = Pick<TestContext, "skip">;

/** What a Nix expression comes to, by the real `nix-instantiate`. Throws with its message. */
export function evaluateNix(context: Context, source: string): unknown {
  const program = requireTool(context, "nix-instantiate");
  const output = execFileSync(program, ["--eval", "--strict", "--json", "-"], {
    input: source,
    encoding: "utf8",
    // Nothing of the caller's configuration, and no store: there is nothing to build.
    env: { NIX_REMOTE: "dummy://", HOME: "/homeless-shelter" },
    stdio: ["pipe", "pipe", "pipe"],
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(output);
}

/** These Nix files as the real nixfmt writes them. */
export function nixfmt(context: Context, texts: readonly string[]): readonly string[] {
  const program = requireTool(context, "nixfmt");
  return inScratchFolder((folder) => {
    const files = texts.map((text, index) => {
      const file = join(folder, `${index}.nix`);
      writeFileSync(file, text);
      return file;
    });
    execFileSync(program, files, { stdio: ["ignore", "ignore", "pipe"] });
    return files.map((file) => readFileSync(file, "utf8"));
  });
}

/** What an `.env` file says, by the Go library that abra's reader comes from. */
export function readEnv(context: Context, text: string): unknown {
  const program = requireTool(context, "dotenv");
  return JSON.parse(
    execFileSync(program, [], { input: text, encoding: "utf8", maxBuffer: 2 ** 26 }),
  );
}

/** Runs something in a new folder that is gone afterwards. */
export function inScratchFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "cc-ci-property-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
