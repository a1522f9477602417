import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What a room may import beside itself and beside what its imports may: the table of docs/architecture.md. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  "services/lib": [],
  "services/converge/desired-state.ts": [],
  "services/converge/adapters": ["services/lib"],
  "services/converge/engine": ["services/converge/adapters", "services/converge/desired-state.ts"],
  "services/converge/kinds": ["services/converge/engine"],
  "services/converge/commands": ["services/converge/kinds"],
  "services/converge/main.ts": ["services/converge/commands"],
  "services/run": ["services/lib"],
  "services/rehearsal": ["services/lib"],
  "services/bridge/records": ["services/lib"],
  "services/bridge/words": ["services/bridge/records"],
  "services/bridge/telemetry": ["services/bridge/records"],
  "services/bridge/pacing": ["services/bridge/records", "services/bridge/telemetry"],
  "services/bridge/pipeline": ["services/bridge/words", "services/bridge/pacing"],
  "services/bridge/listen": ["services/bridge/records", "services/bridge/telemetry"],
  "services/bridge/main.ts": ["services/bridge/pipeline", "services/bridge/listen"],
  "constructs/core": [],
  "constructs/elsewhere.ts": [],
  "constructs/terraform": ["constructs/core"],
  "constructs/nixos": ["constructs/core", "services/converge/desired-state.ts"],
  "constructs/swarm": ["constructs/nixos"],
  "constructs/coop-cloud": ["constructs/swarm"],
  "constructs/ci": ["constructs/coop-cloud", "services/lib"],
  "constructs/impact": ["constructs/nixos", "constructs/swarm"],
  "constructs/app.ts": ["constructs/terraform", "constructs/impact", "constructs/elsewhere.ts"],
  "constructs/testing.ts": ["constructs/app.ts"],
  "constructs/index.ts": ["constructs/ci", "constructs/testing.ts"],
  "constructs/config": ["constructs/ci", "constructs/app.ts"],
  "constructs/commands": ["constructs/config", "constructs/app.ts", "services/lib"],
  "constructs/cli.ts": ["constructs/commands"],
};

/** Packages that few rooms may know. */
const packages: Readonly<Record<string, readonly string[]>> = {
  cdktf: ["constructs/terraform"],
  "@cdktf/provider-null": ["constructs/terraform"],
  handlebars: ["constructs/core"],
  "@viz-js/viz": ["constructs/core"],
  yaml: ["constructs/config", "services/converge/adapters"],
  "markdown-it": ["services/bridge/words"],
  hono: ["services/bridge/listen"],
  "@hono/node-server": ["services/bridge/listen"],
  pino: ["services/bridge/telemetry"],
  "prom-client": ["services/bridge/telemetry"],
};

/** Modules with effects, each with the files that may use them. */
const effects: Readonly<Record<string, readonly string[]>> = {
  "node:fs": [
    "services/bridge/pipeline/run-folders.ts",
    "constructs/core/checkout.ts",
    "constructs/commands/git.ts",
    "services/converge/adapters/program.ts",
  ],
  "node:fs/promises": [
    "services/bridge/main.ts",
    "services/bridge/pipeline/run-folders.ts",
    "services/converge/adapters/compose.ts",
    "services/converge/adapters/files.ts",
    "services/converge/adapters/git.ts",
    "services/converge/adapters/program.ts",
    "services/converge/adapters/systemd.ts",
    "services/lib/durable-file.ts",
    "services/lib/holds.ts",
    "services/rehearsal/main.ts",
    "services/rehearsal/script.ts",
    "services/run/commands/may-switch.ts",
    "services/run/commands/sweep.ts",
    "services/run/content.ts",
    "services/lib/living-runs.ts",
    "services/lib/names-in.ts",
    "services/run/harness.ts",
    "services/run/own-group.ts",
    "services/run/run-folder.ts",
    "services/run/run-log.ts",
  ],
  "node:child_process": [
    "services/converge/adapters/program.ts",
    "services/converge/adapters/systemd.ts",
    "services/converge/commands/abra.ts",
    "services/rehearsal/main.ts",
    "services/run/commands/ask.ts",
    "services/run/commands/drain.ts",
    "services/run/harness.ts",
    "services/run/systemctl.ts",
  ],
  execa: ["constructs/commands/git.ts"],
  "node:sqlite": ["services/bridge/records/database.ts"],
  "node:http": [
    "services/bridge/listen/servers.ts",
    "services/converge/adapters/docker-socket.ts",
    "services/converge/adapters/https.ts",
  ],
  "node:https": ["services/converge/adapters/https.ts"],
  "node:net": [
    "constructs/swarm/swarm.ts",
    "services/bridge/listen/servers.ts",
    "services/converge/adapters/docker-socket.ts",
    "services/run/client.ts",
    "services/run/commands/ask.ts",
  ],
  "node:tls": ["services/converge/adapters/https.ts"],
};

interface Import {
  readonly file: string;
  /** A path below the root for a file of ours, else the name of a package. */
  readonly target: string;
}

function imports(): readonly Import[] {
  return ["constructs", "services"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name}`)
      .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
      .flatMap(importsOf),
  );
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)];
  return specifiers.map(([, specifier = ""]) => ({
    file,
    target: specifier.startsWith(".")
      ? relative(root, join(root, dirname(file), specifier))
      : specifier,
  }));
}

function roomOf(file: string): string | undefined {
  return Object.keys(rooms).find((room) => file === room || file.startsWith(`${room}/`));
}

function mayImport(room: string): ReadonlySet<string> {
  const allowed = new Set<string>([room]);
  for (const one of allowed) for (const other of rooms[one] ?? []) allowed.add(other);
  return allowed;
}

test("every file stands in a room of the table", () => {
  const files = new Set(imports().map(({ file }) => file));
  expect([...files].filter((file) => roomOf(file) === undefined)).toEqual([]);
  expect(files.size).toBeGreaterThan(40);
});

test("a room imports what its row names, and what that may import", () => {
  const wrong = imports().filter(({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)];
    const ours = /^(?:constructs|services|test|bench|docs|recipes)\//.test(target);
    return ours && (from === undefined || to === undefined || !mayImport(from).has(to));
  });
  expect(wrong).toEqual([]);
});

test("no file imports itself through others", () => {
  const targets = new Map<string, string[]>();
  for (const { file, target } of imports())
    targets.set(file, [...(targets.get(file) ?? []), target]);
  const circles = [...targets.keys()].filter((start) => {
    const seen = new Set<string>();
    const queue = [...(targets.get(start) ?? [])];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      queue.push(...(targets.get(file) ?? []));
    }
    return seen.has(start);
  });
  expect(circles).toEqual([]);
});

test("a package with one purpose is known where it is needed", () => {
  const wrong = imports().filter(({ file, target }) => {
    const name = Object.keys(packages).find(
      (known) => target === known || target.startsWith(`${known}/`),
    );
    return name !== undefined && !packages[name]?.some((room) => file.startsWith(room));
  });
  expect(wrong).toEqual([]);
});

test("effects have one place each", () => {
  const wrong = imports().filter(
    ({ file, target }) => effects[target] !== undefined && !effects[target]?.includes(file),
  );
  expect(wrong).toEqual([]);
});

test("the desired state imports zod and nothing else", () => {
  expect(importsOf("services/converge/desired-state.ts").map(({ target }) => target)).toEqual([
    "zod",
  ]);
});

test("the engine has no word of what it is used for", () => {
  const folder = join(root, "constructs/core");
  const words = readdirSync(folder).flatMap((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    return [...text.matchAll(/\b(?:docker|drone|swarm|traefik|abra|recipe)\w*/gi)].map(
      ([word]) => `${name}: ${word}`,
    );
  });
  expect(words).toEqual([]);
});
