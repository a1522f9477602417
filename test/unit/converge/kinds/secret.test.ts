import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SealedFile } from "../../../../services/converge/adapters/docker-schemas.ts";
import { DockerRefusal } from "../../../../services/converge/adapters/docker-socket.ts";
import { Files } from "../../../../services/converge/adapters/files.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { Slots } from "../../../../services/converge/engine/slots.ts";
import {
  planSecret,
  type SecretSight,
  type SecretUse,
  secretSteps,
} from "../../../../services/converge/kinds/secret.ts";
import { contextOf } from "../fake-context.ts";
import { fakeDocker, sent } from "./fakes.ts";

type SecretResource = ResourceOf<"secret">;

const certificateFile = "/var/lib/ci-certs/fullchain.pem";
const keyFile = "/var/lib/ci-certs/privkey.pem";
const passwordFile = "/var/lib/cc-ci/secrets/password";

const certificate: SecretResource = {
  ...{ kind: "secret", stack: "traefik", name: "ssl_cert", file: certificateFile },
  version: { slot: "cert-version" },
  versionOf: { what: "file", path: certificateFile },
};
const key: SecretResource = {
  ...{ ...certificate, name: "ssl_key", file: keyFile, version: { slot: "key-version" } },
};
const password: SecretResource = {
  ...{ ...certificate, name: "password", file: passwordFile },
  version: { slot: "password-version" },
  versionOf: { what: "name-and-content" },
};

const digits = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("")).digest("hex").slice(0, 12);

const ours = { "cc-ci.managed": "cc-ci" };
const [v1, v2, v3] = ["0123456789ab", "123456789abc", "23456789abcd"] as const;

function secret(name: string, labels: Readonly<Record<string, string>> = ours): SealedFile {
  return {
    ID: `id-${name}`,
    Version: { Index: 1 },
    CreatedAt: "",
    UpdatedAt: "",
    Spec: { Name: name, Labels: labels },
  };
}

function use(version: string, stack: string | undefined = "traefik"): SecretUse {
  return { secret: `traefik_ssl_cert_${version}`, stack };
}

function plan(sight: Partial<SecretSight>): readonly string[] {
  const seen = { version: v2, secrets: [], uses: [], ...sight };
  return planSecret(certificate, seen, contextOf()).map(
    ({ phase, verb, target }) => `${phase} ${verb} ${target}`,
  );
}

const create = `apply secret create traefik_ssl_cert_${v2}`;
const remove = (version: string): string => `seal secret remove traefik_ssl_cert_${version}`;

describe("what is done about a secret", () => {
  const current = secret(`traefik_ssl_cert_${v2}`);
  const old = secret(`traefik_ssl_cert_${v1}`);
  const older = secret(`traefik_ssl_cert_${v3}`);

  test.each<[string, Partial<SecretSight>, readonly string[]]>([
    ["none there: made", {}, [create]],
    ["there: nothing", { secrets: [current] }, []],
    ["there, and not ours: used", { secrets: [secret(current.Spec.Name, {})] }, []],
    [
      "its version unknown: made, by an open name",
      { version: undefined },
      ["apply secret create traefik_ssl_cert_*"],
    ],
    [
      "its version unknown, one there: replaces it",
      { version: undefined, secrets: [old], uses: [use(v1)] },
      ["apply secret create traefik_ssl_cert_*", remove(v1)],
    ],
    [
      "an old one that nothing uses: removed",
      { secrets: [current, old, older] },
      [remove(v1), remove(v3)],
    ],
    [
      "an old one that the stack uses until it is deployed: removed then",
      { secrets: [old], uses: [use(v1)] },
      [create, remove(v1)],
    ],
    [
      "the same, after a kill between the two",
      { secrets: [current, old], uses: [use(v1)] },
      [remove(v1)],
    ],
    [
      "an old one that a part of the stack goes on using: kept",
      { secrets: [current, old], uses: [use(v1), use(v2)] },
      [],
    ],
    [
      "an old one that another stack uses: kept",
      { secrets: [current, old], uses: [use(v1, "web")] },
      [],
    ],
    [
      "an old one that a service of no stack uses: kept",
      { secrets: [old], uses: [{ ...use(v1), stack: undefined }] },
      [create],
    ],
  ])("%s", (_, sight, calls) => {
    expect(plan(sight)).toEqual(calls);
  });

  test.each<[string, SealedFile]>([
    ["without our label", secret(old.Spec.Name, {})],
    ["of another host", secret(old.Spec.Name, { "cc-ci.managed": "other" })],
    ["of a longer name", secret(`traefik_ssl_cert_more_${v1}`)],
    ["of a shorter one", secret(`traefik_ssl_${v1}`)],
    ["of another stack", secret(`traefik2_ssl_cert_${v1}`)],
    ["of a version of ours no longer", secret("traefik_ssl_cert_v1")],
    ["with a version too long", secret(`traefik_ssl_cert_${v1}0`)],
    ["with other digits", secret("traefik_ssl_cert_0123456789AB")],
  ])("a secret %s is never removed", (_, other) => {
    expect(plan({ secrets: [current, other] })).toEqual([]);
  });

  test("nothing that is used by another stack, wanted or foreign is ever removed", () => {
    const version = fc.constantFrom(v1, v2, v3);
    const secrets = fc.uniqueArray(
      fc
        .tuple(version, fc.constantFrom(ours, {}))
        .map(([of, labels]) => secret(use(of).secret, labels)),
      { selector: ({ Spec }) => Spec.Name },
    );
    const uses = fc.array(
      fc.tuple(version, fc.constantFrom("traefik", "web")).map(([of, stack]) => use(of, stack)),
    );
    fc.assert(
      fc.property(secrets, uses, (all, used) => {
        const removed = plan({ secrets: all, uses: used }).filter((call) =>
          call.startsWith("seal"),
        );
        for (const { Spec } of all) {
          const isKept =
            Spec.Name === use(v2).secret ||
            Spec.Labels !== ours ||
            used.some((each) => each.secret === Spec.Name && each.stack === "web");
          if (isKept) expect(removed).not.toContain(`seal secret remove ${Spec.Name}`);
        }
      }),
    );
  });
});

describe("the steps", () => {
  function host(
    content: Readonly<Record<string, string>>,
    answers: Readonly<Record<string, unknown>> = {},
  ) {
    const held = new Map(Object.entries(content));
    const files = new Files();
    files.read = async (path) => {
      const text = held.get(path);
      return text === undefined ? undefined : Buffer.from(text);
    };
    const { docker, asked } = fakeDocker({
      ...{ "GET /secrets": [], "POST /secrets/create": { ID: "new" }, ...answers },
    });
    const slots = new Slots({});
    const context = contextOf({ world: { files, docker }, slots });
    return { context, slots, asked, held };
  }
  const made = (asked: Parameters<typeof sent>[0]) =>
    sent(asked).map(([, body]) => body as { Name: string; Labels: unknown; Data: string });

  test("name a pair after the certificate, and send each file's own bytes", async () => {
    const { context, slots, asked } = host({ [certificateFile]: "cert", [keyFile]: "key" });
    for (const resource of [certificate, key]) {
      for (const call of await secretSteps(resource, context).plan()) await call.perform();
    }
    const version = digits("cert");
    expect(made(asked)).toEqual([
      { Name: `traefik_ssl_cert_${version}`, Labels: ours, Data: btoa("cert") },
      { Name: `traefik_ssl_key_${version}`, Labels: ours, Data: btoa("key") },
    ]);
    expect([slots.find(certificate.version), slots.find(key.version)]).toEqual([version, version]);
  });

  test("take a pair as it was judged, though both files are others by now", async () => {
    const { context, asked } = host({ [certificateFile]: "cert 2", [keyFile]: "key 2" });
    context.judged.note(certificateFile, Buffer.from("cert 1"));
    context.judged.note(keyFile, Buffer.from("key 1"));
    const [call] = await secretSteps(key, context).plan();
    await call?.perform();
    expect(made(asked)).toEqual([
      { Name: `traefik_ssl_key_${digits("cert 1")}`, Labels: ours, Data: btoa("key 1") },
    ]);
  });

  test("name any other after its name and content", async () => {
    const content = "0123456789abcdef";
    const { context, asked } = host({ [passwordFile]: content });
    for (const call of await secretSteps(password, context).plan()) await call.perform();
    expect(made(asked)[0]?.Name).toBe(`traefik_password_${digits("password", "\0", content)}`);
  });

  test("make nothing of a file that changed between name and content", async () => {
    const { context, asked, held } = host({ [passwordFile]: "0123456789abcdef" });
    const [call] = await secretSteps(password, context).plan();
    held.set(passwordFile, "another one, and long enough");
    await expect(call?.perform()).rejects.toThrow(`${passwordFile} changed while`);
    held.delete(passwordFile);
    await expect(call?.perform()).rejects.toThrow(`${passwordFile} is not there`);
    expect(made(asked)).toEqual([]);
  });

  test("leave the slot open while the file is not there", async () => {
    const { context, slots, asked } = host({});
    slots.fill("password-version", "of an earlier look");
    const calls = await secretSteps(password, context).plan();
    expect(calls.map(({ target, why }) => [target, why])).toEqual([
      ["traefik_password_*", "its host file is made first"],
    ]);
    expect(slots.find(password.version)).toBeUndefined();
    await expect(calls[0]?.perform()).rejects.toThrow("is not there");
    expect(made(asked)).toEqual([]);
  });

  test.each<[SecretResource, string, string]>([
    [password, "x".repeat(15), "has 15 bytes, and a swarm secret must have 16 or more"],
    [password, "", "has 0 bytes, and a swarm secret must have 16 or more"],
    [certificate, "", "has 0 bytes, and a swarm secret must have 1 or more"],
    [certificate, "x".repeat(512_000), "has 512000 bytes, and a swarm secret can have 511999"],
  ])(
    "refuse a content that Docker does not take, or that is too short: %#",
    async (resource, content, text) => {
      const { context, asked } = host({ [resource.file]: content });
      const [call] = await secretSteps(resource, context).plan();
      await expect(call?.perform()).rejects.toThrow(text);
      expect(made(asked)).toEqual([]);
    },
  );

  test("use one that somebody made at the same moment", async () => {
    const conflict = new DockerRefusal(409, "AlreadyExists");
    const { context } = host({ [certificateFile]: "cert" }, { "POST /secrets/create": conflict });
    const [call] = await secretSteps(certificate, context).plan();
    await expect(call?.perform()).resolves.toBeUndefined();
  });

  const old = `traefik_ssl_cert_${v1}`;
  const uses = (name: string) => ({
    ContainerSpec: { Image: "i", Secrets: [{ SecretName: name }] },
  });
  const service = (name: string) => ({
    ...{ ID: "service", Version: { Index: 1 } },
    Spec: {
      Name: "s",
      Labels: { "com.docker.stack.namespace": "traefik" },
      TaskTemplate: uses(name),
      Mode: {},
    },
  });
  const task = (DesiredState: string) => ({
    ...{ ID: "task", DesiredState, Spec: uses(old), Status: { State: "running" } },
  });

  test.each([
    ["running", false],
    ["ready", false],
    ["shutdown", true],
    ["remove", true],
  ])("look at tasks too: one to be '%s' lets go of the old one: %s", async (state, isRemoved) => {
    const current = `traefik_ssl_cert_${digits("cert")}`;
    const { context } = host(
      { [certificateFile]: "cert" },
      {
        "GET /secrets": [secret(current), secret(old)],
        "GET /services": [service(current)],
        "GET /tasks": [task(state)],
      },
    );
    const calls = await secretSteps(certificate, context).plan();
    expect(calls.map(({ target }) => target)).toEqual(isRemoved ? [old] : []);
  });

  test("ask for no service when there is nothing to remove", async () => {
    const current = secret(`traefik_ssl_cert_${digits("cert")}`);
    const { context, asked } = host({ [certificateFile]: "cert" }, { "GET /secrets": [current] });
    expect(await secretSteps(certificate, context).plan()).toEqual([]);
    expect(asked.map(({ path }) => path)).toEqual(["/secrets"]);
  });

  test("keep an old one that is in use again by the time it is removed", async () => {
    const words = "rpc error: secret 'x' is in use by the following service: s";
    const answers = {
      "GET /secrets": [secret(old)],
      "GET /services": [],
      [`DELETE /secrets/id-${old}`]: new DockerRefusal(400, words),
    };
    const { context, asked } = host({ [certificateFile]: "cert" }, answers);
    const calls = await secretSteps(certificate, context).plan();
    await calls.find(({ phase }) => phase === "seal")?.perform();
    expect(sent(asked)).toEqual([[`/secrets/id-${old}`, undefined]]);
  });
});
