import { expect, test } from "vitest";
import { digestOf } from "../../../constructs/core/digest.ts";
import { UserError } from "../../../constructs/core/errors.ts";
import { isRelativePath } from "../../../constructs/core/file-spec.ts";
import { manifestFile, parseManifest } from "../../../constructs/core/manifest.ts";
import { mayLieElsewhere } from "../../../constructs/elsewhere.ts";

const mayLieAt = (path: string): boolean => path.startsWith("out/") || mayLieElsewhere(path);
const naming = (path: string): string =>
  JSON.stringify({
    version: 1,
    facts: {},
    files: { [path]: { digest: "sha256:0", source: "one" } },
  });

test("a manifest is read as it was written", () => {
  const content = "# header\na\n";
  const spec = { path: "out/one/a.nix", source: "one/a", content, digest: "sha256:of-the-content" };
  const written = manifestFile([spec], { one: { units: {} } });
  expect(written.path).toBe("out/manifest.json");
  expect(parseManifest(written.content, mayLieAt)).toEqual({
    "//": expect.stringContaining("Generated from the tree of constructs."),
    version: 1,
    files: { "out/one/a.nix": { digest: digestOf(content), source: "one/a" } },
    facts: { one: { units: {} } },
  });
});

test.each([
  "out/one/a.nix",
  "out/manifest.json",
  "docs/configuration.md",
  "docs/cc-ci.schema.json",
  "docs/graph/one.mmd",
  "docs/graph/one.svg",
])("a manifest may name %s", (path) => {
  expect(Object.keys(parseManifest(naming(path), mayLieAt).files)).toEqual([path]);
});

test.each([
  "/etc/passwd",
  "out/../cc-ci.yaml",
  "../out/a",
  "out/./a",
  "out//a",
  "out/",
  "out/a/..",
  "out\\a",
  "out/a\\..\\b",
  "out/a\nb",
  "out/a\u0000",
  "out",
  "",
  "outside/a",
  "cc-ci.yaml",
  ".git/config",
  "docs/install.md",
  "docs/graph/../x.svg",
  "docs/graph/One.svg",
  "docs/graph/one.svg.exe",
  "docs/graph/a/one.svg",
])("a manifest that names %j is refused", (path) => {
  expect(() => parseManifest(naming(path), mayLieAt)).toThrow(
    new UserError([
      {
        where: "out/manifest.json",
        message: `names ${JSON.stringify(path)}, where nothing is generated: restore it from git, or delete it and run 'npm run synth'`,
      },
    ]),
  );
});

test("all paths that are outside are named at once", () => {
  const entry = { digest: "sha256:0", source: "one" };
  const files = { "/a": entry, "out/b": entry, "c/../d": entry };
  expect(() => parseManifest(JSON.stringify({ version: 1, facts: {}, files }), mayLieAt)).toThrow(
    'names "/a", "c/../d", where nothing is generated',
  );
});

test.each([
  ["merge-conflict markers", "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "is no JSON (a merge"],
  ["nothing", "", "is no JSON"],
  ["half of it", '{"version": 1', "is no JSON"],
  ["a list", "[]", "(top level): "],
  ["another version", '{"version":2,"files":{},"facts":{}}', "version: "],
  ["no version", '{"files":{},"facts":{}}', "version: "],
  ["no files", '{"version":1,"facts":{}}', "files: "],
  [
    "a file without a digest",
    '{"version":1,"facts":{},"files":{"out/a":{"source":"x"}}}',
    "files.out/a.digest: ",
  ],
  ["a member that is not known", '{"version":1,"facts":{},"files":{},"x":1}', "(top level): "],
])("a manifest with %s is refused with what to do", (_, text, message) => {
  expect(() => parseManifest(text, mayLieAt)).toThrow(UserError);
  expect(() => parseManifest(text, mayLieAt)).toThrow(`out/manifest.json: ${message}`);
  expect(() => parseManifest(text, mayLieAt)).toThrow(
    /restore it from git, or delete it and run 'npm run synth'$/,
  );
});

test.each([
  ["a", true],
  ["a/b.c/d-e", true],
  ["...", true],
  [".a", true],
  ["é", true],
  ["", false],
  ["/", false],
  ["/a", false],
  ["a/", false],
  ["a//b", false],
  [".", false],
  ["..", false],
  ["a/./b", false],
  ["a/../b", false],
  ["a\\b", false],
  ["a\rb", false],
])("whether %j names a place below a folder: %s", (path, answer) => {
  expect(isRelativePath(path)).toBe(answer);
});
