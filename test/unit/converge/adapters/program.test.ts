import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  endedHow,
  lastWords,
  ProgramMissing,
  readable,
  runProgram,
} from "../../../../services/converge/adapters/program.ts";

const shell = (script: string, seconds = 20) =>
  runProgram({ program: "sh", args: ["-c", script], env: { GREETING: "hello" }, seconds });

describe("a program", () => {
  test("has the environment and folder that it was given, and no input", async () => {
    const ending = await shell('echo "$GREETING $HOME $(pwd)"; cat');
    expect(ending).toMatchObject({ status: 0, signal: null, stdout: "hello  /\n", stderr: "" });
  });

  test("hands back how it ended, and what it said", async () => {
    const ending = await shell("echo out; echo err >&2; exit 7");
    expect(ending).toMatchObject({ status: 7, stdout: "out\n", stderr: "err\n", timedOut: false });
    expect(endedHow(ending, 20)).toBe("ended with 7");
    expect(endedHow(await shell("kill -9 $$"), 20)).toBe("was ended by SIGKILL");
  });

  test("that is not there is named", async () => {
    const missing = runProgram({ program: "no-such-program", args: [], env: {}, seconds: 1 });
    await expect(missing).rejects.toThrow(ProgramMissing);
    await expect(missing).rejects.toThrow("no program 'no-such-program' on PATH");
  });

  test("is ended at its time with everything that it started", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cc-ci-program-"));
    try {
      const started = performance.now();
      const file = join(folder, "pid");
      const ending = await shell(`sleep 300 & echo $! >${file}; wait`, 0.3);
      expect(ending.timedOut).toBe(true);
      expect(endedHow(ending, 0.3)).toBe("did not end within 0.3 s");
      expect(performance.now() - started).toBeLessThan(20_000);
      const pid = readFileSync(file, "utf8").trim();
      await expect.poll(() => isRunning(pid)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("does not hold up who waits for it by what it leaves behind", async () => {
    const ending = await shell("sleep 300 & echo $!");
    expect(ending).toMatchObject({ status: 0, timedOut: false });
    await expect.poll(() => isRunning(ending.stdout.trim())).toBe(false);
  });

  test("may say more than is kept of it: the end is", async () => {
    const ending = await shell("head -c 300000 /dev/zero | tr '\\0' a >&2; echo end >&2");
    expect(ending.stderr).toHaveLength(64 * 1024);
    expect(ending.stderr).toMatch(/aaa end\n$|aaaend\n$/);
  });
});

describe("last words", () => {
  const words = (stderr: string, stdout = "") => lastWords({ stdout, stderr });

  test("are the last lines with words in them, of stderr before stdout", () => {
    expect(words("a\n\n---\nb\r\n\n", "c")).toBe("a\nb");
    expect(words("\n", "c\n")).toBe("c");
    expect(words("1\n2\n3\n4\n5\n6\n")).toBe("2\n3\n4\n5\n6");
  });

  test("have no colour, no control character and no password", () => {
    const fetched = "\u001b[31mfatal:\u001b[0m 'https://me:pa%20ss@git.example.org/a.git'\u0007";
    expect(words(fetched)).toBe("fatal: 'https://git.example.org/a.git'");
  });

  test("can be shown, whatever a program says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(readable(text)).not.toMatch(/(?![\t\n])\p{Cc}/u);
      }),
    );
  });
});

/** A process that ended and that nobody has asked for counts as ended. */
function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}
