import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { contract } from "../drone/contract.ts";
import { dronePrograms } from "../drone/programs.ts";
import { secondsOf, variablesIn } from "../drone/stand-in/environment.ts";
import { fits, pipelinesIn } from "../drone/stand-in/pipeline.ts";
import { substituted } from "../drone/stand-in/runner/step-environment.ts";

describe("Drone's programs", () => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "cc-ci-drone-"));
  });

  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  test("are the stand-ins where nothing else is named", () => {
    const { areReal, runner, server } = dronePrograms(scratch, {});
    expect(areReal).toBe(false);
    for (const [node, dashes, file] of [server, runner]) {
      expect([node, dashes]).toEqual([process.execPath, "--"]);
      expect(readFileSync(file ?? "", "utf8")).toContain("DRONE_");
    }
  });

  test("are those that are named, both of them", () => {
    const named = { DRONE_SERVER_BIN: "/bin/true", DRONE_RUNNER_BIN: "/bin/false" };
    expect(dronePrograms(scratch, named)).toEqual({
      ...{ server: ["/bin/true"], runner: ["/bin/false"], areReal: true },
    });
  });

  test.for([{ DRONE_SERVER_BIN: "/bin/true" }, { DRONE_RUNNER_BIN: "/bin/true" }])(
    "are not half real: %o",
    (named) => {
      expect(() => dronePrograms(scratch, named)).toThrow("DRONE_SERVER_BIN and DRONE_RUNNER_BIN");
    },
  );

  test("have to be there", () => {
    const named = { DRONE_SERVER_BIN: "/bin/true", DRONE_RUNNER_BIN: "/nowhere/runner" };
    expect(() => dronePrograms(scratch, named)).toThrow(
      "/nowhere/runner: there is no such program",
    );
  });

  test("have a contract of which every entry has a name and a sentence of its own", () => {
    for (const key of ["id", "says"] as const) {
      const all = contract.map((entry) => entry[key]);
      expect(all).toEqual([...new Set(all)]);
    }
  });
});

describe("the stand-ins", () => {
  test("read a file of settings", () => {
    const text = `# a comment\nA=1\nexport B='two words' \nC="three" \nD=a#b # c\nE=\n\nF: g\n`;
    expect(variablesIn(text)).toEqual({
      ...{ A: "1", B: "two words", C: "three", D: "a#b", E: "", F: "g" },
    });
    // One line that is none, and the whole file counts for nothing.
    expect(variablesIn(`${text}no line\n`)).toEqual({});
  });

  test.for([
    ["24h", 86_400],
    ["1m30s", 90],
    ["500ms", 0.5],
  ] as const)("read the duration %s", ([text, seconds]) => {
    expect(secondsOf(text)).toBe(seconds);
  });

  test.for(["", "5", "1 m", "1d"])("take no duration of %j", (text) => {
    expect(() => secondsOf(text)).toThrow("invalid duration");
  });

  test("replace names in braces and nothing else", () => {
    const variables = { A: "it's", B: "two\nlines" };
    expect(substituted('$A ${A} $${A} $$ ${B} ${NOT}"', variables)).toBe(
      '$A it\'s ${A} $ "two\\nlines" "',
    );
    expect(() => substituted("${A:-b}", variables)).toThrow("stand-in");
  });

  test("refuse what of a pipeline they do not know", () => {
    const text = "kind: pipeline\ntype: exec\nsteps: [{ name: a, commands: [b] }]\n";
    expect(pipelinesIn(text)).toMatchObject([{ name: "default", type: "exec" }]);
    expect(() => pipelinesIn(`${text}concurrency: { limit: 1 }\n`)).toThrow("stand-in");
    expect(() => pipelinesIn("steps: [ {")).toThrow("yaml: ");
  });

  test.for([
    [[], [], "a", true],
    [["a"], [], "a", true],
    [["a*"], [], "ab", true],
    [["a"], [], "b", false],
    [["*"], ["b"], "b", false],
    [["*"], [], "a/b", false],
  ] as const)("%o without %o fits %s: %s", ([include, exclude, value, expected]) => {
    expect(fits({ include: [...include], exclude: [...exclude] }, value)).toBe(expected);
  });
});
