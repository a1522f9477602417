import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  Compose,
  ComposeFailure,
  exportsOf,
  modelOf,
  type StackToRender,
  secretVariable,
} from "../../../../services/converge/adapters/compose.ts";
import { Git } from "../../../../services/converge/adapters/git.ts";
import { KeptModels } from "../../../../services/converge/adapters/kept-models.ts";
import type { Command, Ending } from "../../../../services/converge/adapters/program.ts";
import { type Upstream, upstream } from "./recipe-upstream.ts";

/** As Docker's client 28.2 prints it. */
const printed = `
version: "3.8"
services:
  app:
    configs:
      - source: traefik_yml
        target: /etc/traefik/traefik.yml
      - source: entrypoint
        target: /entrypoint
    deploy:
      labels:
        coop-cloud.a_b.version: 5.1.1
        traefik.enable: "true"
      replicas: 2
    environment:
      NUL: null
    image: traefik:v3.6.12
    networks:
      internal: null
      proxy: null
    ports:
      - mode: host
        target: 80
        published: 80
      - mode: ingress
        target: 53
        published: 53
        protocol: udp
      - mode: ingress
        target: 8080
    secrets:
      - source: ssl_cert
  agent:
    deploy:
      mode: global
    image: busybox
networks:
  internal: {}
  proxy:
    name: proxy
    external: true
  other:
    external: true
secrets:
  ssl_cert:
    name: a_b_ssl_cert_1
    external: true
configs:
  entrypoint:
    file: /recipe/entrypoint
  traefik_yml:
    name: a_b_traefik_yml_v1
    file: /recipe/traefik.yml
`;

describe("what Docker's client prints of a recipe", () => {
  const { services, external } = modelOf(parse(printed), "a_b");

  test("is read with every name as it is in the swarm", () => {
    expect(services[0]).toEqual({
      name: "app",
      image: "traefik:v3.6.12",
      replicas: 2,
      labels: { "coop-cloud.a_b.version": "5.1.1", "traefik.enable": "true" },
      secrets: ["a_b_ssl_cert_1"],
      configs: ["a_b_entrypoint", "a_b_traefik_yml_v1"],
      networks: ["a_b_internal", "proxy"],
      ports: [
        { port: 80, protocol: "tcp" },
        { port: 53, protocol: "udp" },
      ],
    });
    expect(external).toEqual({ secrets: ["a_b_ssl_cert_1"], networks: ["other", "proxy"] });
  });

  test("leaves out what goes without saying", () => {
    const nothing = { labels: {}, secrets: [], configs: [], ports: [] };
    const networks = ["a_b_default"];
    const agent = { name: "agent", image: "busybox", replicas: undefined };
    expect(services[1]).toEqual({ ...agent, ...nothing, networks });
    expect(modelOf(parse("services: {a: {image: b}}"), "s").services[0]?.replicas).toBe(1);
  });

  test("is refused when it is no stack", () => {
    expect(() => modelOf(parse("services: {app: {}}"), "a_b")).toThrow(ComposeFailure);
    expect(() => modelOf(parse(""), "a_b")).toThrow(/printed what is no stack/);
  });
});

test("exports of abra.sh are read line by line, and no shell is asked", () => {
  const script = [
    ..."#!/bin/sh|export A_VERSION=v1|export  B_VERSION=v2 # since May|  export C=no".split("|"),
    ..."exported=no|D=no|export E=$(date)|export F".split("|"),
  ].join("\n");
  expect(exportsOf(script)).toEqual({ A_VERSION: "v1", B_VERSION: "v2", E: "$(date)" });
});

describe("the variable that carries the version of a secret", () => {
  const named = (name: string) =>
    `services: {}\nsecrets:\n  rpc:\n    external: true\n    ${name}\n`;

  test.for<[string, string, string | undefined]>([
    [
      "as abra's own secrets are named",
      "name: ${STACK_NAME}_rpc_${SECRET_RPC_VERSION}",
      "SECRET_RPC_VERSION",
    ],
    ["as older recipes have it", "name: ${STACK_NAME}_rpc_${RPC_VERSION}", "RPC_VERSION"],
    ["without braces", 'name: "${STACK_NAME}_rpc_$RPC_VERSION"', "RPC_VERSION"],
    ["with a default", "name: ${STACK_NAME}_rpc_${RPC_VERSION:-v1}", "RPC_VERSION"],
    ["of a fixed version", "name: ${STACK_NAME}_rpc_v1", undefined],
    ["under another name", "name: ${STACK_NAME}_other_${RPC_VERSION}", undefined],
    ["in a comment", "# name: ${STACK_NAME}_rpc_${RPC_VERSION}", undefined],
  ])("is found %s", async ([, name, variable]) => {
    expect(await secretVariable("rpc", [named(name)])).toBe(variable);
  });

  test("is looked for in each file, also in one that names no secrets", async () => {
    const files = [
      "",
      "{ no yaml",
      "services: {}\n",
      named("name: ${STACK_NAME}_rpc_${RPC_VERSION}"),
    ];
    expect(await secretVariable("rpc", files)).toBe("RPC_VERSION");
    expect(await secretVariable("client", files)).toBeUndefined();
  });
});

describe("a recipe", () => {
  const folder = mkdtempSync(join(tmpdir(), "cc-ci-kept-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let identity = "";
  const ended: Ending = { status: 0, signal: null, stdout: printed, stderr: "", timedOut: false };

  function composeThat(
    ending: Partial<Ending>,
    look: (command: Command) => void = () => undefined,
    kept = new KeptModels({ folder }),
  ) {
    const run = async (command: Command) => {
      look(command);
      return { ...ended, ...ending };
    };
    return new Compose({ git: new Git(), run, kept, identity: async () => identity });
  }

  const wanted = (source: Upstream): StackToRender => ({
    ...{ stack: "a_b", domain: "a.b", checkout: source.folder },
    commit: source.git("rev-parse", "HEAD"),
    composeFiles: ["compose.yml", "compose.host.yml"],
    overlay: [],
    env: "# 'x'\nTYPE=web:1.0.0\nDOMAIN=a.b\nAPP_VERSION=v0\nTEXT='it is'\n",
  });

  test("is rendered with its files in order, and the variables that abra has", async () => {
    using source = upstream();
    let seen: Command | undefined;
    let files: readonly string[] = [];
    const compose = composeThat({}, (command) => {
      seen = command;
      files = readdirSync(command.folder ?? "");
    });
    await compose.render(wanted(source));
    const folder = seen?.folder ?? "";
    const named = ["compose.yml", "compose.host.yml"].map((file) => join(folder, file));
    const flags = named.flatMap((file) => ["--compose-file", file]);
    expect([seen?.program, ...(seen?.args ?? [])]).toEqual(["docker", "stack", "config", ...flags]);
    expect(files).toEqual(["abra.sh", "compose.yml"]);
    expect(seen?.env).toEqual({
      ...{ TYPE: "web:1.0.0", DOMAIN: "a.b", TEXT: "it is", STACK_NAME: "a_b", APP_VERSION: "v1" },
    });
    expect(existsSync(folder)).toBe(false);
  });

  test("is rendered once, and again when anything is another that it is made from", async () => {
    using source = upstream();
    let rendered = 0;
    identity = "docker 28";
    const count = async (stack: StackToRender, mayWrite = true) => {
      const before = rendered;
      const kept = new KeptModels({ folder, mayWrite });
      const model = await composeThat({}, () => (rendered += 1), kept).render(stack);
      expect(model).toEqual(modelOf(parse(printed), "a_b"));
      return rendered - before;
    };
    const stack = wanted(source);
    // Who only looks keeps nothing.
    expect(await count(stack, false)).toBe(1);
    expect([await count(stack), await count(stack), await count(stack, false)]).toEqual([1, 0, 0]);
    expect(await count({ ...stack, env: `${stack.env}MORE=1\n` })).toBe(1);
    expect(await count({ ...stack, composeFiles: ["compose.yml"] })).toBe(1);
    const overlay = [{ file: "compose.ccci.yml", text: "services: {}\n" }];
    expect(await count({ ...stack, overlay })).toBe(1);
    expect([await count(stack), await count(stack)]).toEqual([1, 0]);
    identity = "docker 29";
    expect([await count(stack), await count(stack)]).toEqual([1, 0]);
    for (const broken of ["", "{", "{}", '{"madeFrom":1}']) {
      writeFileSync(join(folder, "a_b.json"), broken);
      expect([await count(stack), await count(stack)], broken).toEqual([1, 0]);
    }
    expect(readdirSync(folder)).toEqual(["a_b.json"]);
    expect(statSync(join(folder, "a_b.json")).mode & 0o777).toBe(0o600);
    // No room, or no right to write: it is rendered each time.
    const nowhere = new KeptModels({ folder: join(folder, "a_b.json"), mayWrite: true });
    await composeThat({}, () => (rendered += 1), nowhere).render(stack);
    rmSync(join(folder, "a_b.json"));
  });

  test("comes from the commit, whatever the files of the clone are like", async () => {
    using source = upstream();
    const stack = wanted(source);
    source.commit({ "compose.yml": "later" });
    let text = "";
    const compose = composeThat({}, ({ folder = "" }) => {
      text = readFileSync(join(folder, "compose.yml"), "utf8");
    });
    await compose.render(stack);
    expect(text).toBe("services: {}\n");
  });

  test("has what is laid over it beside its files, or in their place", async () => {
    using source = upstream();
    const overlay = [
      { file: "compose.ccci.yml", text: "ours" },
      { file: "abra.sh", text: "export APP_VERSION=v2\n" },
    ];
    let seen: Command | undefined;
    let text = "";
    const compose = composeThat({}, (command) => {
      seen = command;
      text = readFileSync(join(command.folder ?? "", "compose.ccci.yml"), "utf8");
    });
    await compose.render({ ...wanted(source), overlay });
    expect([text, seen?.env?.APP_VERSION]).toEqual(["ours", "v2"]);
  });

  test("has it in the place of a link of its own, and not where that leads", async () => {
    using source = upstream();
    const elsewhere = join(source.scratch, "elsewhere");
    symlinkSync(elsewhere, join(source.folder, "compose.ccci.yml"));
    source.commit({});
    const overlay = [{ file: "compose.ccci.yml", text: "ours" }];
    await composeThat({}).render({ ...wanted(source), overlay });
    expect(existsSync(elsewhere)).toBe(false);
  });

  test("that makes no stack is refused in Docker's words, without the folder of the moment", async () => {
    using source = upstream();
    let folder = "";
    const said: Partial<Ending> = { status: 1 };
    const compose = composeThat(said, (command) => {
      folder = command.folder ?? "";
      Object.assign(said, {
        stderr: `open ${folder}/compose.host.yml: no such file or directory\n`,
      });
    });
    const failing = compose.render(wanted(source));
    await expect(failing).rejects.toThrow("open compose.host.yml: no such file or directory");
    await expect(failing).rejects.toBeInstanceOf(ComposeFailure);
    expect(existsSync(folder)).toBe(false);
  });
});
