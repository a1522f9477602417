import { expect, test } from "vitest";
import { checkoutWith, runCli } from "./cli.ts";
import { contentsOf } from "./tree.ts";

/**
 * One problem that is expected: the text that stands where the error points to (its first place, or
 * the first behind `after`), and what follows the position.
 */
interface Expected {
  readonly at: string;
  readonly after?: string;
  readonly says: string;
}

interface Case {
  readonly name: string;
  readonly yaml: string;
  readonly problems: readonly Expected[];
}

/** A host with these lines in place of, or beside, the usual ones; each key is a line of its own. */
function host(lines: Readonly<Record<string, string>> = {}, name = "one"): string {
  const usual = {
    domain: "ci.example.org",
    certificate: "{ certificate: /c/cert.pem, key: /c/key.pem }",
    traefik: '{ release: "5.1.1" }',
  };
  const all = Object.entries({ ...usual, ...lines });
  return `  ${name}:\n${all.map(([key, value]) => `    ${key}: ${value}\n`).join("")}`;
}

function hosts(...texts: readonly string[]): string {
  return `hosts:\n${texts.join("")}`;
}

/** An app in YAML's flow style. */
function app(domain: string, more = ""): string {
  return `{ recipe: wiki, release: "1.0.0", domain: ${domain}${more === "" ? "" : `, ${more}`} }`;
}

const long = "a".repeat(64);
const domainTooLong = `${"x".repeat(50)}.ci.example.org`;

const cases: readonly Case[] = [
  {
    name: "several mistakes of YAML",
    yaml: 'a: 1\na: 2\nb: [\nc: "x\n',
    problems: [
      { at: "a: 2", says: "Map keys must be unique: mend the YAML here" },
      {
        at: "c:",
        says: "Flow sequence in block collection must be sufficiently indented and end with a ]: mend the YAML here",
      },
      { at: "", says: 'Missing closing "quote: mend the YAML here' },
    ],
  },
  {
    name: "a tab as indentation",
    yaml: "hosts:\n\tone: {}\n",
    problems: [{ at: "\t", says: "Tabs are not allowed as indentation: mend the YAML here" }],
  },
  {
    name: "a key that stands twice, deep down",
    yaml: hosts(host({ apps: "{ wiki: {}, wiki: {} }" })),
    problems: [
      { at: "wiki", after: "wiki: {}, ", says: "Map keys must be unique: mend the YAML here" },
    ],
  },
  {
    name: "an empty file",
    yaml: "",
    problems: [{ at: "", says: "(top level): must be a mapping of keys to values, and is empty" }],
  },
  {
    name: "a file of comments",
    yaml: "# nothing yet\n",
    problems: [{ at: "", says: "(top level): must be a mapping of keys to values, and is empty" }],
  },
  {
    name: "a list at the top",
    yaml: "- hosts\n",
    problems: [
      { at: "-", says: "(top level): must be a mapping of keys to values, and is a list" },
    ],
  },
  {
    name: "no host",
    yaml: "hosts: {}\n",
    problems: [{ at: "hosts", says: "hosts: must name one host or more" }],
  },
  {
    name: "hosts without a value",
    yaml: "hosts:\n",
    problems: [{ at: "hosts", says: "hosts: must be a mapping of names to values, and is empty" }],
  },
  {
    name: "a byte order mark, which counts as a column",
    yaml: "\ufeffhosts: {}\n",
    problems: [{ at: "hosts", says: "hosts: must name one host or more" }],
  },
  {
    name: "a release that YAML takes for a number",
    yaml: hosts(host({ traefik: "{ release: 5.1 }" })),
    problems: [
      {
        at: "release",
        says: 'hosts.one.traefik.release: must be text, and is a number: put it in quotes, as in "5.1"',
      },
    ],
  },
  {
    name: "wrong types, all at once",
    yaml: hosts(
      host({
        domain: "[ci.example.org]",
        swarm: "10.64.0.0/12",
        docker: "{ logFiles: many, logMaxMiB: 1.5 }",
        acceptUnfree: "drone",
        traefik: "{ release: 1.0.0, env: { A: true, B: 1, C: null } }",
        apps: "",
      }),
    ),
    problems: [
      { at: "domain", says: "hosts.one.domain: must be text, and is a list" },
      { at: "swarm", says: "hosts.one.swarm: must be a mapping of keys to values, and is text" },
      {
        at: "logMaxMiB",
        says: "hosts.one.docker.logMaxMiB: must be a whole number, and is a number",
      },
      { at: "logFiles", says: "hosts.one.docker.logFiles: must be a number, and is text" },
      {
        at: "A: true",
        says: 'hosts.one.traefik.env.A: must be text, and is true or false: put it in quotes, as in "true"',
      },
      {
        at: "B: 1",
        says: 'hosts.one.traefik.env.B: must be text, and is a whole number: put it in quotes, as in "1"',
      },
      {
        at: "C: null",
        says: 'hosts.one.traefik.env.C: must be text, and is empty: put it in quotes, as in ""',
      },
      { at: "apps", says: "hosts.one.apps: must be a mapping of names to values, and is empty" },
      { at: "acceptUnfree", says: "hosts.one.acceptUnfree: must be a list, and is text" },
    ],
  },
  {
    name: "unknown keys at every level, with what was meant",
    yaml: `${hosts(
      host({
        domian: "x",
        certificate: "{ certificate: /c/cert.pem, key: /c/key.pem, keys: /x }",
        swarm: "{ addresPools: [] }",
        docker: "{ registryMirror: [] }",
        traefik: '{ release: "5.1.1", publsih: host, zzz: 1 }',
        apps: `\n      wiki: ${app("wiki.ci.example.org", "comit: 0, recipes: x")}`,
      }),
    )}host: 1\n`,
    problems: [
      {
        at: "keys",
        says: "hosts.one.certificate.keys: is no key that is known here: did you mean key?",
      },
      {
        at: "addresPools",
        says: "hosts.one.swarm.addresPools: is no key that is known here: did you mean addressPools?",
      },
      {
        at: "registryMirror",
        says: "hosts.one.docker.registryMirror: is no key that is known here: did you mean registryMirrors?",
      },
      {
        at: "publsih",
        says: "hosts.one.traefik.publsih: is no key that is known here: did you mean publish?",
      },
      {
        at: "zzz",
        says: "hosts.one.traefik.zzz: is no key that is known here: it knows release, commit, repository, pullSeconds, deploySeconds, domain, publish, env",
      },
      {
        at: "comit",
        says: "hosts.one.apps.wiki.comit: is no key that is known here: did you mean commit?",
      },
      {
        at: "recipes",
        says: "hosts.one.apps.wiki.recipes: is no key that is known here: did you mean recipe?",
      },
      {
        at: "domian",
        says: "hosts.one.domian: is no key that is known here: did you mean domain?",
      },
      { at: "host: 1", says: "host: is no key that is known here: did you mean hosts?" },
    ],
  },
  {
    name: "keys that are missing, placed at what they are missing from",
    yaml: "hosts:\n  one:\n    apps:\n      wiki: {}\n    traefik: {}\n",
    problems: [
      { at: "one", says: "hosts.one.domain: is missing: must be text" },
      {
        at: "one",
        says: "hosts.one.certificate: is missing: must be a mapping of keys to values",
      },
      {
        at: "traefik",
        says: "hosts.one.traefik: needs release or commit: say which state of the recipe to deploy",
      },
      { at: "wiki", says: "hosts.one.apps.wiki.recipe: is missing: must be text" },
      { at: "wiki", says: "hosts.one.apps.wiki.domain: is missing: must be text" },
    ],
  },
  {
    name: "a commit beside a release that is none",
    yaml: hosts(host({ traefik: '{ release: "5.1.1", commit: 0123abc }' })),
    problems: [
      {
        at: "commit",
        says: 'hosts.one.traefik.commit: "0123abc" must be all 40 hex digits of the commit: a shorter one, a branch or a tag can move',
      },
    ],
  },
  {
    name: "bounds of a deploy that are none",
    yaml: hosts(
      host({
        traefik: '{ release: "5.1.1", pullSeconds: 0 }',
        apps: `\n      wiki: ${app("wiki.ci.example.org", "pullSeconds: 86401, deploySeconds: -1")}`,
      }),
    ),
    problems: [
      {
        at: "pullSeconds",
        says: "hosts.one.traefik.pullSeconds: must be a whole number of seconds, from 1 to 86400",
      },
      {
        at: "pullSeconds",
        after: "wiki:",
        says: "hosts.one.apps.wiki.pullSeconds: must be a whole number of seconds, from 1 to 86400",
      },
      {
        at: "deploySeconds",
        says: "hosts.one.apps.wiki.deploySeconds: must be a whole number of seconds, from 1 to 86400",
      },
    ],
  },
  {
    name: "mistakes of shape and of meaning beside each other",
    yaml: hosts(host({ domain: "nodots", docker: "{ logFile: 3 }" })),
    problems: [
      {
        at: "domain",
        says: 'hosts.one.domain: "nodots" is no domain name: use lower-case labels joined by dots, as in ci.example.org',
      },
      {
        at: "logFile",
        says: "hosts.one.docker.logFile: is no key that is known here: did you mean logFiles?",
      },
    ],
  },
  {
    name: "a word that is not among the possible ones",
    yaml: hosts(host({ traefik: '{ release: "5.1.1", publish: mesh }' })),
    problems: [{ at: "publish", says: "hosts.one.traefik.publish: must be one of host, ingress" }],
  },
  {
    name: "domains outside of the wildcard, too deep below it, or none",
    yaml: hosts(
      host({
        apps: `
      other: ${app("wiki.example.com")}
      deep: ${app("a.wiki.ci.example.org")}
      base: ${app("ci.example.org")}
      upper: ${app("Wiki.ci.example.org")}
      glued: ${app("xci.example.org")}
      blank: ${app('"a b.ci.example.org"')}`,
      }),
    ),
    problems: [
      ...[
        ["other", "wiki.example.com"],
        ["deep", "a.wiki.ci.example.org"],
        ["base", "ci.example.org"],
        ["glued", "xci.example.org"],
      ].map(([name = "", domain = ""]) => ({
        at: "domain",
        after: `${name}:`,
        says: `hosts.one.apps.${name}.domain: ${domain} must be one label under the wildcard *.ci.example.org`,
      })),
      ...[
        ["upper", "Wiki.ci.example.org"],
        ["blank", "a b.ci.example.org"],
      ].map(([name = "", domain = ""]) => ({
        at: "domain",
        after: `${name}:`,
        says: `hosts.one.apps.${name}.domain: "${domain}" is no domain name: use lower-case labels joined by dots`,
      })),
    ],
  },
  {
    name: "two apps on one domain, and one on the domain of Traefik",
    yaml: hosts(
      host({
        apps: `
      wiki: ${app("wiki.ci.example.org")}
      wiki-too: ${app("wiki.ci.example.org")}
      proxy: ${app("traefik.ci.example.org")}`,
      }),
    ),
    problems: [
      {
        at: "domain",
        after: "wiki-too:",
        says: "hosts.one.apps.wiki-too.domain: the domain wiki.ci.example.org is taken by one/apps/wiki already: choose another",
      },
      {
        at: "domain",
        after: "proxy:",
        says: "hosts.one.apps.proxy.domain: the domain traefik.ci.example.org is taken by one/traefik already: choose another",
      },
    ],
  },
  {
    name: "names that are too long",
    yaml: hosts(
      host({
        apps: `
      long: ${app(domainTooLong)}
      secret: ${app("wiki.ci.example.org", `secrets: { ${"s".repeat(40)}: /s/one }`)}`,
      }),
    ),
    problems: [
      {
        at: "domain",
        after: "long:",
        says: `hosts.one.apps.long.domain: the stack name ${domainTooLong.replaceAll(".", "_")} has 65 characters, and abra takes 45: choose a shorter domain`,
      },
      {
        at: "s".repeat(40),
        says: `hosts.one.apps.secret.secrets.${"s".repeat(40)}: the swarm secret wiki_ci_example_org_${"s".repeat(40)}_<version> has 73 characters, and Docker takes 64: shorten the domain or the secret's name`,
      },
    ],
  },
  {
    name: "subnets that overlap",
    yaml: hosts(
      host({ swarm: '{ addressPools: ["10.64.0.0/12", "10.65.0.0/16"] }' }),
      host({ domain: "b.example.org", swarm: "{ proxySubnet: 10.64.0.0/16 }" }, "two"),
      host({ domain: "c.example.org", swarm: "{ proxySubnet: 172.17.0.0/16 }" }, "three"),
      host({ domain: "d.example.org", swarm: "{ addressPools: [172.16.0.0/12] }" }, "four"),
    ),
    problems: [
      {
        at: "addressPools",
        says: "hosts.one.swarm.addressPools: 10.65.0.0/16 overlaps 10.64.0.0/12: name each address once",
      },
      {
        at: "proxySubnet",
        says: "hosts.two.swarm.proxySubnet: 10.64.0.0/16 overlaps the address pool 10.64.0.0/12, from which Docker takes the networks of stacks: choose one outside",
      },
      {
        at: "proxySubnet",
        after: "three:",
        says: 'hosts.three.swarm.proxySubnet: "172.17.0.0/16" overlaps 172.17.0.0/16, which Docker\'s own bridges use: choose another, as in 10.80.0.0/16',
      },
      {
        at: "addressPools",
        after: "four:",
        says: 'hosts.four.swarm.addressPools: "172.16.0.0/12" overlaps 172.17.0.0/16, which Docker\'s own bridges use: choose another, as in 10.80.0.0/16',
      },
    ],
  },
  {
    name: "paths of secrets that are relative, in the store or no plain paths",
    yaml: hosts(
      host({
        certificate: "{ certificate: cert.pem, key: /nix/store/key.pem }",
        docker: "{ registryCredentials: ~/config.json }",
        apps: `\n      wiki: ${app("wiki.ci.example.org", 'secrets: { one: ../one, two: "/s/a b", three: /s/../x }')}`,
      }),
    ),
    problems: [
      {
        at: "registryCredentials",
        says: "hosts.one.docker.registryCredentials: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "key:",
        says: 'hosts.one.certificate.key: "/nix/store/key.pem" lies in the Nix store, which everybody on the host can read: put the file elsewhere',
      },
      {
        at: "certificate: cert.pem",
        says: "hosts.one.certificate.certificate: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "one: ../one",
        says: "hosts.one.apps.wiki.secrets.one: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "two:",
        says: `hosts.one.apps.wiki.secrets.two: "/s/a b" must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
      },
      {
        at: "three:",
        says: `hosts.one.apps.wiki.secrets.three: "/s/../x" must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
      },
    ],
  },
  {
    name: "units and paths of the certificate that are none",
    yaml: hosts(
      host({
        certificate:
          "{ certificate: /tmp/cert.pem, key: /c/key.pem, waitFor: [sops, a.timer], watch: [live, /c/b/] }",
      }),
    ),
    problems: [
      {
        at: "certificate: /tmp",
        says: 'hosts.one.certificate.certificate: "/tmp/cert.pem" lies where units have their own files or the kernel has its: put the file elsewhere',
      },
      {
        at: "waitFor",
        says: 'hosts.one.certificate.waitFor: "sops" is no service and no mount: name the unit that puts the file there in full, as in sops-install-secrets.service',
      },
      {
        at: "waitFor",
        says: 'hosts.one.certificate.waitFor: "a.timer" is no service and no mount: name the unit that puts the file there in full, as in sops-install-secrets.service',
      },
      {
        at: "watch",
        says: "hosts.one.certificate.watch: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "watch",
        says: `hosts.one.certificate.watch: "/c/b/" must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
      },
    ],
  },
  {
    name: "certificate and key in one file",
    yaml: hosts(host({ certificate: "{ certificate: /c/both.pem, key: /c/both.pem }" })),
    problems: [
      {
        at: "key:",
        says: "hosts.one.certificate.key: must be another file than the certificate: split the PEM file in two",
      },
    ],
  },
  {
    name: "recipes that are no recipes",
    yaml: hosts(
      host({
        traefik: '{ commit: "main", repository: "https://user:pw@example.org/x.git" }',
        apps: `\n      wiki: { recipe: ../wiki, release: latest, domain: wiki.ci.example.org, repository: "ext::sh -c id" }`,
      }),
    ),
    problems: [
      {
        at: "commit",
        says: 'hosts.one.traefik.commit: "main" must be all 40 hex digits of the commit: a shorter one, a branch or a tag can move',
      },
      {
        at: "repository",
        says: 'hosts.one.traefik.repository: "https://user:pw@example.org/x.git" must be an https address without user, password or query, as in https://git.coopcloud.tech/coop-cloud/traefik.git',
      },
      {
        at: "recipe: ../wiki",
        says: 'hosts.one.apps.wiki.recipe: "../wiki" is no name of a recipe: use lower-case letters, digits and inner dashes',
      },
      {
        at: "release: latest",
        says: 'hosts.one.apps.wiki.release: "latest" is no release: write it as in 5.1.1 or 5.1.1+v3.6.15',
      },
      {
        at: 'repository: "ext',
        says: 'hosts.one.apps.wiki.repository: "ext::sh -c id" must be an https address without user, password or query, as in https://git.coopcloud.tech/coop-cloud/traefik.git',
      },
    ],
  },
  {
    name: "variables that are ours to set, or none",
    yaml: hosts(
      host({
        traefik:
          '{ release: "5.1.1", env: { TYPE: x, LETS_ENCRYPT_ENV: production, WILDCARDS_ENABLED: "0", "A-B": x, SLOT: "@slot:recipe-version@" } }',
      }),
    ),
    problems: [
      {
        at: "env:",
        says: "hosts.one.traefik.env: TYPE cannot be set here: it follows recipe and release",
      },
      {
        at: "env:",
        says: "hosts.one.traefik.env: LETS_ENCRYPT_ENV cannot be set here: it stays empty: certificates come from host files",
      },
      {
        at: "env:",
        says: 'hosts.one.traefik.env: "A-B" cannot be the name of a variable: use letters, digits and underscores, no digit first',
      },
      {
        at: "env:",
        says: "hosts.one.traefik.env: SLOT holds @slot:recipe-version@, which the host would fill in: write something else",
      },
      {
        at: "env:",
        says: "hosts.one.traefik.env: WILDCARDS_ENABLED cannot be set here: it is always 1",
      },
    ],
  },
  {
    name: "names of hosts that are no labels",
    yaml: hosts(
      ...['"a b"', "Upper", "a.b", "-dash", `"${long}"`, '"ü"'].map((name, index) =>
        host({ domain: `h${index}.example.org` }, name),
      ),
    ),
    problems: ["a b", "Upper", "a.b", "-dash", long, "ü"].map((name) => ({
      at: /^[\w.-]+$/.test(name) && name !== long ? `${name}:` : `"${name}"`,
      says: `hosts.${name}: cannot be a name: use up to 63 lower-case letters, digits and inner dashes`,
    })),
  },
  {
    name: "names of apps that are no labels",
    yaml: hosts(
      host({
        apps: ['"a b"', "../x", "a/b", `"${long}"`]
          .map((name, index) => `\n      ${name}: ${app(`h${index}.ci.example.org`)}`)
          .join(""),
      }),
    ),
    problems: ["a b", "../x", "a/b", long].map((name) => ({
      at: name === "a b" || name === long ? `"${name}"` : `${name}:`,
      says: `hosts.one.apps.${name}: cannot be a name: use up to 63 lower-case letters, digits and inner dashes`,
    })),
  },
  {
    name: "problems in several hosts, apps and kinds, all at once",
    yaml: hosts(
      host({ domain: "nodots", swarm: "{ subnetSize: 8, nodeCertificateDays: 0 }" }),
      host({ docker: '{ registryMirrors: ["mirror.example.org"] }' }, "two"),
    ),
    problems: [
      {
        at: "domain",
        says: 'hosts.one.domain: "nodots" is no domain name: use lower-case labels joined by dots, as in ci.example.org',
      },
      {
        at: "nodeCertificateDays",
        says: "hosts.one.swarm.nodeCertificateDays: must be a whole number of days, from 1 to 36500",
      },
      {
        at: "subnetSize",
        says: "hosts.one.swarm.subnetSize: 8 must be larger than the prefix length of the pool 10.64.0.0/12, and 29 at the most",
      },
      {
        at: "registryMirrors",
        says: 'hosts.two.docker.registryMirrors: "mirror.example.org" must be the address of a server without a path, as in https://mirror.example.org',
      },
    ],
  },
];

/** `cc-ci.yaml:3:5` of the expected place, counted in the text itself. */
function position(yaml: string, { at, after }: Expected): string {
  const start = after === undefined ? 0 : yaml.indexOf(after) + after.length;
  const offset =
    at === "" ? (yaml === "" || yaml.startsWith("#") ? 0 : yaml.length) : yaml.indexOf(at, start);
  const lines = yaml.slice(0, offset).split("\n");
  return `cc-ci.yaml:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

test.for(cases)(
  "$name: all is reported at its place, and nothing is written",
  async ({ yaml, problems }) => {
    // given
    const root = checkoutWith({ "cc-ci.yaml": yaml });

    // when
    const { code, stdout, stderr } = await runCli(root, ["synth"]);

    // then: a mistake of YAML has no path yet
    const syntax = problems.some(({ says }) => says.endsWith("mend the YAML here"));
    const lines = problems.map(
      (problem) => `${position(yaml, problem)}${syntax ? ":" : ""} ${problem.says}`,
    );
    expect(stderr.split("\n").slice(0, -1).sort()).toEqual([...lines].sort());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect([...contentsOf(root).keys()].filter((path) => path !== "cc-ci.yaml")).toEqual([]);
  },
);

test.for(["check", "diff", "graph"])("%s reports the same and ends with 2", async (command) => {
  const root = checkoutWith({ "cc-ci.yaml": "hosts: {}\n" });

  const outcome = await runCli(root, [command]);

  expect(outcome).toEqual({
    code: 2,
    signal: undefined,
    stdout: "",
    stderr: "cc-ci.yaml:1:1 hosts: must name one host or more\n",
  });
});

test("a missing cc-ci.yaml is said as such", async () => {
  const root = checkoutWith({});

  const { code, stderr } = await runCli(root, ["synth"]);

  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: "cc-ci.yaml: cannot be read: there is no such file: check the path (ENOENT)\n",
  });
});

test("Windows line ends are fine, and so are two hosts that share what anchors name", async () => {
  // given
  const usual = hosts(host({ certificate: "&pair { certificate: /c/cert.pem, key: /c/key.pem }" }));
  const second = host({ domain: "b.example.org", certificate: "*pair" }, "two");
  const root = checkoutWith({ "cc-ci.yaml": `${usual}${second}`.replaceAll("\n", "\r\n") });

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("anchors that multiply are refused at once", async () => {
  // given: some 10^9 values, were they written out
  const line = (name: string, other: string) =>
    `${name}: &${name} [${Array.from({ length: 10 }, () => other).join(", ")}]\n`;
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const yaml = names.map((name, index) => line(name, index === 0 ? "x" : `*${names[index - 1]}`));
  const root = checkoutWith({ "cc-ci.yaml": yaml.join("") });

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      "cc-ci.yaml: Excessive alias count indicates a resource exhaustion attack: write the values out\n",
  });
});

test("several documents in one file are refused", async () => {
  const root = checkoutWith({ "cc-ci.yaml": "---\nhosts: {}\n---\nhosts: {}\n" });

  const { code, stderr } = await runCli(root, ["synth"]);

  expect(code).toBe(2);
  expect(stderr).toMatch(/^cc-ci\.yaml:3:1: .*multiple documents.*\n$/);
});

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

test.for(hostileNames)("a host that is named %j is refused in one clear way", async (name) => {
  // given
  const yaml = hosts(host({}, `"${name}"`), host({ domain: "b.example.org" }, "two"));
  const root = checkoutWith({ "cc-ci.yaml": yaml });

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  const lines = stderr.split("\n").slice(0, -1);
  expect(code).toBe(2);
  expect(lines[0]).toMatch(/^cc-ci\.yaml:2:3 .*cannot be a name/);
  expect(lines.filter((line) => !/^cc-ci\.yaml:\d+:\d+ (?:hosts\.|__proto__)/.test(line))).toEqual(
    [],
  );
  expect([...contentsOf(root).keys()].filter((path) => path !== "cc-ci.yaml")).toEqual([]);
});

test.for(hostileNames)("an app that is named %j is refused in one clear way", async (name) => {
  // given
  const apps = `\n      "${name}": ${app("a.ci.example.org")}\n      wiki: ${app("b.ci.example.org")}`;
  const yaml = hosts(host({ apps }));
  const root = checkoutWith({ "cc-ci.yaml": yaml });

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  const lines = stderr.split("\n").slice(0, -1);
  expect(code).toBe(2);
  expect(lines[0]).toMatch(/^cc-ci\.yaml:7:7 .*cannot be a name/);
  expect(lines.filter((line) => !/^cc-ci\.yaml:\d+:\d+ (?:hosts\.|__proto__)/.test(line))).toEqual(
    [],
  );
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
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stderr).not.toMatch(/^cc-ci\.yaml:1:1 forged/m);
  }
  expect(outcomes[0].stderr.split("\n").slice(0, -1)).toHaveLength(names.length);
  expect(outcomes[0].stderr).toContain(" \\u001b[31mred: is no key that is known here");
});
