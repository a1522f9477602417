import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { requireTool } from "../tools.ts";
import { type CertificatePair, TestAuthority } from "./certificates.ts";

let authority: TestAuthority;

beforeEach((context) => {
  requireTool(context, "openssl");
});
beforeAll(() => {
  if (existsSync("/usr/bin/openssl")) authority = new TestAuthority();
});
afterAll(() => authority?.[Symbol.dispose]());

function read(pair: CertificatePair) {
  const certificate = new X509Certificate(pair.certificate);
  return { certificate, fits: certificate.checkPrivateKey(createPrivateKey(pair.key)) };
}

describe("the pairs of a test", () => {
  test("are good by default", () => {
    const { certificate, fits } = read(authority.pair());
    expect(fits).toBe(true);
    expect(certificate.checkHost("traefik.ci.example.org")).toBeDefined();
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now() + 80 * 86_400_000);
  });

  test("differ each time", () => {
    const [one, other] = [authority.pair(), authority.pair()].map((pair) => read(pair).certificate);
    expect(one?.fingerprint256).not.toBe(other?.fingerprint256);
  });

  test("are expired, too early or nearly over by their dates", () => {
    const now = Date.now();
    expect(read(authority.expired()).certificate.validToDate.getTime()).toBeLessThan(now);
    expect(read(authority.notYetValid()).certificate.validFromDate.getTime()).toBeGreaterThan(now);
    const left = read(authority.aboutToExpire()).certificate.validToDate.getTime() - now;
    expect(left).toBeGreaterThan(2 * 86_400_000);
    expect(left).toBeLessThan(4 * 86_400_000);
  });

  test("are for another name, or of two halves that do not fit", () => {
    const { certificate } = read(authority.forAnotherName());
    expect(certificate.checkHost("traefik.ci.example.org")).toBeUndefined();
    expect(read(authority.mismatched()).fits).toBe(false);
  });

  test("come with a chain that leads to the authority", () => {
    const { certificate: chain } = authority.pairWithChain();
    const [leaf = "", between = ""] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const [lower, upper] = [new X509Certificate(leaf), new X509Certificate(between)];
    expect(lower.checkIssued(upper)).toBe(true);
    expect(lower.verify(upper.publicKey)).toBe(true);
    expect(upper.ca).toBe(true);
  });
});
