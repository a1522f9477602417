import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { execa } from "execa";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { configurationSchema } from "../../constructs/config/reference.ts";
import { configSchema } from "../../constructs/config/schema.ts";
import { droneYaml, hostYaml } from "../synthesized.ts";

const root = join(import.meta.dirname, "../..");

test("what is committed is what the sources say", async () => {
  const { stdout, exitCode } = await execa("npm", ["run", "-s", "check"], {
    cwd: root,
    reject: false,
  });
  expect(stdout).toMatch(/^\d+ generated files are what the sources say$/);
  expect(exitCode).toBe(0);
});

test("cc-ci.yaml names its schema for editors, and fits it", () => {
  const text = readFileSync(join(root, "cc-ci.yaml"), "utf8");
  expect(text).toContain("# yaml-language-server: $schema=docs/cc-ci.schema.json");
  expect(validate(parse(text))).toBe(true);
});

/** The published schema, as an editor applies it. */
const validate = new Ajv({ strict: false }).compile(configurationSchema());

test.for([
  ["the smallest host", hostYaml(), true],
  ["an app at a commit", hostYaml("apps: { a: { recipe: a, commit: c, domain: d } }"), true],
  ["release and commit", hostYaml("", "release: 5.1.1\ncommit: abc"), true],
  ["neither release nor commit", hostYaml("", "domain: a.example.org"), false],
  ["Drone with no more than it needs", hostYaml(droneYaml), true],
  ["Drone at no state of its recipe", hostYaml(droneYaml.replace("  release: 1.9.0\n", "")), false],
  ["Drone without its owner", hostYaml(droneYaml.replace("  owner:", "  bridge2:")), false],
  ["an unknown key", hostYaml("swarms: {}"), false],
  ["a number for text", hostYaml("", "release: 5.1"), false],
  ["a fraction for a whole number", hostYaml("swarm: { subnetSize: 24.5 }"), false],
  ["a word that is not among the choices", hostYaml("", "release: 5.1.1\npublish: mesh"), false],
  [
    "no certificate",
    "hosts: { a: { domain: ci.example.org, traefik: { release: 5.1.1 } } }",
    false,
  ],
] as const)("editor and generator agree on %s", ([, yaml, good]) => {
  const value: unknown = parse(yaml);
  expect({ editor: validate(value), generator: configSchema.safeParse(value).success }).toEqual({
    editor: good,
    generator: good,
  });
});

test("every key has a line that says what it means", () => {
  const undocumented: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    const { properties, additionalProperties, description } = schema as Record<string, unknown>;
    if (path !== "" && typeof description !== "string") undocumented.push(path);
    for (const [name, value] of Object.entries(properties ?? {})) visit(value, `${path}.${name}`);
    if (
      typeof additionalProperties === "object" &&
      additionalProperties !== null &&
      "properties" in additionalProperties
    ) {
      visit(additionalProperties, `${path}.<name>`);
    }
  };
  visit(configurationSchema(), "");
  expect(undocumented).toEqual([]);
  const page = readFileSync("docs/configuration.md", "utf8");
  expect(page.split("\n").filter((line) => /^\| `[^|]*\|\s*\|/.test(line))).toEqual([]);
});
