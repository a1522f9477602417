import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { pathProblems } from "../../constructs/nixos/host-file.ts";
import { desiredStateSchema } from "../../services/converge/desired-state.ts";
import { appOf } from "../synthesized.ts";
import { findTool, requireTool } from "../tools.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { everything, modulesIn, writeTree } from "./everything.ts";
import { rules } from "./invariants.ts";
import { readable, type World, worldOf } from "./world.ts";

let scratch = "";
/** Secrets must not lie in /tmp, which a unit has to itself. */
let brought = "";
let world: World | undefined;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "cc-ci-invariants-"));
  // Host files may not lie below /tmp, where the checkout may be.
  brought = mkdtempSync(join(homedir(), ".cc-ci-test-"));
  await writeTree(scratch, appOf(everything));
  if (findTool("nix-instantiate") === undefined) return;
  const store = join(scratch, "store");
  world = worldOf(await evaluate(modulesIn(scratch), { store }), store);
});

afterAll(() => {
  execFileSync("chmod", ["-R", "u+w", scratch]);
  for (const folder of [scratch, brought]) rmSync(folder, { recursive: true, force: true });
});

function evaluated(context: TestContext): World {
  requireTool(context, "nix-instantiate");
  if (world === undefined) throw new Error("not evaluated");
  return world;
}

describe("on a host that uses everything", () => {
  test.for(Object.entries(rules))("%s", ([, rule], context) => {
    expect(rule(evaluated(context))).toEqual([]);
  });

  test("there is something that each rule is about", (context) => {
    const { list, texts, units } = evaluated(context);
    expect(list.pieces.length).toBeGreaterThan(5);
    expect(Object.keys(texts).length).toBeGreaterThan(2);
    expect(Object.keys(units).filter((name) => name.endsWith(".path")).length).toBeGreaterThan(2);
    expect(units[runner]?.text).toContain("User=cc-ci-runner");
  });
});

test("on a host that uses everything some piece has each kind of resource", (context) => {
  const states = readable(evaluated(context)).map(({ state }) => state);
  const used = states.flatMap(({ resources }) => resources.map(({ kind }) => kind));
  const { element } = desiredStateSchema.shape.resources;
  const all = element.options.map(({ shape }) => shape.kind.value);
  expect([...new Set(used)].toSorted()).toEqual(all.toSorted());
});

/** The host after a unit's text was changed. */
function edited(unit: string, from: string | RegExp, to: string): (host: World) => World {
  return (host) => {
    const old = host.units[unit];
    if (old === undefined) throw new Error(`no unit ${unit}`);
    const text = old.text.replace(from, to);
    if (text === old.text) throw new Error(`${unit} has no ${String(from)}`);
    return { ...host, units: { ...host.units, [unit]: { ...old, text } } };
  };
}

/** The host after a key was added to a section of a unit. */
function added(unit: string, section: string, line: string): (host: World) => World {
  return edited(unit, `[${section}]\n`, `[${section}]\n${line}\n`);
}

/** The host after what pulls a unit in was changed. */
function pulled(unit: string, by: Partial<World["units"][string]>): (host: World) => World {
  return (host) => ({
    ...host,
    units: {
      ...host.units,
      [unit]: { text: "", wantedBy: [], requiredBy: [], ...host.units[unit], ...by },
    },
  });
}

/** The host after the JSON of a desired state was changed. */
function restated(piece: string, from: string | RegExp, to: string): (host: World) => World {
  return (host) => {
    const old = JSON.stringify(host.states[piece]);
    const text = old.replace(from, to);
    if (text === old) throw new Error(`${piece} has no ${String(from)}`);
    return { ...host, states: { ...host.states, [piece]: JSON.parse(text) as unknown } };
  };
}

/** The host after the resources of a piece were put into another order, or some were left out. */
function rearranged(
  piece: string,
  change: (resources: readonly { readonly kind: string }[]) => readonly object[],
): (host: World) => World {
  return (host) => {
    const state = host.states[piece] as { resources: readonly { kind: string }[] };
    const resources = change(state.resources);
    return { ...host, states: { ...host.states, [piece]: { ...state, resources } } };
  };
}

/** The host after the text of an `.env` was changed. */
function reworded(piece: string, from: RegExp, to: string): (host: World) => World {
  return (host) => ({
    ...host,
    texts: { ...host.texts, [piece]: host.texts[piece]?.replace(from, to) ?? "" },
  });
}

const wiki = "cc-ci-app-wiki.service";
const runner = "cc-ci-runner.service";
const key = (kind: string) => (resource: { readonly kind: string }) => resource.kind === kind;

const breaches: Readonly<Record<keyof typeof rules, readonly ((host: World) => World)[]>> = {
  "a piece is a oneshot that nothing but systemd's jobs start again": [
    edited(wiki, "Type=oneshot", "Type=exec"),
    added(wiki, "Service", "Restart=on-failure"),
    added(wiki, "Service", "RemainAfterExit=true"),
  ],
  "no unit has a condition, which would leave it inactive and a success": [
    added(wiki, "Unit", "ConditionPathExists=/x"),
    added("cc-ci-reconcile.timer", "Unit", "AssertPathExists=/x"),
  ],
  "a piece has no start limit, and a bound on its time": [
    edited(wiki, "StartLimitIntervalSec=0\n", ""),
    edited(wiki, "StartLimitIntervalSec=0", "StartLimitIntervalSec=10"),
    edited(wiki, /TimeoutStartSec=.*\n/, ""),
    edited(wiki, /TimeoutStartSec=.*/, "TimeoutStartSec=infinity"),
    edited(wiki, /TimeoutStartSec=.*/, "TimeoutStartSec=0s"),
    added(wiki, "Service", "TimeoutSec=infinity"),
  ],
  "pending fails no rebuild, and what a piece writes is root's alone": [
    edited(wiki, "SuccessExitStatus=75\n", ""),
    edited(wiki, "UMask=0077", "UMask=0022"),
    edited(wiki, "StateDirectoryMode=0700", "StateDirectoryMode=0755"),
  ],
  "a piece has a home of its own": [
    edited(wiki, "StateDirectory=cc-ci/state/app-wiki\n", ""),
    edited(wiki, /Environment="HOME=.*\n/, ""),
    edited(wiki, "HOME=/var/lib/cc-ci/state/app-wiki", "HOME=/var/lib/cc-ci/state/app-notes"),
  ],
  "a piece is started by cc-ci.target, and that by multi-user.target": [
    pulled(wiki, { wantedBy: [] }),
    pulled(wiki, { wantedBy: ["multi-user.target"] }),
    pulled(wiki, { requiredBy: ["cc-ci.target"] }),
    pulled("cc-ci.target", { wantedBy: [] }),
  ],
  "a piece runs converge on its own file, and nothing else": [
    edited(wiki, /-app-wiki\.json/, "-app-notes.json"),
    edited(wiki, / --slot .*/, ""),
    edited(wiki, "/bin/converge apply", "/bin/converge --force apply"),
    edited(wiki, /ExecStart=\/nix\/store\/[^/]*/, "ExecStart=/usr"),
    added(wiki, "Service", "ExecStartPre=/bin/true"),
  ],
  "a piece writes only where its resources give it a reason to": [
    edited(wiki, "ProtectSystem=strict", "ProtectSystem=full"),
    edited(wiki, "ProtectHome=read-only\n", ""),
    added(wiki, "Service", "ReadWritePaths=/etc"),
    edited(wiki, "CacheDirectory=cc-ci/converge", "CacheDirectory=cc-ci"),
    added(wiki, "Service", "CacheDirectory=cc-ci"),
    added("cc-ci-swarm.service", "Service", "StateDirectory=cc-ci/abra"),
    edited(wiki, /StateDirectory=cc-ci\/abra.*\n/, ""),
    restated("app-wiki", /"directory":"[^"]*"/, '"directory":"/var/lib/other/wiki"'),
  ],
  "a piece that undeploys has abra, git and the folders of every app": [
    edited("cc-ci-retire.service", /StateDirectory=cc-ci\/abra\n/, ""),
    edited("cc-ci-retire.service", /[^:=]*-abra-[^:]*\/bin:/, ""),
    edited(wiki, /[^:=]*-git-[^:]*\/bin:/, ""),
  ],
  "there is someone who retires": [restated("retire", '"kind":"retired"', '"kind":"other"')],
  "every piece has a unit, every unit a piece, in the order of their needs": [
    (host) => ({ ...host, list: { ...host.list, pieces: host.list.pieces.slice(1) } }),
    (host) => ({ ...host, list: { ...host.list, pieces: host.list.pieces.toReversed() } }),
    (host) => ({
      ...host,
      list: { ...host.list, pieces: [...host.list.pieces, ...host.list.pieces] },
    }),
    edited(wiki, " apply ", " plan "),
  ],
  "one service, which only its timer starts, runs every piece again": [
    edited("cc-ci-reconcile.service", /(Wants=.*) cc-ci-traefik.service/, "$1"),
    edited("cc-ci-reconcile.service", /(After=.*) cc-ci-traefik.service/, "$1"),
    added(wiki, "Unit", "Wants=cc-ci-reconcile.service"),
    pulled("cc-ci-reconcile.service", { wantedBy: ["cc-ci.target"] }),
    pulled("cc-ci-reconcile.timer", { wantedBy: [] }),
    added("cc-ci-reconcile.timer", "Timer", "Unit=cc-ci-prune.service"),
    edited("cc-ci-reconcile.timer", /OnCalendar=.*\n/, ""),
  ],
  "only docker, the swarm and a network are required, and nobody is started unordered": [
    added(wiki, "Unit", "Requires=cc-ci-traefik.service"),
    added(wiki, "Unit", "BindsTo=docker.service"),
    pulled("cc-ci-traefik.service", { requiredBy: [wiki] }),
    edited(wiki, /After=.*\n/, ""),
  ],
  "a path unit watches what its piece is made of, and survives many changes": [
    added("cc-ci-app-wiki.path", "Path", "Unit=cc-ci-gone.service"),
    added("cc-ci-app-wiki.path", "Path", "PathExists=/x"),
    pulled("cc-ci-app-wiki.path", { wantedBy: [] }),
    edited(wiki, "StartLimitIntervalSec=0\n", ""),
  ],
  "every file that a person brings is watched": [
    edited("cc-ci-app-wiki.path", /PathChanged=.*wiki-db\n/, ""),
    edited("cc-ci-traefik.path", /PathChanged=.*privkey\.pem\n/, ""),
  ],
  "no environment names a store path, but for programs and locales": [
    added(wiki, "Service", 'Environment="SECRET=/nix/store/x"'),
  ],
  "a service that is not root's can never become it, and finds no secret": [
    edited(runner, "Group=cc-ci-runner", "Group=docker"),
    edited(runner, "NoNewPrivileges=true\n", ""),
    edited(runner, "CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_KILL"),
    edited(runner, "ProtectSystem=strict", "ProtectSystem=full"),
    added(runner, "Service", "SupplementaryGroups=docker"),
    added(runner, "Service", "EnvironmentFile=/var/lib/cc-ci/secrets/drone-rpc-secret"),
    added(runner, "Service", 'Environment="TOKEN=/var/lib/cc-ci/secrets/drone-admin-token"'),
  ],
  "every desired state is one that the host can read, and is its piece's": [
    restated("app-wiki", '"pullSeconds"', '"pullMinutes"'),
    restated("app-wiki", '"version":1', '"version":2'),
    restated("app-wiki", '"piece":"app-wiki"', '"piece":"app-notes"'),
  ],
  "a certificate and its key become secrets of one version": [
    restated("traefik", /("versionOf":\{"path":"[^"]*)fullchain/, "$1privkey"),
    restated("traefik", /"versionOf":\{[^}]*\}/, '"versionOf":{"what":"name-and-content"}'),
    restated("app-wiki", /"versionOf":\{[^}]*\}/, '"versionOf":{"what":"file","path":"/x"}'),
  ],
  "every slot is filled once, every filled slot used, and every secret's stands in a text": [
    reworded("app-wiki", /@slot:[^@]*@/, "@slot:other@"),
    reworded("app-wiki", /^SECRET_.*$/m, ""),
    edited(wiki, / --slot [^ ]*/, ""),
    edited(wiki, " --slot ", " --slot other=1 --slot "),
    restated("app-wiki", /secret-db-password-version|db-password-version/, "recipe-version"),
  ],
  "a stack comes after its files, its secrets, its checkout and its .env": [
    rearranged("app-wiki", (all) => all.toReversed()),
    rearranged("app-wiki", (all) => all.filter((one) => !key("checkout")(one))),
    rearranged("app-wiki", (all) => all.filter((one) => !key("env")(one))),
    rearranged("app-wiki", (all) => [
      ...all.filter((one) => !key("secret")(one)),
      ...all.filter(key("secret")),
    ]),
  ],
  "a stack, a secret and a network are of one piece, which the list says": [
    restated("app-wiki", '"stack":"wiki_ci_example_org"', '"stack":"other"'),
    restated("app-wiki", /"stack":"wiki_/g, '"stack":"notes_'),
    rearranged("app-wiki", (all) => all.filter((one) => !key("secret")(one))),
    rearranged("network-proxy", (all) => [...all, ...all]),
  ],
};

describe("each rule notices", () => {
  test.for(Object.entries(rules))("%s", ([name, rule], context) => {
    const host = evaluated(context);
    for (const [index, breach] of breaches[name as keyof typeof rules].entries()) {
      expect(rule(breach(host)), `breach ${index}`).not.toEqual([]);
    }
  });
});

test("no content of a secret reaches what is generated, only its path", async (context) => {
  requireTool(context, "nix-instantiate");
  // given secrets that exist, unlike those of the other tests
  const marker = "the-content-of-a-secret";
  const folder = join(brought, "secrets");
  expect(pathProblems("path", folder)).toEqual([]);
  const yaml = everything.replaceAll(/\/var\/lib\/ci-(?:certs|secrets)/g, folder);
  const paths = [...yaml.matchAll(new RegExp(`${folder}/[a-z./-]+`, "g"))].map(([path]) => path);
  for (const path of paths) {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, marker);
  }
  // when the host is generated and evaluated, with every file copied that a module refers to
  const own = join(scratch, "own");
  const store = join(scratch, "own-store");
  await writeTree(own, appOf(yaml));
  const { units, etc }: Evaluation = await evaluate(modulesIn(own), { store });
  // then
  const texts = [own, join(store, "nix/store")].flatMap(filesBelow);
  expect(new Set(paths).size).toBeGreaterThan(3);
  expect(JSON.stringify([texts, units, etc])).not.toContain(marker);
  for (const path of paths) expect(JSON.stringify(texts)).toContain(path);
});

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}
