import { beforeAll, expect, test } from "vitest";
import { droneYaml } from "../synthesized.ts";
import { filesAfterSynth, runCli, writeFiles } from "./cli.ts";
import { git, one, repositoryOf, revision, sources, wiki } from "./diff-sources.ts";
import { configuration, type HostLines } from "./yaml.ts";

let synthesized: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  synthesized = await filesAfterSynth(sources);
});

/** A repository whose one commit is what a synth of `sources` left, with these files in it too. */
async function repositoryWith(files: Readonly<Record<string, string>> = {}): Promise<string> {
  return await repositoryOf({ ...synthesized, ...files });
}

const applies = "  Pieces that apply something (every piece runs; a converged one changes nothing)";
const refuses =
  "  Pieces that stop with exit 2, since a person must decide (docs/runbook.md says how)";
const keeps =
  "  Values that Docker keeps as they are, with a warning: it sets them when a swarm is made";
const redeploys = "  Stacks that are deployed";
const restarts =
  "  Services that restart (with Docker, every container stops and is started again)";
const units = "  Units whose text changes";
const modules = "  Other modules that change";
const blocked = "  Pieces that do not run";
const away = "  The proxy is away";
const notAway = "    not at all: neither Traefik nor Docker restarts";
const waits =
  "    not at all: what runs goes on, since traefik requires network-proxy, which stops; the steps of the runbook then take it away for a while";
const redeployed =
  "    for 310 s at the most: Traefik is deployed again: 10 s for the old one to stop, 300 s for the new one to start";

const changes: readonly { name: string; host: HostLines; says: readonly string[] }[] = [
  {
    name: "a release changes",
    host: { ...one, release: "5.2.0" },
    says: [
      "one: 1 piece applies something, 1 stack is deployed, no services restart",
      applies,
      "    traefik: the recipe traefik: revision release 5.1.1 → release 5.2.0",
      redeploys,
      "    traefik_ci_example_org: the recipe traefik: revision release 5.1.1 → release 5.2.0",
      away,
      redeployed,
    ],
  },
  {
    name: "variables change, come and go",
    host: { apps: { wiki: { ...wiki, env: { B: "1" } } } },
    says: [
      "one: 1 piece applies something, 1 stack is deployed, no services restart",
      applies,
      "    app-wiki: the variable A is gone; the variable B is new",
      redeploys,
      "    wiki_ci_example_org: the variable A is gone; the variable B is new",
      away,
      notAway,
    ],
  },
  {
    name: "an app comes",
    host: { apps: { wiki, pad: { recipe: "pad" } } },
    says: [
      "one: 1 piece applies something, 1 stack is deployed, no services restart",
      applies,
      "    app-pad: is new",
      redeploys,
      "    pad_ci_example_org: is new",
      units,
      "    cc-ci-app-pad.service: is new",
      "    cc-ci-reconcile.service: changes",
      modules,
      "    target.nix",
      away,
      notAway,
    ],
  },
  {
    name: "an app goes and is retired",
    host: {},
    says: [
      "one: 1 piece applies something, no stacks are deployed, no services restart",
      applies,
      "    retire: app-wiki left the configuration",
      "  Secrets",
      "    wiki_ci_example_org_db: is gone",
      "  Retired: undeployed, volumes stay",
      "    the stack wiki_ci_example_org",
      units,
      "    cc-ci-app-wiki.path: is gone",
      "    cc-ci-app-wiki.service: is gone",
      "    cc-ci-reconcile.service: changes",
      modules,
      "    target.nix",
      away,
      notAway,
    ],
  },
  {
    name: "a secret comes, and one is read from another file",
    host: { apps: { wiki: { ...wiki, secrets: { db: "/s/other", api: "/s/api" } } } },
    says: [
      "one: 1 piece applies something, 1 stack is deployed, no services restart",
      applies,
      "    app-wiki: the file /s/api is new; the secret wiki_ci_example_org_api is new; the file /s/other is new; the secret wiki_ci_example_org_db: file /s/db → /s/other; the file /s/db is gone; the variable SECRET_API_VERSION is new",
      redeploys,
      "    wiki_ci_example_org: the secret wiki_ci_example_org_api is new; the secret wiki_ci_example_org_db: file /s/db → /s/other; the variable SECRET_API_VERSION is new",
      "  Secrets",
      "    wiki_ci_example_org_api: is new",
      "    wiki_ci_example_org_db: is read from /s/other instead of /s/db",
      units,
      "    cc-ci-app-wiki.path: changes",
      away,
      notAway,
    ],
  },
  {
    name: "a mirror of the registry comes, so Docker restarts",
    host: { ...one, more: ["docker: { registryMirrors: [https://mirror.example.org] }"] },
    says: [
      "one: no pieces apply something, no stacks are deployed, 1 service restarts",
      restarts,
      "    docker.service: its settings change: registry-mirrors",
      modules,
      "    docker.nix",
      away,
      "    for 315 s at the most: Docker restarts: 15 s for its containers to stop, 300 s for Traefik to start",
    ],
  },
  {
    name: "the pools of the swarm change, which it keeps, and the subnet of the proxy, which is refused",
    host: {
      ...one,
      more: ["swarm: { addressPools: [10.96.0.0/12], proxySubnet: 10.81.0.0/16 }"],
    },
    says: [
      "one: 1 piece stops for a person to decide, no pieces apply something, no stacks are deployed, no services restart",
      refuses,
      "    network-proxy: the network proxy: subnet 10.80.0.0/16 → 10.81.0.0/16",
      keeps,
      '    swarm: the swarm: addressPools ["10.64.0.0/12"] → ["10.96.0.0/12"]',
      blocked,
      "    traefik: requires network-proxy, which stops",
      "    app-wiki: requires network-proxy, which stops",
      away,
      waits,
    ],
  },
  {
    name: "what Traefik and an app are made of changes, the domain of one too, and their network refuses",
    host: {
      release: "5.2.0",
      apps: { wiki: { ...wiki, domain: "notes.ci.example.org", env: { B: "1" } } },
      more: ["swarm: { proxySubnet: 10.81.0.0/16 }"],
    },
    says: [
      "one: 1 piece stops for a person to decide, no pieces apply something, no stacks are deployed, no services restart",
      refuses,
      "    network-proxy: the network proxy: subnet 10.80.0.0/16 → 10.81.0.0/16",
      blocked,
      "    traefik: requires network-proxy, which stops",
      "    app-wiki: requires network-proxy, which stops",
      units,
      "    cc-ci-app-wiki.service: changes",
      away,
      waits,
    ],
  },
  {
    name: "the host takes test runs",
    host: { ...one, more: ["runs: {}"] },
    says: [
      "one: no pieces apply something, no stacks are deployed, no services restart",
      "  Test runs (none that goes on is ended by a switch)",
      "    the host takes some from now on",
      units,
      "    cc-ci-run.socket: is new",
      "    cc-ci-run@.service: is new",
      "    cc-ci-runs.service: is new",
      "    cc-ci-runs.timer: is new",
      modules,
      "    runs.nix",
      away,
      notAway,
    ],
  },
  {
    name: "Drone comes, which takes test runs",
    host: { ...one, more: droneYaml.split("\n") },
    says: [
      "one: 5 pieces apply something, 1 stack is deployed, no services restart",
      applies,
      "    drone: is new",
      "    drone-repository: is new",
      "    drone-bridge: is new",
      "    drone-runner: is new",
      "    drone-builds: is new",
      redeploys,
      "    drone_ci_example_org: is new",
      "  Test runs (none that goes on is ended by a switch)",
      "    the host takes some from now on",
      "  Builds in Drone (none that runs is ended by a switch)",
      "    the host takes those of ci/cc-ci",
      "    a person logs in once as ci-owner: https://drone.ci.example.org/login",
      "    a person logs in once as ci-bridge: https://drone.ci.example.org/login",
      "  Secrets",
      ...["admin_token", "client_secret", "cookie_secret", "database_secret", "rpc_secret"].map(
        (name) => `    drone_ci_example_org_${name}: is new`,
      ),
      units,
      "    cc-ci-drone-bridge.path: is new",
      "    cc-ci-drone-bridge.service: is new",
      "    cc-ci-drone-builds.service: is new",
      "    cc-ci-drone-builds.timer: is new",
      "    cc-ci-drone-repository.path: is new",
      "    cc-ci-drone-repository.service: is new",
      "    cc-ci-drone-runner.path: is new",
      "    cc-ci-drone-runner.service: is new",
      "    cc-ci-drone.path: is new",
      "    cc-ci-drone.service: is new",
      "    cc-ci-reconcile.service: changes",
      "    cc-ci-run.socket: is new",
      "    cc-ci-run@.service: is new",
      "    cc-ci-runner.service: is new",
      "    cc-ci-runs.service: is new",
      "    cc-ci-runs.timer: is new",
      modules,
      "    drone-name.nix",
      "    host.nix",
      "    runner.nix",
      "    runs.nix",
      "    target.nix",
      away,
      notAway,
    ],
  },
  {
    name: "the certificate lies elsewhere",
    host: { ...one, certificate: "/other/cert.pem" },
    says: [
      "one: 1 piece applies something, 1 stack is deployed, no services restart",
      applies,
      "    traefik: the file /other/cert.pem is new; the secret traefik_ci_example_org_ssl_cert: file /var/lib/certs/cert.pem → /other/cert.pem; the secret traefik_ci_example_org_ssl_cert: versionOf /var/lib/certs/cert.pem → /other/cert.pem; the secret traefik_ci_example_org_ssl_key: versionOf /var/lib/certs/cert.pem → /other/cert.pem; the certificate of traefik.ci.example.org: file /var/lib/certs/cert.pem → /other/cert.pem; the file /var/lib/certs/cert.pem is gone",
      redeploys,
      "    traefik_ci_example_org: the secret traefik_ci_example_org_ssl_cert: file /var/lib/certs/cert.pem → /other/cert.pem; the secret traefik_ci_example_org_ssl_cert: versionOf /var/lib/certs/cert.pem → /other/cert.pem; the secret traefik_ci_example_org_ssl_key: versionOf /var/lib/certs/cert.pem → /other/cert.pem",
      "  Secrets",
      "    traefik_ci_example_org_ssl_cert: is read from /other/cert.pem instead of /var/lib/certs/cert.pem",
      units,
      "    cc-ci-traefik.path: changes",
      away,
      redeployed,
    ],
  },
];

const staleNote =
  /^note: \d+ generated files are not what the sources say yet: this tells what holds after 'npm run synth'$/;

const diskNote =
  "note: compared with the files that lie here: for what is committed, '--against HEAD' or another ref";

/** The output without the remark that synth has not run yet, which must be its last line. */
function withoutStaleNote(stdout: string): string {
  const lines = stdout.trimEnd().split("\n");
  expect(lines.at(-1)).toMatch(staleNote);
  return lines.slice(0, -1).join("\n");
}

test.for(changes)("diff says what the next switch does when $name", async ({ host, says }) => {
  // given
  const root = await repositoryWith();
  writeFiles(root, { "cc-ci.yaml": configuration({ one: host }) });

  // when
  const [disk, ref] = [
    await runCli(root, ["diff"]),
    await runCli(root, ["diff", "--against", "HEAD"]),
  ];

  // then: the disk is still what was committed
  expect({ code: disk.code, stderr: disk.stderr }).toEqual({ code: 0, stderr: "" });
  expect(withoutStaleNote(disk.stdout)).toBe([...says, diskNote].join("\n"));
  expect(ref).toEqual({ ...disk, stdout: disk.stdout.replace(`${diskNote}\n`, "") });
});

test("diff of what was synthesized says that nothing differs, against the disk and the commit", async () => {
  const root = await repositoryWith();

  const outcomes = [
    await runCli(root, ["diff"]),
    await runCli(root, ["diff", "--against", "HEAD"]),
  ];

  expect(outcomes.map(({ stdout }) => stdout)).toEqual([
    `Nothing: no piece, unit, stack or secret differs.\n${diskNote}\n`,
    "Nothing: no piece, unit, stack or secret differs.\n",
  ]);
});

test("diff names a host that comes and one that goes", async () => {
  // given
  const root = await repositoryWith();
  writeFiles(root, { "cc-ci.yaml": configuration({ two: {} }) });

  // when
  const { stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(stdout.split("\n").filter((line) => /^\w/.test(line))).toEqual([
    "one: leaves the configuration; the machine itself is not touched",
    "two: a new host",
    expect.stringMatching(staleNote),
  ]);
  expect(stdout).toContain("    not at all: there was no proxy before\n");
});

test.for([
  { name: "flake.nix", path: "flake.nix", lock: false },
  { name: "a committed flake.lock, which counts more", path: "flake.lock", lock: true },
])("diff names another revision of nixpkgs in $name", async ({ path, lock }) => {
  // given
  const content = (rev: string): string =>
    lock
      ? JSON.stringify({ nodes: { nixpkgs: { locked: { rev } } }, version: 7 })
      : `{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/${rev}"; }\n`;
  const other = "a".repeat(40);
  const root = await repositoryWith({ [path]: content(revision) });
  writeFiles(root, { [path]: content(other) });

  // when
  const { stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(stdout).toBe(
    [
      "one: no pieces apply something, no stacks are deployed, 1 service restarts",
      restarts,
      "    docker.service: nixpkgs changes, and its package may with it",
      away,
      "    for 315 s at the most: Docker restarts: 15 s for its containers to stop, 300 s for Traefik to start",
      `note: nixpkgs goes from ${revision} to ${other}: any service of the host may restart`,
      `note: hand-written files differ too, and this does not read them: ${path}\n`,
    ].join("\n"),
  );
});

test("diff names hand-written files that changed, came and went, and no ignored ones", async () => {
  // given
  const root = await repositoryWith({ "nix/gone.nix": "{ }\n", ".gitignore": "nix/ignored\n" });
  writeFiles(root, {
    "nix/hosts/one/default.nix": "{ a = 1; }\n",
    "nix/new.nix": "{ }\n",
    "nix/ignored": "x\n",
  });
  await git(root, "rm", "--quiet", "nix/gone.nix");

  // when
  const { stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(stdout).toBe(
    "Nothing: no piece, unit, stack or secret differs.\nnote: hand-written files differ too, and this does not read them: nix/gone.nix, nix/hosts/one/default.nix, nix/new.nix\n",
  );
});

test("diff --json says the same as the text", async () => {
  // given
  const root = await repositoryWith();
  writeFiles(root, { "cc-ci.yaml": configuration({ one: { ...one, release: "5.2.0" } }) });

  // when
  const { stdout } = await runCli(root, ["diff", "--json", "--against", "HEAD"]);

  // then
  const reasons = ["the recipe traefik: revision release 5.1.1 → release 5.2.0"];
  expect(JSON.parse(stdout)).toEqual({
    version: 1,
    hosts: [
      {
        host: "one",
        change: "changed",
        applies: [{ name: "traefik", reasons }],
        refuses: [],
        keeps: [],
        blocked: [],
        units: [],
        modules: [],
        restarts: [],
        runs: [],
        builds: [],
        redeploys: [{ piece: "traefik", name: "traefik_ci_example_org", reasons }],
        secrets: { added: [], gone: [], moved: [] },
        retired: { stacks: [], networks: [] },
        overrides: [],
        proxyAway: {
          seconds: 310,
          reason:
            "Traefik is deployed again: 10 s for the old one to stop, 300 s for the new one to start",
        },
        unreadable: [],
      },
    ],
    notes: [expect.stringMatching(staleNote.source.replace("^note: ", "^"))],
  });
});

test("diff --markdown makes no markup, mention or link of what a ref is made of", async () => {
  // given: a commit from anybody, whose files name things as they like
  const evil = "<img src=x> @all #1 `x` *b* [l](https://evil.example) | www.evil.example";
  const app = JSON.parse(synthesized["out/one/app-wiki.json"] ?? "") as {
    resources: { kind: string }[];
  };
  const resources = app.resources.map((each) =>
    each.kind === "secret" ? { ...each, file: `/${evil}` } : each,
  );
  const root = await repositoryWith({
    "out/one/app-wiki.json": JSON.stringify({ ...app, resources }),
    "out/<b>@all/pieces.json": "{}",
  });
  writeFiles(root, synthesized);

  // when
  const { stdout } = await runCli(root, ["diff", "--markdown", "--against", "HEAD"]);

  // then
  const joiner = "\u2060";
  expect(stdout).toContain(
    `- app-wiki: the secret wiki\\_ci\\_example\\_org\\_db: file /\\<img src=x\\> \\@${joiner}all \\#${joiner}1 \\\`x\\\` \\*b\\* \\[l\\](https\\://evil.example) \\| www\\.evil.example → /s/db`,
  );
  expect(stdout).toContain(`### \\<b\\>\\@${joiner}all: leaves the configuration`);
});

test("words for an operator and bounds of waits are nothing that is applied", async () => {
  // given a commit whose app has other words, and another time for its images
  const path = "out/one/app-wiki.json";
  const text = (synthesized[path] ?? "")
    .replaceAll(/"(purpose|remedy)": "[^"]*"/g, '"$1": "other"')
    .replace(/"pullSeconds": \d+/, '"pullSeconds": 1');
  const root = await repositoryWith({ [path]: text });
  writeFiles(root, synthesized);

  // when
  const { stdout } = await runCli(root, ["diff", "--against", "HEAD"]);

  // then
  expect(text).not.toBe(synthesized[path]);
  expect(stdout).toBe(
    [
      "one: no pieces apply something, no stacks are deployed, no services restart",
      away,
      `${notAway}\n`,
    ].join("\n"),
  );
});
