import { describe, expect, test } from "vitest";
import type { RecipeAppProps } from "../../../constructs/coop-cloud/recipe-app.ts";
import type { DesiredState } from "../../../services/converge/desired-state.ts";
import { addApp, filesOf, problemsOf, wholeHost } from "../nixos/tree.ts";

function problems(props: Partial<RecipeAppProps>, id?: string): readonly string[] {
  const tree = wholeHost();
  addApp(tree, props, id);
  return problemsOf(tree.host);
}

test("an app with everything that it can have is fine", () => {
  expect(
    problems({
      env: { LOG_LEVEL: "INFO", GREETING: 'it\'s "${fine}".', EMPTY: "" },
      composeFiles: ["compose.yml", "compose.smtp.yml", "compose.a_b-c.yaml"],
      secrets: { db_password: "/var/lib/secrets/db" },
    }),
  ).toEqual([]);
});

describe("the domain of an app", () => {
  test.each(["wiki.example.org", "a.wiki.ci.example.org", "ci.example.org", "wikici.example.org"])(
    "must be one label under the wildcard, which %s is not",
    (domain) => {
      expect(problems({ domain })).toEqual([
        `one/wiki: domain: ${domain} must be one label under the wildcard *.ci.example.org`,
      ]);
    },
  );

  test.each([
    "Wiki.ci.example.org",
    "wi_ki.ci.example.org",
    "-a.ci.example.org",
    ".ci.example.org",
  ])("must be a domain, which %s is not", (domain) => {
    expect(problems({ domain })[0]).toBe(
      `one/wiki: domain: ${JSON.stringify(domain)} is no domain name: use lower-case labels joined by dots`,
    );
  });
});

describe("what abra limits", () => {
  // The rest of the domain takes 15 characters.
  const domain = (length: number): string => `${"a".repeat(length - 15)}.ci.example.org`;

  test("a domain whose stack just fits is fine", () => {
    expect(problems({ domain: domain(45) })).toEqual([]);
  });

  test("one more, and abra would cut the name of the stack", () => {
    const stack = domain(46).replaceAll(".", "_");
    expect(problems({ domain: domain(46) })).toEqual([
      `one/wiki: domain: the stack name ${stack} has 46 characters, and abra takes 45: choose a shorter domain`,
    ]);
  });
});

describe("a variable of the .env", () => {
  test.each([
    ["TYPE", "it follows recipe and release"],
    ["DOMAIN", "it follows domain"],
    ["LETS_ENCRYPT_ENV", "it stays empty: certificates come from host files"],
    ["COMPOSE_FILE", "it follows composeFiles"],
    ["STACK_NAME", "it follows domain"],
    ["TIMEOUT", "it follows deploySeconds"],
    ["SECRET_DB_PASSWORD_VERSION", "it follows the secret's content"],
  ])("%s is ours to set", (name, reason) => {
    expect(problems({ env: { [name]: "x" }, secrets: { "db-password": "/a" } })).toEqual([
      `one/wiki: env: ${name} cannot be set here: ${reason}`,
    ]);
  });

  test.each(["A-B", "1A", "", "A B", "A=B", "A\n"])("cannot be called %j", (name) => {
    expect(problems({ env: { [name]: "x" } })).toEqual([
      `one/wiki: env: ${JSON.stringify(name)} cannot be the name of a variable: use letters, digits and underscores, no digit first`,
    ]);
  });

  test.each(["constructor", "toString", "__proto__"])("can be called %s", (name) => {
    const env = Object.fromEntries([[name, "x"]]);
    expect(problems({ env })).toEqual([]);
  });

  test("cannot hold a slot, which the host would fill in", () => {
    const env = { A: "x@slot:secret-db-password-version@" };
    expect(problems({ env, secrets: { "db-password": "/a" } })).toEqual([
      "one/wiki: env: A holds @slot:secret-db-password-version@, which the host would fill in: write something else",
    ]);
  });

  test("cannot hold what no .env can", () => {
    const said = problems({ env: { A: "a\u0000", B: "C:\\" } });
    expect(said).toEqual([
      "one/wiki: env: A: the control character U+0000 cannot stand in an .env file",
      'one/wiki: env: B: a value that ends in \\ cannot stand in an .env file: "C:\\\\"',
    ]);
  });
});

test.each([
  "compose",
  "docker-compose.yml",
  "../compose.yml",
  "compose.yml:x.yml",
  "compose..yml",
  "compose.$A.yml",
  "",
])("%j is refused as a compose file", (file) => {
  expect(problems({ composeFiles: [file] })).toEqual([
    `one/wiki: composeFiles: ${JSON.stringify(file)} is no compose file of a recipe: write it as in compose.yml or compose.smtp.yml`,
  ]);
});

test.each(["health", "", "/a b", "/\n", "/a#b", "//a", "/a\\b", "https://wiki.ci.example.org/"])(
  "%j is refused as the path of a page",
  (page) => {
    expect(problems({ page })).toEqual([
      `one/wiki: page: ${JSON.stringify(page)} is no path of a page: write it as in /api/health, or false where there is none`,
    ]);
  },
);

test.each([
  { page: undefined, path: "/" },
  { page: "/api/health?full=1", path: "/api/health?full=1" },
  { page: false, path: null },
] as const)("an app is asked for its page: $page", ({ page, path }) => {
  const tree = wholeHost();
  addApp(tree, page === undefined ? {} : { page });
  const { resources }: DesiredState = JSON.parse(filesOf(tree.host)["out/one/app-wiki.json"] ?? "");
  expect(resources.find(({ kind }) => kind === "served-certificate")).toMatchObject({ path });
});

test.each(["Wiki", "a_b", "a.b", "a".repeat(64)])("%j is refused as the name of an app", (id) => {
  expect(problems({ domain: "wiki.ci.example.org" }, id)).toEqual([
    `one/${id}: ${JSON.stringify(id)} cannot be the name of an app: use up to 63 lower-case letters, digits and inner dashes`,
  ]);
});

test("two secrets whose names differ only in what a variable cannot tell apart are refused", () => {
  expect(problems({ secrets: { "db-password": "/a", db_password: "/b" } })).toContain(
    "one/wiki: secrets: db-password and db_password would share the variable SECRET_DB_PASSWORD_VERSION: a recipe has one of them",
  );
});

test.each([
  { property: "pullSeconds", wrong: [0, -1, 1.5, 86_401, Number.NaN] },
  { property: "deploySeconds", wrong: [0, -1, 1.5, 86_401, Number.NaN] },
])("$property is a whole number of seconds, up to a day", ({ property, wrong }) => {
  for (const right of [1, 86_400]) expect(problems({ [property]: right })).toEqual([]);
  for (const seconds of wrong) {
    expect(problems({ [property]: seconds })).toEqual([
      `one/wiki: ${property}: must be a whole number of seconds, from 1 to 86400`,
    ]);
  }
});

test("the bounds of a deploy are those of the stack, and abra's own", () => {
  const tree = wholeHost();
  addApp(tree, { pullSeconds: 1800, deploySeconds: 600 });
  const files = filesOf(tree.host);
  const { resources }: DesiredState = JSON.parse(files["out/one/app-wiki.json"] ?? "");
  expect(resources.find(({ kind }) => kind === "stack")).toMatchObject({
    pullSeconds: 1800,
    deploySeconds: 600,
  });
  expect(files["out/one/app-wiki.env"]).toContain("\nTIMEOUT=600\n");
});

test("the .env says what the app is made of, each variable once, the operator's own by name", () => {
  const tree = wholeHost();
  addApp(tree, {
    env: { Z: "it's", A: "$HOME" },
    secrets: { db_password: "/a" },
    composeFiles: ["compose.yml", "compose.b.yml"],
  });
  const text = filesOf(tree.host)["out/one/app-wiki.env"] ?? "";
  expect(text.split("\n").slice(2).join("\n")).toBe(`TYPE=wiki:@slot:recipe-version@
DOMAIN=wiki.ci.example.org
LETS_ENCRYPT_ENV=
TIMEOUT=300
COMPOSE_FILE=compose.yml:compose.b.yml
SECRET_DB_PASSWORD_VERSION=@slot:secret-db-password-version@
A='$HOME'
Z="it's"
`);
});
