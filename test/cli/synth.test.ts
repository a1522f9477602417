import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import {
  checkoutWith,
  filesAfterSynth,
  type RunOptions,
  repository,
  runBare,
  runCli,
  writeFiles,
} from "./cli.ts";
import { contentsOf, traceOf } from "./tree.ts";
import { configuration } from "./yaml.ts";

/** What synth writes for a host with Traefik and this app, sorted as it is printed. */
function outputOf(host: string, app: string): readonly string[] {
  const names = ["abra.nix", `app-${app}.env`, `app-${app}.json`, `app-${app}.nix`, "cdk.tf.json"];
  names.push("default.nix", "docker.nix", "host.nix", "network-proxy.json", "network-proxy.nix");
  names.push(
    "pieces.json",
    "prune.nix",
    "retire.json",
    "retire.nix",
    "swarm.json",
    "swarm.nix",
    "target.nix",
  );
  names.push("traefik.env", "traefik.json", "traefik.nix");
  return names.map((name) => `out/${host}/${name}`);
}

const oneHost = configuration({ one: { apps: { wiki: {} } } });
const handWritten = { "nix/hosts/one/default.nix": "{ }\n" };
const forgotten =
  "? nix/hosts/two describes a machine that no host is generated for: remove or rename it";

/** What a synth of `oneHost` leaves in the usual place. */
let synthesized: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  synthesized = await filesAfterSynth({ "cc-ci.yaml": oneHost });
});

/** Shows that a synth of `oneHost` has come to the same bytes. */
function expectUsual(root: string): void {
  expect(contentsOf(root)).toEqual(new Map(Object.entries(synthesized)));
}

test("the first synth writes everything, lists it and says how long it took", async () => {
  // given
  const root = checkoutWith({ "cc-ci.yaml": oneHost, ...handWritten });

  // when
  const { code, stdout, stderr } = await runCli(root, ["synth"]);

  // then
  const expected = [
    "docs/cc-ci.schema.json",
    "docs/configuration.md",
    "docs/graph/one.mmd",
    "docs/graph/one.svg",
    "out/manifest.json",
    ...outputOf("one", "wiki"),
  ];
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.replace(/\d+\.\d\d s/, "N s")).toBe(
    `${expected.map((path) => `+ ${path}\n`).join("")}25 files written in N s\n`,
  );
  expect([...contentsOf(root).keys()].filter((path) => /^(?:docs|out)\//.test(path))).toEqual(
    expected,
  );
});

test("the second synth says that there are no changes and touches no file", async () => {
  // given
  const root = checkoutWith({ ...synthesized, ...handWritten });
  const before = traceOf(root);

  // when
  const { code, stdout, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^no changes in \d+\.\d\d s\n$/);
  expect(traceOf(root)).toEqual(before);
});

test("the committed output of this repository is what its sources say", async () => {
  const { code, stderr } = await runCli(repository, ["check"]);

  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

const places: readonly ({ name: string; folder?: string } & RunOptions)[] = [
  { name: "a folder with blanks, quotes and letters beyond ASCII in its name", folder: "a b'c ü-" },
  { name: "another locale", env: { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", LANGUAGE: "tr" } },
  { name: "the locale C", env: { LANG: "C", LC_ALL: "C" } },
  { name: "another time zone", env: { TZ: "Pacific/Kiritimati" } },
  { name: "another home and user", env: { HOME: "/nonexistent", USER: "nobody", HOSTNAME: "x" } },
  { name: "a umask of 077", within: 'umask 077; exec "$@"' },
  { name: "a umask of 002", within: 'umask 002; exec "$@"' },
  { name: "another current folder", cwd: "/" },
  { name: "a terminal that wants colours", env: { FORCE_COLOR: "3" } },
];

test.for(places)("synth writes the same bytes with $name", async ({ folder, ...options }) => {
  // given
  const root = checkoutWith({ "cc-ci.yaml": oneHost }, folder);

  // when
  const { code } = await runCli(root, ["synth"], options);

  // then
  expect(code).toBe(0);
  expectUsual(root);
});

test("synth writes the same bytes when the root is the current folder", async () => {
  // given
  const root = checkoutWith({ "cc-ci.yaml": oneHost });

  // when
  await runBare(["synth"], { cwd: root });

  // then
  expectUsual(root);
});

test("synth writes the same bytes whatever the order of the hosts and of variables", async () => {
  // given
  const apps = { alpha: { env: { A: "1", B: "2" } } };
  const swapped = { alpha: { env: { B: "2", A: "1" } } };
  const one = checkoutWith({
    "cc-ci.yaml": configuration({ one: { apps }, two: { domain: "b.example.org" } }),
  });
  const other = checkoutWith({
    "cc-ci.yaml": configuration({ two: { domain: "b.example.org" }, one: { apps: swapped } }),
  });

  // when
  await Promise.all([runCli(one, ["synth"]), runCli(other, ["synth"])]);

  // then
  expect(contentsOf(other, "out")).toEqual(contentsOf(one, "out"));
  expect(contentsOf(other, "docs")).toEqual(contentsOf(one, "docs"));
});

test("generated files can be read by everybody, whatever the umask", async () => {
  // given
  const root = checkoutWith({ "cc-ci.yaml": oneHost });

  // when
  await runCli(root, ["synth"], { within: 'umask 077; exec "$@"' });

  // then
  const modes = traceOf(join(root, "out/one")).slice(1);
  expect(new Set(modes.map((line) => (Number(line.split(" ")[3]) & 0o777).toString(8)))).toEqual(
    new Set(["644"]),
  );
});

test("a host that leaves the configuration takes its files and its folder along", async () => {
  // given
  const two = configuration({ one: {}, two: { domain: "b.example.org", apps: { wiki: {} } } });
  const root = checkoutWith({
    "cc-ci.yaml": two,
    ...handWritten,
    "nix/hosts/two/default.nix": "{ }\n",
  });
  await runCli(root, ["synth"]);
  writeFiles(root, { "cc-ci.yaml": configuration({ one: {} }) });

  // when
  const { code, stdout } = await runCli(root, ["synth"]);

  // then
  const gone = ["docs/graph/two.mmd", "docs/graph/two.svg", ...outputOf("two", "wiki")];
  expect(code).toBe(0);
  expect(stdout.replace(/\d+\.\d\d s/, "N s")).toBe(
    [
      ...gone.slice(0, 2).map((path) => `- ${path}`),
      "~ out/manifest.json",
      ...gone.slice(2).map((path) => `- ${path}`),
      forgotten,
      `1 file written, ${gone.length} removed in N s\n`,
    ].join("\n"),
  );
  expect(existsSync(join(root, "out/two"))).toBe(false);
  expect((await runCli(root, ["check"])).code).toBe(0);
});

test("what no synth wrote stays and is named, also in the folder of a host that left", async () => {
  // given
  const two = configuration({ one: {}, two: { domain: "b.example.org" } });
  const root = checkoutWith({
    "cc-ci.yaml": two,
    ...handWritten,
    "nix/hosts/two/default.nix": "{ }\n",
  });
  await runCli(root, ["synth"]);
  writeFiles(root, {
    "cc-ci.yaml": configuration({ one: {} }),
    "out/two/notes.txt": "mine\n",
    "out/one/deep/er.json": "{}\n",
    "docs/graph/mine.svg": "<svg/>\n",
  });

  // when
  const { code, stdout } = await runCli(root, ["synth"]);

  // then
  expect(code).toBe(0);
  expect(stdout.split("\n").filter((line) => line.startsWith("?"))).toEqual([
    "? out/one/deep/er.json is generated by nothing: move it out of out/",
    "? out/two/notes.txt is generated by nothing: move it out of out/",
    forgotten,
  ]);
  expect([...contentsOf(root, "out/two").keys()]).toEqual(["out/two/notes.txt"]);
  expect(existsSync(join(root, "docs/graph/mine.svg"))).toBe(true);
});

test("synth overwrites what was edited by hand, says so, and leaves the rest alone", async () => {
  // given
  const root = checkoutWith({ ...synthesized, ...handWritten });
  const before = contentsOf(root);
  const untouched = traceOf(join(root, "docs"));
  writeFiles(root, {
    "out/one/swarm.nix": "# mine\n",
    "out/manifest.json": before.get("out/manifest.json") ?? "",
  });
  rmSync(join(root, "out/one/host.nix"));

  // when
  const { stdout } = await runCli(root, ["synth"]);

  // then
  expect(stdout.replace(/\d+\.\d\d s/, "N s")).toBe(
    "+ out/one/host.nix\n! out/one/swarm.nix (was edited by hand)\n2 files written in N s\n",
  );
  expect(contentsOf(root)).toEqual(before);
  expect(traceOf(join(root, "docs"))).toEqual(untouched);
});

test("synth says which host has no folder of hand-written Nix", async () => {
  // given
  const root = checkoutWith({ "cc-ci.yaml": oneHost });

  // when
  const { code, stdout } = await runCli(root, ["synth"]);

  // then
  expect(code).toBe(0);
  expect(stdout).toContain(
    "? nix/hosts/one is missing: copy another host's and put its hardware file there\n",
  );
});

test("synth says which folder of hand-written Nix has no host", async () => {
  // given: one that was forgotten, and a file beside the folders
  const root = checkoutWith({
    "cc-ci.yaml": oneHost,
    ...handWritten,
    "nix/hosts/two/default.nix": "{ }\n",
    "nix/hosts/README.md": "mine\n",
  });

  // when
  const [first, second] = [await runCli(root, ["synth"]), await runCli(root, ["synth"])];

  // then
  const remarks = ({ stdout }: { stdout: string }): readonly string[] =>
    stdout.split("\n").filter((line) => line.startsWith("?"));
  expect([first, second].map(({ code }) => code)).toEqual([0, 0]);
  expect([first, second].map(remarks)).toEqual([[forgotten], [forgotten]]);
});

test("a folder in out/ that holds nothing goes with the next change", async () => {
  // given
  const root = checkoutWith({ "cc-ci.yaml": oneHost });
  mkdirSync(join(root, "out/left/over"), { recursive: true });

  // when
  await runCli(root, ["synth"]);

  // then
  expect(existsSync(join(root, "out/left"))).toBe(false);
});

/** The example of docs/, as it stands in a checkout of its own. */
const inTypeScript = readFileSync(join(repository, "docs/example/host.ts"), "utf8").replaceAll(
  '"../../constructs/index.ts"',
  JSON.stringify(join(repository, "constructs/index.ts")),
);

test("synth builds a host from TypeScript of the operator's own with --app", async () => {
  // given: a cc-ci.yaml that is not looked at
  const root = checkoutWith({ "cc-ci.yaml": "hosts: {}\n" });
  const file = join(repository, "docs/example/host.ts");

  // when
  const { code, stderr } = await runCli(root, ["synth", "--app", file]);

  // then
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(existsSync(join(root, "out/cc-ci/app-wiki.nix"))).toBe(true);
});

test("a cc-ci.ts is used in the place of cc-ci.yaml, and gives what --app gives", async () => {
  // given
  const root = checkoutWith({ "cc-ci.ts": inTypeScript });
  const other = checkoutWith({ "elsewhere.ts": inTypeScript });
  await runCli(other, ["synth", "--app", join(other, "elsewhere.ts")]);

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(existsSync(join(root, "out/cc-ci/app-wiki.nix"))).toBe(true);
  expect(contentsOf(root, "out")).toEqual(contentsOf(other, "out"));
  expect((await runCli(root, ["check"])).code).toBe(0);
});

test("a cc-ci.ts beside a cc-ci.yaml is refused, and nothing is written", async () => {
  // given
  const root = checkoutWith({ "cc-ci.ts": inTypeScript, "cc-ci.yaml": oneHost });

  // when
  const { code, stdout, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: "",
    stderr: "cc-ci.ts: stands beside cc-ci.yaml: keep one of the two\n",
  });
  expect(existsSync(join(root, "out"))).toBe(false);
});
