import { describe, expect, test } from "vitest";
import { Abra, AbraFailure } from "../../../../services/converge/adapters/abra.ts";
import type { Command, Ending } from "../../../../services/converge/adapters/program.ts";
import { asStop } from "../../../../services/converge/engine/surprise.ts";

const well: Ending = { status: 0, signal: null, stdout: "", stderr: "", timedOut: false };
const app = { domain: "web.example.org", directory: "/var/lib/cc-ci/abra/web.example.org" };

function abraThat(endings: readonly Partial<Ending>[] = []) {
  const commands: Command[] = [];
  const left = [...endings];
  const abra = new Abra(async (command) => {
    commands.push(command);
    return { ...well, ...left.shift() };
  });
  return { abra, commands };
}

describe("abra", () => {
  test("is given one of these and nothing else", async () => {
    const { abra, commands } = abraThat();
    await abra.deploy({ ...app, release: "1.0.0+2.0.0" }, 300);
    await abra.deploy({ ...app, release: undefined }, 300);
    await abra.undeploy(app.domain, app.directory, 300);
    expect(commands.map(({ program, args }) => [program, ...args].join(" "))).toEqual([
      "abra app deploy web.example.org 1.0.0+2.0.0 -n -o -D -c -f",
      "abra app deploy web.example.org -n -o -D -c -f -C",
      "abra app undeploy web.example.org -n",
    ]);
  });

  test("has the state folder of its app alone, and no folder where it could find another", async () => {
    const { abra, commands } = abraThat();
    await abra.undeploy(app.domain, app.directory, 300);
    expect(commands[0]).toMatchObject({ folder: "/", seconds: 300 });
    expect(commands[0]?.env).toMatchObject({ ABRA_DIR: app.directory, LC_ALL: "C.UTF-8" });
    expect(Object.keys(commands[0]?.env ?? {}).sort()).toEqual([
      "ABRA_DIR",
      "HOME",
      "LC_ALL",
      "PATH",
    ]);
  });

  test("that fails is told with its last words, what it said before, and its version", async () => {
    const stderr =
      "WARN one\n\u001b[31mFATA\u001b[0m web.example.org has locally unstaged changes\n";
    const { abra } = abraThat([{ status: 1, stderr }, { stdout: "abra version 0.11\n" }]);
    const error = await abra.undeploy(app.domain, app.directory, 300).catch((reason) => reason);
    expect(error).toBeInstanceOf(AbraFailure);
    const { line, details } = asStop(error);
    expect(line).toMatchObject({ id: "abra-failed", as: "failed" });
    expect(line.text).toMatch(
      /^'abra app undeploy web\.example\.org -n' ended with 1: FATA web\.example\.org has locally unstaged changes:/,
    );
    expect(details).toBe("WARN one\nabra version 0.11");
  });

  test("that hangs is told as such", async () => {
    const { abra } = abraThat([{ status: null, signal: "SIGTERM", timedOut: true }]);
    const failing = abra.undeploy(app.domain, app.directory, 300);
    await expect(failing).rejects.toThrow("did not end within 300 s: it said nothing");
  });
});
