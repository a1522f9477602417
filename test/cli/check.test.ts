import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { checkoutWith, filesAfterSynth, runCli, writeFiles } from "./cli.ts";
import { traceOf } from "./tree.ts";
import { configuration } from "./yaml.ts";

const sources = {
  "cc-ci.yaml": configuration({ one: { apps: { wiki: { env: { GREETING: "hello" } } } } }),
  "flake.nix": "{ }\n",
};
const remedy = "run 'npm run synth' and commit what it changes";

/** What a synth of `sources` leaves, so that each test need not run one. */
let synthesized: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  synthesized = await filesAfterSynth(sources);
});

/** One difference of each kind, all five beside each other. */
function spoil(root: string): void {
  writeFiles(root, {
    "cc-ci.yaml": configuration({ one: { release: "5.2.0" } }),
    "out/one/swarm.nix": "# mine\n",
    "out/one/foreign.txt": "left here\n",
  });
  rmSync(join(root, "out/one/host.nix"));
}

test("check ends with 0 when everything is what the sources say", async () => {
  const root = checkoutWith(synthesized);

  const outcome = await runCli(root, ["check"]);

  expect(outcome).toEqual({
    code: 0,
    signal: undefined,
    stdout: "25 generated files are what the sources say\n",
    stderr: "",
  });
});

test("check ends with 1 and names each kind of difference", async () => {
  // given
  const root = checkoutWith(synthesized);
  spoil(root);

  // when
  const { code, stdout, stderr } = await runCli(root, ["check"]);

  // then
  const stale = "is stale: the sources say something else by now";
  const orphan = "is an orphan: the sources do not say it any more";
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  expect(stdout.split("\n").filter((line) => /^(?:out|docs)\//.test(line))).toEqual([
    `docs/graph/one.mmd ${stale}`,
    `docs/graph/one.svg ${stale}`,
    `out/manifest.json ${stale}`,
    `out/one/app-wiki.env ${orphan}`,
    `out/one/app-wiki.json ${orphan}`,
    `out/one/app-wiki.nix ${orphan}`,
    `out/one/cdk.tf.json ${stale}`,
    `out/one/default.nix ${stale}`,
    "out/one/foreign.txt is an orphan that no synth wrote: move it out of out/",
    "out/one/host.nix is missing",
    `out/one/pieces.json ${stale}`,
    "out/one/swarm.nix was edited by hand, or merged: change the sources instead",
    `out/one/target.nix ${stale}`,
    `out/one/traefik.json ${stale}`,
  ]);
  expect(stdout.split("\n").at(-2)).toBe(`14 generated files differ: ${remedy}`);
});

test("check shows one stale file as a unified diff from the disk to the sources", async () => {
  // given
  const root = checkoutWith(synthesized);
  const path = "out/one/app-wiki.env";
  writeFiles(root, { [path]: (synthesized[path] ?? "").replace("hello", "bye") });

  // when
  const { stdout } = await runCli(root, ["check"]);

  // then
  expect(stdout).toBe(
    [
      `${path} was edited by hand, or merged: change the sources instead`,
      `--- a/${path}`,
      `+++ b/${path}`,
      "@@ -5,4 +5,4 @@",
      " LETS_ENCRYPT_ENV=",
      " TIMEOUT=300",
      " COMPOSE_FILE=compose.yml",
      "-GREETING=bye",
      "+GREETING=hello",
      "",
      `1 generated file differs: ${remedy}\n`,
    ].join("\n"),
  );
});

test("check does not promise that synth removes what it did not write", async () => {
  // given
  const root = checkoutWith({ ...synthesized, "out/one/foreign.txt": "left here\n" });

  // when
  const { code, stdout } = await runCli(root, ["check"]);

  // then
  expect(code).toBe(1);
  expect(stdout.split("\n").at(0)).toBe(
    "out/one/foreign.txt is an orphan that no synth wrote: move it out of out/",
  );
  expect(stdout.split("\n").at(-2)).toBe(
    "1 generated file differs: synth leaves alone what it did not write",
  );
});

test("git applies what check prints, and check is content then", async () => {
  // given: also names and line ends that a diff spells in its own way
  const root = checkoutWith(synthesized);
  spoil(root);
  writeFiles(root, {
    "out/one/a b.txt": "blanks\n",
    "out/one/no-newline.txt": "no newline",
    "out/one/traefik.json": "{}",
    "out/one/retire.nix": (synthesized["out/one/retire.nix"] ?? "").replaceAll("\n", "\r\n"),
    "out/one/target.nix": "",
  });
  const { stdout } = await runCli(root, ["check"]);

  // when
  await execa("git", ["apply", "--whitespace=nowarn"], { cwd: root, input: stdout });

  // then
  const { code, stdout: after } = await runCli(root, ["check"]);
  expect(after).toBe("22 generated files are what the sources say\n");
  expect(code).toBe(0);
});

test("check --json says the same to a program", async () => {
  // given
  const root = checkoutWith(synthesized);
  rmSync(join(root, "out/one/host.nix"));

  // when
  const { code, stdout } = await runCli(root, ["check", "--json"]);

  // then
  const added = (synthesized["out/one/host.nix"] ?? "").trimEnd().split("\n");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    ok: false,
    differences: [
      {
        path: "out/one/host.nix",
        state: "missing",
        diff: [
          "--- /dev/null",
          "+++ b/out/one/host.nix",
          `@@ -0,0 +1,${added.length} @@`,
          ...added.map((line) => `+${line}`),
          "",
        ].join("\n"),
      },
    ],
  });
});

test("check --json of a good checkout is ok and has no differences", async () => {
  const root = checkoutWith(synthesized);

  const { code, stdout } = await runCli(root, ["check", "--json"]);

  expect({ code, json: JSON.parse(stdout) }).toEqual({
    code: 0,
    json: { ok: true, differences: [] },
  });
});

const readers = ["check", "check --json", "diff", "diff --json", "graph"].map((command) => ({
  command,
}));

test.for(readers)("$command writes nothing in a checkout that differs", async ({ command }) => {
  // given
  const root = checkoutWith(synthesized);
  spoil(root);
  const before = traceOf(root);

  // when
  await runCli(root, command.split(" "));

  // then
  expect(traceOf(root)).toEqual(before);
});

test.for(readers)("$command writes nothing before the first synth", async ({ command }) => {
  // given
  const root = checkoutWith(sources);
  const before = traceOf(root);

  // when
  const { code } = await runCli(root, command.split(" "));

  // then
  expect(code).toBe(command.startsWith("check") ? 1 : 0);
  expect(traceOf(root)).toEqual(before);
});

test("check works in a checkout and a current folder that nobody may write to", async () => {
  // given
  const root = checkoutWith(synthesized);
  const within = `mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && cd "$PWD" && exec "$@"`;

  // when
  const { code, stderr } = await runCli(root, ["check"], {
    within: `exec unshare --mount /bin/sh -c '${within}' sh "$@"`,
  });

  // then
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("the text of a file on the disk gives a terminal no orders, nor does its name", async () => {
  // given
  const root = checkoutWith(synthesized);
  writeFiles(root, {
    "out/one/\u001b[31mred.txt": "x\n",
    "out/one/host.nix": "\u001b]0;title\u0007\n",
  });

  // when: a terminal, as script(1) makes one
  const { code, stdout } = await runCli(root, ["check"], {
    within: 'exec script --quiet --return --command "$(printf "\'%s\' " "$@")" /dev/null',
  });

  // then
  expect(code).toBe(1);
  expect(stdout).not.toContain("\u001b[31mred");
  expect(stdout).not.toContain("\u001b]0;");
  expect(stdout).toContain("\\u001b]0;title\\u0007");
});

test("graph prints what synth keeps, as Mermaid and as SVG, and nothing beside it", async () => {
  // given
  const root = checkoutWith(synthesized);

  // when
  const [mermaid, svg, named] = await Promise.all([
    runCli(root, ["graph"]),
    runCli(root, ["graph", "--svg"]),
    runCli(root, ["graph", "--host", "one"]),
  ]);

  // then
  expect([mermaid, svg, named].map(({ code, stderr }) => ({ code, stderr }))).toEqual(
    Array.from({ length: 3 }, () => ({ code: 0, stderr: "" })),
  );
  expect(mermaid.stdout).toBe(synthesized["docs/graph/one.mmd"]);
  expect(svg.stdout).toBe(synthesized["docs/graph/one.svg"]);
  expect(named.stdout).toBe(mermaid.stdout);
});

test("graph of several hosts wants to know which one", async () => {
  // given
  const hosts = { one: {}, two: { domain: "b.example.org" } };
  const root = checkoutWith(await filesAfterSynth({ "cc-ci.yaml": configuration(hosts) }));

  // when
  const [all, second] = await Promise.all([
    runCli(root, ["graph"]),
    runCli(root, ["graph", "--host", "two"]),
  ]);

  // then
  expect({ code: all.code, stdout: all.stdout, stderr: all.stderr }).toEqual({
    code: 2,
    stdout: "",
    stderr: "graph: there are several hosts: choose one with --host, of one, two\n",
  });
  expect(second.stdout).toBe(readFileSync(join(root, "docs/graph/two.mmd"), "utf8"));
});

test("graph of a host that is not there names those that are", async () => {
  const root = checkoutWith(sources);

  const { code, stdout, stderr } = await runCli(root, ["graph", "--host", "two"]);

  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: "",
    stderr: "--host: there is no host two: choose one of one\n",
  });
  expect(existsSync(join(root, "out"))).toBe(false);
});
