import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { ValueError } from "../../constructs/core/errors.ts";
import { Templates } from "../../constructs/core/template.ts";
import {
  checkoutWith,
  filesAfterSynth,
  repository,
  runBare,
  runCli,
  scratch,
  writeFiles,
} from "./cli.ts";
import { contentsOf } from "./tree.ts";
import { configuration } from "./yaml.ts";

const old = configuration({ one: {} });
const changed = configuration({ one: { release: "5.2.0", apps: { wiki: {} } } });

let synthesized: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  synthesized = await filesAfterSynth({ "cc-ci.yaml": old });
});

/** A checkout that was synthesized once, and whose sources have changed since. */
function changedCheckout(): string {
  return checkoutWith({ ...synthesized, "cc-ci.yaml": changed });
}

/** A shell line that runs the command with mounts of its own, which end with it. */
function mounted(lines: string): string {
  return `exec unshare --mount /bin/sh -c '${lines}; cd / && exec "$@"' sh "$@"`;
}

test("an out/ on a read-only file system: exit 2, and nothing is written", async () => {
  // given
  const root = changedCheckout();
  const before = contentsOf(root);

  // when
  const { code, stdout, stderr } = await runCli(root, ["synth"], {
    within: mounted('mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD"'),
  });

  // then
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: "",
    stderr:
      "out/manifest.json: cannot be written; nothing was changed: the file system is read-only: work in a checkout that can be written (EROFS)\n",
  });
  expect(contentsOf(root)).toEqual(before);
});

test("an out/ that another user owns: exit 2, and nothing is written", async () => {
  // given: root may write everywhere, so the command is started without that capability
  const root = changedCheckout();
  const before = contentsOf(root);
  const within =
    'chmod 0555 . out out/one docs docs/graph; chown -R 12345 .; exec setpriv --bounding-set=-all --inh-caps=-all "$@"';

  // when
  const { code, stderr } = await runCli(root, ["synth"], { within });

  // then
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      "out/manifest.json: cannot be written; nothing was changed: this user may not: give it the permission, or run as the owner of the checkout (EACCES)\n",
  });
  expect(contentsOf(root)).toEqual(before);
});

test("a full disk: exit 2, nothing half-written, and the old state is whole", async () => {
  // given: a file system that holds the old files, and hardly more
  const root = scratch();
  const source = changedCheckout();
  const copy = 'mount -t tmpfs -o size=512k none "$PWD" && cp -a "$SOURCE"/. "$PWD" && cd "$PWD"';
  const fill = "head -c 600k /dev/zero > filler 2>/dev/null; truncate -s -8192 filler";
  const compare = 'diff -r --exclude=filler "$SOURCE" . && echo unchanged; exit "$code"';
  const within = `exec unshare --mount /bin/sh -c '${copy}; ${fill}; "$@"; code=$?; ${compare}' sh "$@"`;

  // when
  const { code, stdout, stderr } = await runCli(root, ["synth"], {
    within,
    env: { SOURCE: source },
  });

  // then
  expect({ code, stdout }).toEqual({ code: 2, stdout: "unchanged\n" });
  expect(stderr).toMatch(
    /^\S+: cannot be written; nothing was changed: the disk is full: make room, then run it again \(ENOSPC\)\n$/,
  );
});

test.for([{ path: "out" }, { path: "docs" }, { path: "out/one" }])(
  "a file where $path should be: exit 2, and it stays",
  async ({ path }) => {
    // given
    const root = checkoutWith({ "cc-ci.yaml": old, [path]: "mine\n" });

    // when
    const { code, stderr } = await runCli(root, ["synth"]);

    // then
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `${path}: a file lies where a folder should be: remove that file\n`,
    });
    expect(contentsOf(root)).toEqual(
      new Map([
        ["cc-ci.yaml", old],
        [path, "mine\n"],
      ]),
    );
  },
);

test.for(["out/one/swarm.nix", "out/manifest.json", "docs/graph/one.svg"])(
  "a folder where %s should be: exit 2, and it stays",
  async (path) => {
    // given
    const root = checkoutWith({ "cc-ci.yaml": old, [`${path}/mine.txt`]: "mine\n" });
    const before = contentsOf(root);

    // when
    const { code, stderr } = await runCli(root, ["synth"]);

    // then
    expect(code).toBe(2);
    expect(stderr).toContain("a folder lies where a file should be: remove that folder");
    expect(stderr.startsWith(`${path}: `)).toBe(true);
    expect(contentsOf(root)).toEqual(before);
  },
);

test.for([
  { path: "out", target: "folder" },
  { path: "out/one", target: "folder" },
  { path: "docs/graph", target: "folder" },
  { path: "docs", target: "folder" },
  { path: "out/one/swarm.nix", target: "file" },
  { path: "out/manifest.json", target: "file" },
  { path: "docs/configuration.md", target: "file" },
  { path: "out/one/stray", target: "nowhere" },
])(
  "a link at $path to a $target elsewhere is refused, and what it leads to is left alone",
  async ({ path, target }) => {
    // given
    const root = checkoutWith({ ...synthesized, "cc-ci.yaml": changed });
    const other = checkoutWith({ "folder/kept.txt": "theirs\n", file: "theirs\n" });
    const before = contentsOf(other);
    rmSync(join(root, path), { recursive: true, force: true });
    symlinkSync(join(other, target), join(root, path));

    // when
    const outcomes = [await runCli(root, ["synth"]), await runCli(root, ["check"])];

    // then
    for (const { code, stdout, stderr } of outcomes) {
      expect({ code, stdout, stderr }).toEqual({
        code: 2,
        stdout: "",
        stderr: `${path}: is a symbolic link to ${join(other, target)}, and generated files are never written through one: remove it, then run 'npm run synth'\n`,
      });
    }
    expect(contentsOf(other)).toEqual(before);
  },
);

test("a pipe among the generated files is refused, and nobody waits for it", async () => {
  const root = checkoutWith({ "cc-ci.yaml": old });

  const { code, stderr } = await runCli(root, ["check"], {
    within: 'mkdir -p docs/graph && mkfifo docs/graph/one.svg && exec "$@"',
  });

  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      "docs/graph/one.svg: is neither a file nor a folder: remove it, then run 'npm run synth'\n",
  });
});

const outside = [
  "/etc/passwd",
  "../victim",
  "out/../victim",
  "victim",
  "out//one/swarm.nix",
  "out/./x",
  "docs/victim.md",
  "out\\..\\victim",
];

test.for(outside)("a manifest that names %s: exit 2, and nothing is removed", async (path) => {
  // given
  const root = checkoutWith({ ...synthesized, victim: "theirs\n", "docs/victim.md": "theirs\n" });
  const manifest = JSON.parse(synthesized["out/manifest.json"] ?? "") as { files: object };
  const hostile = { ...manifest, files: { ...manifest.files, [path]: { digest: "", source: "" } } };
  writeFiles(root, { "out/manifest.json": JSON.stringify(hostile) });
  const before = contentsOf(root);

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `out/manifest.json: names ${JSON.stringify(path)}, where nothing is generated: restore it from git, or delete it and run 'npm run synth'\n`,
  });
  expect(contentsOf(root)).toEqual(before);
});

test.for([
  {
    name: "has conflict markers",
    text: "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n",
    says: "is no JSON (a merge conflict?)",
  },
  { name: "is empty", text: "", says: "is no JSON (a merge conflict?)" },
  {
    name: "is of another version",
    text: '{"version":2,"files":{},"facts":{}}',
    says: "version: Invalid input: expected 1",
  },
  {
    name: "lacks its files",
    text: '{"version":1,"facts":{}}',
    says: "files: Invalid input: expected record, received undefined",
  },
])("a manifest that $name: exit 2, and nothing is removed", async ({ text, says }) => {
  // given
  const root = checkoutWith({ ...synthesized, "cc-ci.yaml": changed, "out/manifest.json": text });
  const before = contentsOf(root);

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `out/manifest.json: ${says}: restore it from git, or delete it and run 'npm run synth'\n`,
  });
  expect(contentsOf(root)).toEqual(before);
});

test("a deleted manifest is made anew by the next synth", async () => {
  const root = checkoutWith(synthesized);
  rmSync(join(root, "out/manifest.json"));

  const { code } = await runCli(root, ["synth"]);

  expect(code).toBe(0);
  expect(readFileSync(join(root, "out/manifest.json"), "utf8")).toBe(
    synthesized["out/manifest.json"],
  );
});

test("a template that misses a value is an error that names the template", () => {
  const templates = new Templates(new Map([["some/unit.nix", "{ a = {{nix value}}; }\n"]]));

  expect(() => templates.render("some/unit.nix", {})).toThrow(ValueError);
  expect(() => templates.render("some/unit.nix", {})).toThrow(
    /^templates\/some\/unit\.nix\.hbs: .*value/,
  );
});

const usage = "see 'npm run synth -- --help'\n";

test.for([
  { args: ["sinth"], says: 'there is no command "sinth"' },
  { args: ["constructor"], says: 'there is no command "constructor"' },
  { args: ["__proto__"], says: 'there is no command "__proto__"' },
  { args: ["\u001b[31m"], says: 'there is no command "\\u001b[31m"' },
  { args: [], says: "which command?" },
  { args: ["synth", "--nope"], says: "Unknown option '--nope'" },
  { args: ["synth", "--json"], says: "synth does not take --json" },
  { args: ["check", "--markdown"], says: "check does not take --markdown" },
  { args: ["graph", "--against", "HEAD"], says: "graph does not take --against" },
  { args: ["diff", "--json", "--markdown"], says: "take one of --json and --markdown" },
  {
    args: ["check", "out"],
    says: "check does not take out (npm keeps options for itself unless -- stands before them)",
  },
  { args: ["synth", "--root"], says: "Option '--root <value>' argument missing" },
])("$args: exit 2 with a hint", async ({ args, says }) => {
  const { code, stdout, stderr } = await runBare(args);

  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: "",
    stderr: `cc-ci: ${says}: ${usage}`,
  });
});

test("--help and --version print to standard output and end with 0", async () => {
  const [help, short, version] = await Promise.all([
    runBare(["--help"]),
    runBare(["diff", "-h"]),
    runBare(["--version"]),
  ]);

  expect(help.stdout).toMatch(/^cc-ci generates .*\n\nusage: npm run <command>/);
  expect(help).toEqual({ code: 0, signal: undefined, stdout: help.stdout, stderr: "" });
  expect(short).toEqual(help);
  expect(version).toEqual({ code: 0, signal: undefined, stdout: "0.1.0\n", stderr: "" });
});

test.for(["synth", "check", "check --json", "diff", "graph --svg", "--help"])(
  "%s into a pipe that is closed is no crash",
  async (command) => {
    // given: enough output to fill the pipe, were anybody to keep it open
    const root = changedCheckout();
    writeFileSync(join(root, "out/one/foreign.txt"), "line\n".repeat(100_000));
    const within = '{ "$@"; echo "ended with $?" >&2; } | head -c 0';

    // when
    const { stderr } = await runCli(root, command.split(" "), { within });

    // then
    const expected = command.startsWith("check") ? "ended with 1" : "ended with 0";
    expect(stderr).toBe(`${expected}\n`);
  },
);

test("output that cannot be kept is an error", async () => {
  const root = checkoutWith(synthesized);

  const { code, stderr } = await runCli(root, ["check"], { within: 'exec "$@" > /dev/full' });

  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: "cc-ci: cannot print: ENOSPC: no space left on device, write\n",
  });
});

test("a file of --app that is missing, broken or exports no app or an empty one is named", async () => {
  // given
  const root = scratch();
  writeFiles(root, {
    "broken.ts": "export const app = ;\n",
    "other.ts": "export const app = 1;\n",
    "empty.ts": `export { app } from "./made.ts";\n`,
    "made.ts": `import { CcCi } from ${JSON.stringify(join(repository, "constructs/index.ts"))};\nexport const app = new CcCi();\n`,
  });

  // when
  const [missing, broken, other, empty] = await Promise.all(
    ["missing.ts", "broken.ts", "other.ts", "empty.ts"].map((name) =>
      runCli(root, ["check", "--app", join(root, name)]),
    ),
  );

  // then
  expect(missing).toMatchObject({
    code: 2,
    stderr: `${join(root, "missing.ts")}: there is no such file: name a TypeScript file\n`,
  });
  expect(broken?.code).toBe(2);
  expect(broken?.stderr.startsWith(`${join(root, "broken.ts")}: cannot be loaded: `)).toBe(true);
  expect(other).toMatchObject({
    code: 2,
    stderr: `${join(root, "other.ts")}: must export \`app\`, a CcCi: write \`export const app = new CcCi()\`\n`,
  });
  expect(empty).toMatchObject({
    code: 2,
    stderr: `${join(root, "empty.ts")}: exports an \`app\` without a host: put one into it, \`new Host(app, …)\`\n`,
  });
});
