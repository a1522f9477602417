import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { checkoutWith, filesAfterSynth, runCli, scratch, writeFiles } from "./cli.ts";
import { git, repositoryOf, sources } from "./diff-sources.ts";

let synthesized: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  synthesized = await filesAfterSynth(sources);
});

/** A repository whose one commit is what a synth of `sources` left, with these files in it too. */
async function repositoryWith(files: Readonly<Record<string, string>> = {}): Promise<string> {
  return await repositoryOf({ ...synthesized, ...files });
}

test("no code of the ref, nor of its attributes, runs", async () => {
  // given: a marker that each of them would leave
  const marker = join(scratch(), "ran");
  const script = `#!/bin/sh\ntouch ${marker}\n`;
  const root = await repositoryWith({
    ".gitattributes": "* filter=evil diff=evil\n",
    "evil.sh": script,
    ".husky/post-checkout": script,
    "package.json": JSON.stringify({ scripts: { prepare: "./evil.sh", postinstall: "./evil.sh" } }),
    "constructs/cli.ts": `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, "");\n`,
  });
  const evil = join(root, "evil.sh");
  const settings = {
    "filter.evil.clean": evil,
    "filter.evil.smudge": evil,
    "filter.evil.process": evil,
    "diff.evil.textconv": evil,
    "diff.evil.command": evil,
    "diff.external": evil,
    "core.fsmonitor": evil,
    "core.pager": evil,
    "core.hooksPath": join(root, "hooks"),
  };
  for (const [name, value] of Object.entries(settings)) await git(root, "config", name, value);
  const hooks = ["post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"];
  writeFiles(root, Object.fromEntries(hooks.map((name) => [`hooks/${name}`, script])));
  writeFiles(root, { "nix/hosts/one/default.nix": "{ a = 1; }\n" });

  // when
  const { code, stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(code).toBe(0);
  expect(stdout).toContain("nix/hosts/one/default.nix");
  expect(existsSync(marker)).toBe(false);

  // then: and the traps were set, for git itself steps into them
  await execa("git", ["diff", "HEAD"], {
    cwd: root,
    reject: false,
    stdin: "ignore",
    timeout: 20_000,
  });
  expect(existsSync(marker)).toBe(true);
});

test.for([
  { name: "is garbage", text: "<<<<<<< garbage" },
  { name: "is of another version", text: '{"version":99,"host":"one","pieces":[]}' },
])("a ref whose list of pieces $name is named, and no crash", async ({ text }) => {
  // given
  const root = await repositoryWith({ "out/one/pieces.json": text });
  writeFiles(root, synthesized);

  // when
  const { code, stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(code).toBe(0);
  expect(stdout).toContain("  Cannot be compared, read them yourself\n    out/one/pieces.json\n");
  expect(stdout).not.toMatch(/new|left/);
});

test("a piece of which the ref has another version is neither new nor deployed", async () => {
  // given
  const root = await repositoryWith({ "out/one/app-wiki.json": '{"version":99}' });
  writeFiles(root, synthesized);

  // when
  const { code, stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      "one: no pieces apply something, no stacks are deployed, no services restart, 1 file cannot be compared",
      "  Cannot be compared, read them yourself",
      "    out/one/app-wiki.json",
      "  The proxy is away",
      "    not at all: neither Traefik nor Docker restarts",
      "",
    ].join("\n"),
  );
});

test("a ref from before there was an out/ makes every host a new one", async () => {
  // given
  const root = checkoutWith({ "cc-ci.yaml": synthesized["cc-ci.yaml"] ?? "" });
  await git(root, "init", "--quiet");
  await git(root, "add", "--all");
  await git(root, "commit", "--quiet", "--message=first");
  writeFiles(root, synthesized);

  // when
  const { code, stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(code).toBe(0);
  expect(stdout).toMatch(/^one: a new host\n/);
});

const unknown = (ref: string): string =>
  `--against: git knows no commit ${JSON.stringify(ref)} here: fetch it first, or name another (a shallow clone lacks older ones)\n`;

test.for(["nope", "--output=x", "", "HEAD:cc-ci.yaml", "HEAD~7"])(
  "the unknown ref %j: exit 2 with what to do",
  async (ref) => {
    const root = await repositoryWith();

    const { code, stdout, stderr } = await runCli(root, ["diff", `--against=${ref}`]);

    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: unknown(ref) });
  },
);

test("a commit that a shallow clone lacks: exit 2 with what to do", async () => {
  // given
  const root = await repositoryWith();
  await git(root, "commit", "--quiet", "--allow-empty", "--message=second");
  const clone = join(scratch(), "clone");
  await git(root, "clone", "--quiet", "--depth=1", `file://${root}`, clone);

  // when
  const { code, stderr } = await runCli(clone, ["diff", "--against", "HEAD~1"]);

  // then
  expect({ code, stderr }).toEqual({ code: 2, stderr: unknown("HEAD~1") });
});

test("no repository, or no git at all: exit 2 and said as such", async () => {
  // given
  const root = checkoutWith(synthesized);

  // when
  const plain = await runCli(root, ["diff", "--against", "HEAD"]);
  const without = await runCli(root, ["diff", "--against", "HEAD"], { env: { PATH: "/nowhere" } });

  // then
  expect(plain.code).toBe(2);
  expect(plain.stderr).toMatch(
    /^--against: needs git and a work tree of it: fatal: not a git repository/,
  );
  expect(without.code).toBe(2);
  expect(without.stderr).toMatch(/^--against: needs git and a work tree of it: /);
});

test("diff works in a checkout that is a folder of a larger repository", async () => {
  // given
  const root = scratch();
  writeFiles(join(root, "ci"), synthesized);
  await git(root, "init", "--quiet");
  await git(root, "add", "--all");
  await git(root, "commit", "--quiet", "--message=first");
  writeFiles(root, { "ci/nix/hosts/one/default.nix": "{ a = 1; }\n", "nix/other.nix": "" });

  // when
  const { stdout } = await runCli(join(root, "ci"), ["diff", "--against", "HEAD"]);

  // then
  expect(stdout).toBe(
    "Nothing: no piece, unit, stack or secret differs.\nnote: hand-written files differ too, and this does not read them: nix/hosts/one/default.nix\n",
  );
  expect(readFileSync(join(root, "ci/out/manifest.json"), "utf8")).toBe(
    synthesized["out/manifest.json"],
  );
});
