import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hold, holderOf } from "../../../services/lib/holds.ts";

let root = "";
let folder = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-ci-holds-"));
  // Below /run there is none before the first.
  folder = join(root, "holds");
});

afterEach(() => rmSync(root, { recursive: true }));

/** A process that ends when it is told to. */
async function other() {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(child, "spawn");
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("a hold", () => {
  test("is there until it is released, and holds what it says alone", async () => {
    expect(await holderOf(folder, "runs")).toBeUndefined();
    const held = await hold(folder, "runs", process.pid);
    expect(await holderOf(folder, "runs")).toBe(process.pid);
    expect(await holderOf(folder, "builds")).toBeUndefined();
    await held.release();
    expect(await holderOf(folder, "runs")).toBeUndefined();
  });

  test("is over with its process, however that ended, and the next one clears it away", async () => {
    const switching = await other();
    await hold(folder, "runs", switching.pid);
    expect(await holderOf(folder, "runs")).toBe(switching.pid);
    await switching.end();
    expect(await holderOf(folder, "runs")).toBeUndefined();
    expect(readdirSync(folder)).toHaveLength(1);
    await hold(folder, "builds", process.pid);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(`^builds-${process.pid}-`)]);
  });

  test("is not another process's that got the number of the first", async () => {
    const held = await hold(folder, "runs", process.pid);
    const [name = ""] = readdirSync(folder);
    renameSync(join(folder, name), join(folder, name.replace(/\d+$/, "1")));
    expect(await holderOf(folder, "runs")).toBeUndefined();
    await held.release();
  });

  test("of one ends with it, and that of another goes on", async () => {
    const switching = await other();
    await hold(folder, "runs", switching.pid);
    const own = await hold(folder, "runs", process.pid);
    await own.release();
    expect(await holderOf(folder, "runs")).toBe(switching.pid);
    await switching.end();
  });

  test("is not given to who is gone", async () => {
    const switching = await other();
    await switching.end();
    await expect(hold(folder, "runs", switching.pid)).rejects.toThrow("there is no process");
  });

  test("is none where a file has another name", async () => {
    const held = await hold(folder, "builds", process.pid);
    for (const name of ["runs", "runs-", "runs-0-1", `runs-${process.pid}`, "notes.txt"]) {
      writeFileSync(join(folder, name), "");
    }
    expect(await holderOf(folder, "runs")).toBeUndefined();
    await held.release();
  });
});
