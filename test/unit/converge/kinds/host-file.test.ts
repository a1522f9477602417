import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Files } from "../../../../services/converge/adapters/files.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { contentWarnings } from "../../../../services/converge/kinds/host-file/demand.ts";
import {
  type HostFileSight,
  hostFileFault,
  hostFileSteps,
  planHostFile,
} from "../../../../services/converge/kinds/host-file.ts";
import { TestAuthority } from "../../../host/certificates.ts";
import { contextOf, heardReport } from "../fake-context.ts";
import { fakeClock, fakeDocker } from "./fakes.ts";

type HostFileResource = ResourceOf<"host-file">;

const path = "/var/lib/ci-certs/fullchain.pem";
const keyFile = "/var/lib/ci-certs/privkey.pem";

const opaque: HostFileResource = {
  kind: "host-file",
  path: "/var/lib/ci-secrets/token",
  purpose: "the token",
  remedy: "ask for one",
  origin: { by: "operator" },
  demand: { format: "opaque", minBytes: 16 },
};
const hostMade: HostFileResource = { ...opaque, origin: { by: "host", randomBytes: 32 } };
const dockerConfig: HostFileResource = { ...opaque, demand: { format: "docker-config" } };
const privateKey: HostFileResource = {
  ...{ ...opaque, path: keyFile, purpose: "the key" },
  demand: { format: "private-key" },
};
const chain: HostFileResource = {
  ...{ ...opaque, path, purpose: "the certificate" },
  demand: {
    ...{ format: "certificate-chain", covers: ["*.ci.example.org"], keyFile },
    ...{ warnBelowDays: 21, pairSeconds: 60 },
  },
};

const authority = new TestAuthority();
afterAll(() => authority[Symbol.dispose]());
const good = authority.pair();
const now = new Date();
const days = (count: number): Date => new Date(now.getTime() + count * 24 * 60 * 60 * 1000);

function sight(content: string, parts: Partial<HostFileSight> = {}): HostFileSight {
  const bytes = content.length;
  return {
    look: { path, isFile: true, bytes, mode: 0o600 },
    git: undefined,
    content: Buffer.from(content),
    key: undefined,
    ...parts,
  };
}

function faultOf(resource: HostFileResource, seen: HostFileSight, at = now): string {
  const line = hostFileFault(resource, seen, at)?.line;
  return line === undefined ? "fine" : `${line.as} ${line.id}: ${line.text}`;
}

describe("a host file is fine", () => {
  test.each<[string, HostFileResource, string]>([
    ["with as many bytes as it must have", opaque, "x".repeat(16)],
    ["with as many as it can have", opaque, "x".repeat(511_999)],
    ["as a client's configuration", dockerConfig, '{ "auths": {}, "more": 1 }'],
    ["as a key", privateKey, good.key],
  ])("%s", (_, resource, content) => {
    expect(faultOf(resource, sight(content))).toBe("fine");
  });

  test("as a chain with its key", () => {
    const { certificate, key } = authority.pairWithChain();
    expect(faultOf(chain, sight(certificate, { key: Buffer.from(key) }))).toBe("fine");
  });

  test("not yet there, where the host makes it", () => {
    expect(faultOf(hostMade, sight("", { look: undefined }))).toBe("fine");
  });
});

describe("what is wrong with a host file is one line", () => {
  const look = { path, isFile: true, bytes: 512_000, mode: 0o600 };

  test.each<[HostFileResource, HostFileSight, string]>([
    [
      opaque,
      sight("", { look: undefined }),
      "failed host-file-missing: /var/lib/ci-secrets/token is not there, and must hold the token: ask for one",
    ],
    [opaque, sight("", { look: { ...look, isFile: false } }), "failed host-file-not-a-file"],
    [
      opaque,
      sight("", { look }),
      "failed host-file-too-large: /var/lib/ci-secrets/token has 512000 bytes",
    ],
    [opaque, sight(""), "failed host-file-empty"],
    [
      opaque,
      sight("x".repeat(15)),
      "failed host-file-too-short: /var/lib/ci-secrets/token has 15 bytes, and the token must have 16 or more",
    ],
    [
      opaque,
      sight("x".repeat(16), { git: "/etc/.git" }),
      "refused host-file-in-git: /var/lib/ci-secrets/token lies in the work tree of /etc/.git",
    ],
    [hostMade, sight("", { look: undefined, git: "/etc/.git" }), "refused host-file-in-git"],
    [dockerConfig, sight("{ "), "failed docker-config-malformed"],
    [dockerConfig, sight("null"), "failed docker-config-malformed"],
    [dockerConfig, sight('{ "auths": [] }'), "failed docker-config-malformed"],
    [dockerConfig, sight('{ "credsStore": "x" }'), "failed docker-config-malformed"],
    [privateKey, sight("hello"), "failed private-key-malformed"],
    [privateKey, sight("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "failed private-key-encrypted"],
  ])("%#", (resource, seen, line) => {
    expect(faultOf(resource, seen)).toContain(line);
  });

  test("and never what the file holds", () => {
    for (const resource of [dockerConfig, privateKey, chain]) {
      expect(faultOf(resource, sight("hunter2 hunter2"))).not.toContain("hunter2");
    }
  });
});

describe("what is wrong with a certificate is one line", () => {
  const key = Buffer.from(good.key);
  const date = /\d{4}-\d\d-\d\d \d\d:\d\d UTC/.source;

  test.each<[string, () => { certificate: string; key: string }, RegExp]>([
    ["text", () => ({ certificate: "hello", key: good.key }), /^failed certificate-malformed/],
    [
      "expired",
      () => authority.expired(),
      new RegExp(
        `^failed certificate-expired: ${path}: certificate 1 \\(CN=pair-\\d+\\) was valid until ${date}, and it is ${date}: put`,
      ),
    ],
    [
      "not yet valid",
      () => authority.notYetValid(),
      new RegExp(
        `^failed certificate-not-yet-valid: .* is valid from ${date} on, and it is ${date}: wait`,
      ),
    ],
    [
      "for other names",
      () => authority.forAnotherName(),
      /^failed certificate-uncovered: .* is for \*\.elsewhere\.example\.net, and must be for \*\.ci\.example\.org: ask/,
    ],
    [
      "of another key",
      () => authority.mismatched(),
      /^failed certificate-of-another-key: .*fullchain.pem and .*privkey.pem do not belong together/,
    ],
    [
      "with a key that is none",
      () => ({ ...good, key: "hello" }),
      /^failed certificate-without-key/,
    ],
    [
      "the wrong way round",
      () => {
        const pair = authority.pairWithChain();
        const parts = pair.certificate.split(/(?<=END CERTIFICATE-----\n)/);
        return { ...pair, certificate: parts.toReversed().join("") };
      },
      /^failed certificate-chain-broken: .*: certificate 1 \(CN=pair-\d+\) is not issued by the one after it \(CN=pair-\d+\)/,
    ],
  ])("%s", (_, make, line) => {
    const pair = make();
    expect(faultOf(chain, sight(pair.certificate, { key: Buffer.from(pair.key) }))).toMatch(line);
  });

  test("an issuer in the chain that ends before the certificate", () => {
    const pair = authority.pairWithChain({ untilDays: 3650 });
    const seen = sight(pair.certificate, { key: Buffer.from(pair.key) });
    expect(faultOf(chain, seen, days(100))).toContain("certificate-expired");
    expect(faultOf(chain, seen, days(100))).toContain("certificate 2 (");
  });

  test("without its key file", () => {
    expect(faultOf(chain, sight(good.certificate))).toContain("certificate-without-key");
  });

  test("a wanted name of several is missing", () => {
    const demand = { ...chain.demand, covers: ["*.ci.example.org", "example.org"] };
    const wanted = { ...chain, demand } as HostFileResource;
    expect(faultOf(wanted, sight(good.certificate, { key }))).toContain("be for example.org: ask");
  });
});

describe("what is right is warned of", () => {
  const warn = (resource: HostFileResource, content: string, mode: number, at = now) =>
    contentWarnings(resource, Buffer.from(content), mode, at).map(({ text }) => text);

  test("when everybody can read a private key", () => {
    expect(warn(privateKey, good.key, 0o640)).toEqual([]);
    expect(warn(privateKey, good.key, 0o644)).toEqual([
      `${keyFile} holds the key, and everybody on this host can read it (mode 0644): run 'chmod 0600 ${keyFile}'`,
    ]);
  });

  test("when fewer days are left than there should be", () => {
    // Given a certificate for 90 days
    expect(warn(chain, good.certificate, 0o644, days(68))).toEqual([]);
    const [text] = warn(chain, good.certificate, 0o644, days(70));
    expect(text).toMatch(/ UTC, \d\d more days: renew it$/);
  });
});

describe("a file that the host makes", () => {
  function made(isThere: boolean) {
    const written: (readonly unknown[])[] = [];
    const files = new Files();
    files.exists = async () => isThere;
    files.write = async (...args) => void written.push(args);
    return { written, context: contextOf({ world: { files } }) };
  }

  test("is made when it is not there, of hex digits without a newline", async () => {
    const { written, context } = made(false);
    const calls = planHostFile(hostMade, false, context);
    expect(calls.map(({ phase, verb, target }) => [phase, verb, target])).toEqual([
      ["prepare", "file create", hostMade.path],
    ]);
    await calls[0]?.perform();
    expect(written).toEqual([[hostMade.path, expect.stringMatching(/^[0-9a-f]{64}$/)]]);
  });

  test("is left as it is when it is there, also when it came since", async () => {
    const { written, context } = made(true);
    expect(planHostFile(hostMade, true, context)).toEqual([]);
    expect(planHostFile(opaque, false, context)).toEqual([]);
    for (const call of planHostFile(hostMade, false, context)) await call.perform();
    expect(written).toEqual([]);
  });
});

describe("the steps", () => {
  /** A host whose files change as time goes by; `git` is a work tree. */
  function host(
    content: (seconds: number) => Readonly<Record<string, string | undefined>>,
    { mayWait = true, resources = [privateKey, chain] } = {},
  ) {
    let seconds = 0;
    const clock = fakeClock(now, (slept) => {
      seconds = slept;
    });
    const files = new Files();
    files.read = async (name) => {
      const text = content(seconds)[name];
      return text === undefined ? undefined : Buffer.from(text);
    };
    files.exists = async (name) => content(seconds)[name] !== undefined;
    files.look = async (name) => {
      const bytes = content(seconds)[name]?.length;
      return bytes === undefined ? undefined : { path: name, isFile: true, bytes, mode: 0o600 };
    };
    const report = heardReport();
    const context = contextOf({ world: { files, clock }, report, mayWait, resources });
    return { context, report, elapsed: () => seconds };
  }
  const next = authority.pair();
  const pairOf = (certificate: string, key: string) => ({ [path]: certificate, [keyFile]: key });

  test("wait for a pair that is replaced one after the other, and note it as it was judged", async () => {
    const { context, elapsed } = host((seconds) =>
      pairOf(next.certificate, seconds < 20 ? good.key : next.key),
    );
    await hostFileSteps(privateKey, context).require?.();
    await hostFileSteps(chain, context).require?.();
    expect(elapsed()).toBe(20);
    expect(String(await context.judged.read(keyFile, context.world.files))).toBe(next.key);
    expect(String(await context.judged.read(path, context.world.files))).toBe(next.certificate);
  });

  test("give a pair that goes on disagreeing the time that it has, and no more", async () => {
    const { context, elapsed } = host(() => pairOf(next.certificate, good.key));
    await expect(hostFileSteps(chain, context).require?.()).rejects.toThrow("do not belong");
    expect(elapsed()).toBe(60);
  });

  test("of a plan wait for nothing", async () => {
    const { context, elapsed } = host(() => pairOf(next.certificate, good.key), { mayWait: false });
    await expect(hostFileSteps(chain, context).require?.()).rejects.toThrow("do not belong");
    expect(elapsed()).toBe(0);
  });

  test("look twice when a file is away, which it is while a link is switched", async () => {
    const back = host((seconds) => (seconds < 1 ? {} : { [keyFile]: good.key }));
    await hostFileSteps(privateKey, back.context).require?.();
    const away = host(() => ({}));
    await expect(hostFileSteps(privateKey, away.context).require?.()).rejects.toThrow("not there");
    expect(away.elapsed()).toBe(2);
  });

  test("do not wait for what only a person can mend", async () => {
    const { certificate, key } = authority.expired();
    const { context, elapsed } = host(() => pairOf(certificate, key));
    await expect(hostFileSteps(chain, context).require?.()).rejects.toThrow("was valid until");
    expect(elapsed()).toBe(0);
  });

  test("take what was judged, whatever the file becomes, until it is judged again", async () => {
    let current = "x".repeat(16);
    const { context } = host(() => ({ [opaque.path]: current }), { resources: [opaque] });
    await hostFileSteps(opaque, context).require?.();
    current = "y".repeat(16);
    expect(String(await context.judged.read(opaque.path, context.world.files))).toBe(
      "x".repeat(16),
    );
    await hostFileSteps(opaque, context).require?.();
    expect(String(await context.judged.read(opaque.path, context.world.files))).toBe(
      "y".repeat(16),
    );
  });

  test("judge what the host has made since", async () => {
    let current: string | undefined;
    const demand = { format: "opaque", minBytes: 128 } as const;
    const long: HostFileResource = { ...hostMade, demand };
    const { context } = host(() => (current === undefined ? {} : { [long.path]: current }));
    const steps = hostFileSteps(long, context);
    await steps.require?.();
    current = "x".repeat(64);
    await expect(steps.verify?.()).rejects.toThrow("must have 128 or more");
  });
});

describe("on a real file system", () => {
  const folder = mkdtempSync(join(tmpdir(), "cc-ci-host-file-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "repository/.git"), { recursive: true });
  writeFileSync(join(folder, "repository/token"), "x".repeat(16));
  writeFileSync(join(folder, "token"), "x".repeat(16));
  mkdirSync(join(folder, "folder"));
  symlinkSync("repository/token", join(folder, "link-into-git"));
  symlinkSync("token", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));

  test.each([
    ["token", "fine"],
    ["link", "fine"],
    ["link-into-git", `lies in the work tree of ${folder}/repository/.git`],
    ["repository/absent", `lies in the work tree of ${folder}/repository/.git`],
    ["dangling", "is not there"],
    ["token/below", "is not there"],
    ["folder", "is no regular file"],
  ])("%s: %s", async (name, text) => {
    const resource = { ...opaque, path: join(folder, name) };
    const world = { files: new Files(), clock: fakeClock(now) };
    const steps = hostFileSteps(resource, contextOf({ world, resources: [resource] }));
    const end = await steps.require?.().then(() => "fine", String);
    expect(end).toContain(text);
  });
});

describe("a key that the host has made", () => {
  const stack = "drone_ci_example_org";
  const key: HostFileResource = {
    ...{ ...hostMade, path: "/var/lib/nowhere/key", purpose: "the key of a database" },
    ...{ remedy: "put it back", origin: { by: "host", randomBytes: 16, opens: stack } },
  };
  const stepsWith = (volumes: readonly string[], mayWait: boolean) => {
    const { docker } = fakeDocker({
      "GET /volumes": { Volumes: volumes.map((Name) => ({ Name, Labels: {} })) },
    });
    const world = { files: new Files(), docker, clock: fakeClock(now) };
    return hostFileSteps(key, contextOf({ world, mayWait }));
  };

  test.for([true, false])("is not made anew for a database that is there (%s)", async (mayWait) => {
    const steps = stepsWith([`${stack}_data`], mayWait);
    await expect(steps.require?.()).rejects.toMatchObject({
      line: {
        ...{ id: "host-file-key-lost", as: "refused" },
        text: `/var/lib/nowhere/key is gone, and was the key of a database: what lies in ${stack}_data cannot be read with another one, so none is made: put it back`,
      },
    });
  });

  test("is made where there is nothing to be read by it", async () => {
    const steps = stepsWith([], true);
    await steps.require?.();
    expect((await steps.plan()).map(({ verb }) => verb)).toEqual(["file create"]);
  });

  test("is used where it is there, whatever else is", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cc-ci-key-"));
    try {
      const path = join(folder, "key");
      writeFileSync(path, "0123456789abcdef0123456789abcdef");
      const world = { files: new Files(), docker: fakeDocker({}).docker, clock: fakeClock(now) };
      const steps = hostFileSteps({ ...key, path }, contextOf({ world }));
      await steps.require?.();
      expect(await steps.plan()).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
