import { describe, expect, test } from "vitest";
import { checkoutWith, runCli } from "./cli.ts";
import { app, host, hosts } from "./config-text.ts";
import { contentsOf } from "./tree.ts";

const hostileNames = [
  "../x",
  "/etc",
  "__proto__",
  "constructor",
  "toString",
  "",
  "a\\nb",
  "\\e[31mx",
];

/** Where a name may stand, with the rest of a cc-ci.yaml and the place that is named for it. */
const named = {
  "a host": {
    yamlWith: (name: string) =>
      hosts(host({}, `"${name}"`), host({ domain: "b.example.org" }, "two")),
    place: "2:3",
  },
  "an app": {
    yamlWith: (name: string) => {
      const [own, wiki] = [app("a.ci.example.org"), app("b.ci.example.org")];
      return hosts(host({ apps: `\n      "${name}": ${own}\n      wiki: ${wiki}` }));
    },
    place: "7:7",
  },
} as const;

describe.each(Object.entries(named))("%s", (_, { yamlWith, place }) => {
  test.for(hostileNames)("that is named %j is refused in one clear way", async (name) => {
    // given
    const root = checkoutWith({ "cc-ci.yaml": yamlWith(name) });

    // when
    const { code, stderr } = await runCli(root, ["synth"]);

    // then
    const lines = stderr.split("\n").slice(0, -1);
    const others = lines.filter((line) => !/^cc-ci\.yaml:\d+:\d+ (?:hosts\.|__proto__)/.test(line));
    expect({ code, others }).toEqual({ code: 2, others: [] });
    expect(lines[0]).toMatch(new RegExp(`^cc-ci\\.yaml:${place} .*cannot be a name`));
    expect([...contentsOf(root).keys()]).toEqual(["cc-ci.yaml"]);
  });
});

test.for(["__proto__", "", "../x", "a b"])("a secret that is named %j is refused", async (name) => {
  const apps = `\n      wiki: ${app("a.ci.example.org", `secrets: { "${name}": /s/one }`)}`;
  const root = checkoutWith({ "cc-ci.yaml": hosts(host({ apps })) });

  const { code, stderr } = await runCli(root, ["synth"]);

  expect(code).toBe(2);
  expect(stderr).toContain(
    name === "__proto__"
      ? " __proto__: cannot be a name"
      : `: ${JSON.stringify(name)} cannot be the name of a secret: use letters, digits, inner dashes and underscores\n`,
  );
});

test("two secrets that would share one variable are refused", async () => {
  // given: each would be SECRET_DB_PASSWORD_VERSION
  const secrets = "secrets: { db_password: /s/one, db-password: /s/two, DB_Password: /s/three }";
  const apps = `\n      wiki: ${app("a.ci.example.org", secrets)}`;
  const root = checkoutWith({ "cc-ci.yaml": hosts(host({ apps })) });

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect(code).toBe(2);
  expect(stderr).toContain("SECRET_DB_PASSWORD_VERSION");
});

test("names and values of the file give a terminal no orders", async () => {
  // given: an escape, a bell, a carriage return, a line of its own, a text that runs backwards
  const names = ["\\e[31mred", "\\abell", "\\rback", "a\\ncc-ci.yaml:1:1 forged: x", "\\u202eback"];
  const lines = names.map((name) => `"${name}": 1\n`);
  const release = `{ release: "\\e]0;title\\a" }`;
  const [keys, values] = [
    checkoutWith({ "cc-ci.yaml": `${hosts(host())}${lines.join("")}` }),
    checkoutWith({ "cc-ci.yaml": hosts(host({ traefik: release })) }),
  ];

  // when
  const outcomes = await Promise.all([runCli(keys, ["synth"]), runCli(values, ["synth"])]);

  // then
  for (const { code, stderr } of outcomes) {
    expect(code).toBe(2);
    expect(stderr).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
    expect(stderr).not.toMatch(/^cc-ci\.yaml:1:1 forged/m);
  }
  expect(outcomes[0].stderr.split("\n").slice(0, -1)).toHaveLength(names.length);
  expect(outcomes[0].stderr).toContain(" \\u001b[31mred: is no key that is known here");
});
