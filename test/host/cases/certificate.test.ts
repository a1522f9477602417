import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { CertificatePair, TestAuthority } from "../certificates.ts";
import { certificateFolder, type Host, usualConfiguration } from "../host.ts";
import { callsUpTo, planOf, runAsPlanned, statusOf } from "../library/as-planned.ts";
import { freezeAt, goOn } from "../library/frozen.ts";
import {
  type Answer,
  askOnce,
  fingerprintOf,
  HttpsClient,
  untilServed,
} from "../library/https-client.ts";
import { sharedHost } from "../library/shared-host.ts";
import { withoutTimer } from "../library/without-timer.ts";
import { until } from "../machine/processes.ts";

const unit = "cc-ci-traefik.service";
const name = "traefik.ci.example.org";
const [certificateFile, keyFile] = [
  `${certificateFolder}/fullchain.pem`,
  `${certificateFolder}/privkey.pem`,
];

/** Nothing but the path unit brings about what these cases show. */
const configuration = withoutTimer(usualConfiguration());

async function served(host: Host): Promise<string> {
  const answer = await askOnce(host, name);
  return "fingerprint" in answer ? answer.fingerprint : answer.error;
}

/** It is served within a minute, and then the run ends well. */
async function expectServed(host: Host, pair: CertificatePair): Promise<void> {
  await untilServed(host, name, pair, 60);
  await host.settle();
  expect((await statusOf(host)).traefik).toMatchObject({ state: "converged", line: null });
  expect(await versionsOfSecrets(host)).toHaveLength(2);
}

async function versionsOfSecrets(host: Host): Promise<readonly string[]> {
  const names = Object.keys(await host.docker.versions());
  return names.filter((key) => /^secrets traefik_ci_example_org_ssl_(?:cert|key)_/.test(key));
}

/** Waits for the run that a change of the files causes. */
async function afterItsRun(host: Host, change: () => Promise<void> | void): Promise<void> {
  const { invocation } = await host.unit(unit);
  await change();
  await until("a run", 30, async () =>
    (await host.unit(unit)).invocation === invocation ? undefined : true,
  );
  await host.settle();
}

async function shell(host: Host, script: string): Promise<void> {
  await host.exec(["sh", "-ec", script]);
}

/** A pair of which a half may be missing. */
type Placed = { readonly [Half in keyof CertificatePair]: string | undefined };

function place(host: Host, { certificate, key }: Placed): void {
  for (const [path, text] of [
    [certificateFile, certificate],
    [keyFile, key],
  ] as const) {
    if (text === undefined) rmSync(join(host.machine.root, path));
    else host.write(path, text, 0o600);
  }
}

type Half = readonly [path: string, text: string];

/** Puts the second file there once a run has seen the first one alone, and some seconds later. */
async function placeInTurn(host: Host, [first, second]: readonly [Half, Half]): Promise<void> {
  const since = Date.now();
  host.write(...first, 0o600);
  await until("a run that waits for the other half", 60, async () =>
    /^waits: .* do not belong together/m.test(await host.journal(unit, since)) ? true : undefined,
  );
  await sleep(2000);
  host.write(...second, 0o600);
}

function outOfOrder({ certificate, key }: CertificatePair): CertificatePair {
  const blocks = certificate.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----\n/g) ?? [];
  return { certificate: blocks.toReversed().join(""), key };
}

/** How a pair can be wrong, and the line that says so. */
const wrong: readonly (readonly [string, string, (authority: TestAuthority) => Placed])[] = [
  ["expired", "certificate-expired", (authority) => authority.expired()],
  ["not valid yet", "certificate-not-yet-valid", (authority) => authority.notYetValid()],
  ["for another name", "certificate-uncovered", (authority) => authority.forAnotherName()],
  [
    "garbage",
    "certificate-malformed",
    (authority) => ({ ...authority.pair(), certificate: "none\n" }),
  ],
  [
    "with garbage for a key",
    "private-key-malformed",
    (authority) => ({ ...authority.pair(), key: "none\n" }),
  ],
  [
    "with its chain out of order",
    "certificate-chain-broken",
    (authority) => outOfOrder(authority.pairWithChain()),
  ],
  [
    "without its key",
    "host-file-missing",
    (authority) => ({ ...authority.pair(), key: undefined }),
  ],
  [
    "missing, with its key there",
    "host-file-missing",
    (authority) => ({ ...authority.pair(), certificate: undefined }),
  ],
  ["of another key", "certificate-of-another-key", (authority) => authority.mismatched()],
];

/**
 * One letter for each answer: old and new certificate with 200 as capitals, with 404 as small ones.
 *
 * @param between one that may be served between the two
 */
function storyOf(
  answers: readonly Answer[],
  old: CertificatePair,
  fresh: CertificatePair,
  between = old,
): string {
  const letters = {
    [fingerprintOf(between)]: "b",
    ...{ [fingerprintOf(old)]: "o", [fingerprintOf(fresh)]: "n" },
  };
  const gone = { ECONNREFUSED: "x", ECONNRESET: "x", DEPTH_ZERO_SELF_SIGNED_CERT: "s" };
  const letterOf = (answer: Answer): string => {
    if ("error" in answer) return gone[answer.error as keyof typeof gone] ?? `(${answer.error})`;
    const letter = letters[answer.fingerprint] ?? "(another)";
    if (answer.status === 404) return letter;
    return answer.status === 200 ? letter.toUpperCase() : `(${answer.status})`;
  };
  return answers.map(letterOf).join("");
}

/** What clients may see of a rotation, or of two: nobody, or a Traefik that has read nothing yet. */
const onlyTheGap = /^O+[oxs]*x[xs]*(?:b*B*[xsb]*)?n*N+$/;

describe("a certificate", { timeout: 600_000 }, () => {
  const shared = sharedHost({ configuration, certificate: null }, async (host) => {
    await host.settle();
  });
  /** What is served, after the first case. */
  let now: CertificatePair;

  test("that is missing at the first boot keeps Traefik alone, until it is there", async () => {
    const host = shared();
    const { traefik, ...others } = await statusOf(host);
    expect(traefik).toMatchObject({ state: "failed", line: { id: "host-file-missing" } });
    for (const piece of Object.values(others)) expect(piece.state).toBe("converged");
    expect((await runAsPlanned(host)).traefik?.line?.id).toBe("host-file-missing");
    now = host.authority.pair();
    host.putCertificate(now);
    await expectServed(host, now);
  });

  test("is replaced within a minute; between old and new clients find nobody, then a Traefik that has read nothing yet", async () => {
    const host = shared();
    const client = new HttpsClient(host, name);
    const next = host.authority.pair();
    host.putCertificate(next);
    await expectServed(host, next);
    // The old one; nobody; a new Traefik that has not read its configuration yet; the new one.
    expect(storyOf(await client.stop(), now, next)).toMatch(/^O+o*x+[xs]*n*N+$/);
    now = next;
    expect((await runAsPlanned(host, [], "traefik")).traefik?.calls).toEqual([]);
  });

  test("may come before its key", async () => {
    const host = shared();
    const client = new HttpsClient(host, name);
    const next = host.authority.pair();
    await placeInTurn(host, [
      [certificateFile, next.certificate],
      [keyFile, next.key],
    ]);
    await expectServed(host, next);
    expect(storyOf(await client.stop(), now, next)).toMatch(onlyTheGap);
    now = next;
  });

  describe("that is wrong", () => {
    let client: HttpsClient | undefined;

    test.each(wrong)(
      "is refused with one line, the old one is served on: %s",
      async (_, id, put) => {
        const host = shared();
        client ??= new HttpsClient(host, name);
        const before = await host.docker.versions();
        const since = Date.now();
        await afterItsRun(host, () => place(host, put(host.authority)));
        expect((await statusOf(host)).traefik).toMatchObject({ state: "failed", line: { id } });
        expect((await host.journal(unit, since)).match(/^failed \[.*$/gm)).toHaveLength(1);
        // It waits a minute for the other half: once is enough.
        if (id === "certificate-of-another-key") {
          expect((await planOf(host)).traefik).toMatchObject({
            calls: [],
            stop: { id, as: "failed" },
          });
        } else {
          expect((await runAsPlanned(host, [], "traefik")).traefik).toMatchObject({
            ...{ calls: [], state: "failed", line: { id } },
          });
        }
        expect(await host.docker.versions()).toEqual(before);
      },
    );

    test("gives way to a good one by itself, whose key comes first", async () => {
      const host = shared();
      const next = host.authority.pairWithChain();
      expect(storyOf((await client?.stop()) ?? [], now, next)).toMatch(/^O+$/);
      now = next;
      await placeInTurn(host, [
        [keyFile, now.key],
        [certificateFile, now.certificate],
      ]);
      await expectServed(host, now);
    });
  });

  test("that is about to end is served, with a warning", async () => {
    const host = shared();
    const since = Date.now();
    now = host.authority.aboutToExpire();
    host.putCertificate(now);
    await expectServed(host, now);
    expect(await host.journal(unit, since)).toContain("warning [certificate-ends-soon]");
    const { exitCode, stdout } = await host.converge("plan");
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("[certificate-ends-soon]")]);
    expect((await runAsPlanned(host, [], "traefik")).traefik?.calls).toEqual([]);
  });

  test.each([
    { moment: "before anything was done", call: 1, when: "before", verb: "secret create" },
    { moment: "after the deploy", call: 5, when: "after", verb: "app deploy" },
    { moment: "after the last call", call: 10, when: "after", verb: "secret remove" },
  ] as const)("may be replaced again while its run is at work: $moment", async (moment) => {
    const host = shared();
    const since = Date.now();
    const client = new HttpsClient(host, name);
    const between = host.authority.pair();
    await freezeAt(host, unit, moment, () => host.putCertificate(between));
    const calls = await callsUpTo(host, unit, since, moment.call);
    expect([calls.length, calls.at(-1)]).toEqual([
      moment.call,
      expect.stringMatching(`^${moment.verb} `),
    ]);
    // Both halves of the old pair are gone only after the last call.
    if (moment.call === 10) expect(await versionsOfSecrets(host)).toHaveLength(2);
    const next = host.authority.pair();
    host.putCertificate(next);
    await goOn(host, unit);
    await expectServed(host, next);
    expect(storyOf(await client.stop(), now, next, between)).toMatch(onlyTheGap);
    now = next;
  });

  test("may be replaced by a wrong one while its run is at work, which ends what it began", async () => {
    const host = shared();
    now = host.authority.pair();
    await freezeAt(host, unit, { call: 1, when: "before" }, () => host.putCertificate(now));
    host.putCertificate(host.authority.expired());
    await goOn(host, unit);
    await host.settle();
    expect((await statusOf(host)).traefik?.line?.id).toBe("certificate-expired");
    expect(await served(host)).toBe(fingerprintOf(now));
    expect(await versionsOfSecrets(host)).toHaveLength(2);
  });

  test("may lie in a folder that is a link, which is switched", async () => {
    const host = shared();
    host.putCertificate(now);
    await shell(host, "cd /var/lib/ci-certs; cp -a live one; rm -r live; ln -s one live");
    const next = host.authority.pair();
    host.write("/var/lib/ci-certs/two/fullchain.pem", next.certificate);
    host.write("/var/lib/ci-certs/two/privkey.pem", next.key, 0o600);
    await host.settle();
    const client = new HttpsClient(host, name);
    // By rename, as everything does that wants to leave no moment without one.
    await shell(
      host,
      "ln -s two /var/lib/ci-certs/new; mv -T /var/lib/ci-certs/new /var/lib/ci-certs/live",
    );
    await expectServed(host, next);
    expect(storyOf(await client.stop(), now, next)).toMatch(onlyTheGap);
    now = next;
  });

  test("may be links to files, which are switched one after the other", async () => {
    const host = shared();
    await shell(
      host,
      "cd /var/lib/ci-certs; rm live; mkdir live; ln -s ../two/fullchain.pem ../two/privkey.pem live",
    );
    await host.settle();
    now = host.authority.pair();
    host.write("/var/lib/ci-certs/three/fullchain.pem", now.certificate);
    host.write("/var/lib/ci-certs/three/privkey.pem", now.key, 0o600);
    await shell(
      host,
      "cd /var/lib/ci-certs/live; ln -sf ../three/privkey.pem .; ln -sf ../three/fullchain.pem .",
    );
    await expectServed(host, now);
  });
});
