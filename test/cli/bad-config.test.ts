import { expect, test } from "vitest";
import { checkoutWith, runCli } from "./cli.ts";
import { type Mistakes, testMistakes } from "./config-mistakes.ts";
import { app, bridge, drone, host, hosts } from "./config-text.ts";

/** What is no YAML, or has another shape than the schema's. */
const cases: readonly Mistakes[] = [
  {
    name: "runs of another shape",
    yaml: hosts(host({ runs: '{ maxTests: "2", timeout: 60, keepDays: 1.5 }' })),
    problems: [
      { at: "maxTests", says: "hosts.one.runs.maxTests: must be a number, and is text" },
      {
        at: "timeout",
        says: "hosts.one.runs.timeout: is no key that is known here: it knows maxTests, timeoutMinutes, keepDays, keepRuns, keepGiB",
      },
      { at: "keepDays", says: "hosts.one.runs.keepDays: must be a whole number, and is a number" },
    ],
  },
  {
    name: "Drone of another shape",
    yaml: hosts(
      host({
        drone: drone({
          forge: "[https://git.example.org]",
          clientID: "x",
          architecture: "x86_64",
          builds: "{ visibility: secret, repo: ci/cc-ci }",
          owner: "ci-owner",
          bridge: "{ login: 7, token: x }",
        }),
      }),
    ),
    problems: [
      { at: "forge", says: "hosts.one.drone.forge: must be text, and is a list" },
      {
        at: "clientID",
        says: "hosts.one.drone.clientID: is no key that is known here: did you mean clientId?",
      },
      { at: "architecture", says: "hosts.one.drone.architecture: must be one of amd64, arm64" },
      {
        at: "builds",
        says: "hosts.one.drone.builds.repository: is missing: must be text",
      },
      {
        at: "visibility",
        says: "hosts.one.drone.builds.visibility: must be one of public, internal, private",
      },
      {
        at: "repo:",
        says: "hosts.one.drone.builds.repo: is no key that is known here: it knows repository, branch, visibility",
      },
      {
        at: "owner",
        says: "hosts.one.drone.owner: must be a mapping of keys to values, and is text",
      },
      {
        at: "login",
        says: 'hosts.one.drone.bridge.login: must be text, and is a whole number: put it in quotes, as in "7"',
      },
      {
        at: "token",
        says: "hosts.one.drone.bridge.token: is no key that is known here: it knows login, password",
      },
    ],
  },
  {
    name: "a bridge with a number that no number of a team is",
    yaml: hosts(host({ drone: drone(), bridge: bridge({ team: "1e300" }) })),
    problems: [{ at: "team", says: "hosts.one.bridge.team: must be at most 9007199254740991" }],
  },
  {
    name: "Drone with nothing that it needs",
    yaml: hosts(host({ drone: "{}" })),
    problems: [
      ...["forge", "clientId", "clientSecret"].map((key) => ({
        at: "drone",
        says: `hosts.one.drone.${key}: is missing: must be text`,
      })),
      ...["builds", "owner", "bridge"].map((key) => ({
        at: "drone",
        says: `hosts.one.drone.${key}: is missing: must be a mapping of keys to values`,
      })),
    ],
  },
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
];

testMistakes(cases);

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
