import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  belongTogether,
  brokenLink,
  covers,
  dnsNames,
  parseChain,
  parseKey,
  parseNames,
} from "../../../../services/converge/engine/certificate-chain.ts";
import { TestAuthority } from "../../../host/certificates.ts";

const authority = new TestAuthority();
afterAll(() => authority[Symbol.dispose]());

const bytes = (text: string): Buffer => Buffer.from(text);
const good = authority.pair();
const chained = authority.pairWithChain();

function leafOf(names: readonly string[]) {
  const [leaf] = parseChain(bytes(authority.pair({ names }).certificate)) ?? [];
  if (leaf === undefined) throw new Error("openssl made no certificate");
  return leaf;
}

function blocks(pem: string): readonly string[] {
  return pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
}

describe("a chain of certificates", () => {
  test("is read in its order, with whatever else stands between", () => {
    const [leaf = "", between = ""] = blocks(chained.certificate);
    const text = `notes of the CA\r\n${leaf}\n\n# issuer:\n${between}\n`;
    const chain = parseChain(bytes(text));
    expect(chain).toHaveLength(2);
    expect(dnsNames(chain?.[0] ?? leafOf([]))).toEqual(["*.ci.example.org"]);
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["text", "hello"],
    ["a key", good.key],
    ["one that is cut", good.certificate.slice(0, 400)],
    ["a second one that is cut", good.certificate + good.certificate.slice(0, 400)],
    ["one with other bytes", good.certificate.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")],
    ["DER", "\u0030\u0082\u0001\u0002"],
  ])("is not: %s", (_, text) => {
    expect(parseChain(bytes(text))).toBeUndefined();
  });

  test("any file can be tried", () => {
    const parts = fc.constantFrom(
      ...blocks(chained.certificate),
      good.key,
      "-----BEGIN ",
      "\n",
      "x",
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.array(parts)), (file) => {
        const pem = Array.isArray(file) ? bytes(file.join("")) : Buffer.from(file);
        const chain = parseChain(pem);
        expect(chain === undefined || chain.length > 0).toBe(true);
        expect(["object", "string"]).toContain(typeof parseKey(pem));
      }),
    );
  });

  test.each<[string, readonly string[], number | undefined]>([
    ["leaf and issuer", blocks(chained.certificate), undefined],
    ["with the root", [...blocks(chained.certificate), authority.certificate], undefined],
    ["a leaf alone", blocks(good.certificate), undefined],
    ["the wrong way round", blocks(chained.certificate).toReversed(), 0],
    [
      "a stranger's issuer",
      [...blocks(good.certificate), ...blocks(chained.certificate).slice(1)],
      0,
    ],
    ["twice the same", [...blocks(good.certificate), ...blocks(good.certificate)], 0],
    ["a wrong end", [...blocks(chained.certificate), ...blocks(good.certificate)], 1],
  ])("%s", (_, parts, place) => {
    expect(brokenLink(parseChain(bytes(parts.join(""))) ?? [])).toBe(place);
  });

  test("an issuer of the same name and another key is none", () => {
    using impostor = new TestAuthority();
    const chain = parseChain(bytes(good.certificate + impostor.certificate)) ?? [];
    expect(brokenLink(chain)).toBe(0);
  });
});

describe("the names of a certificate", () => {
  test.each<[readonly string[], string, boolean]>([
    [["*.ci.example.org"], "*.ci.example.org", true],
    [["*.CI.Example.ORG"], "*.ci.example.org", true],
    [["ci.example.org", "*.ci.example.org"], "*.ci.example.org", true],
    [["*.example.org"], "*.ci.example.org", false],
    [["ci.example.org"], "*.ci.example.org", false],
    [["web.ci.example.org"], "*.ci.example.org", false],
    [["*.ci.example.org"], "web.ci.example.org", true],
    [["web.ci.example.org"], "web.ci.example.org", true],
    [["*.ci.example.org"], "a.web.ci.example.org", false],
    [["*.ci.example.org"], "ci.example.org", false],
    [["w*.ci.example.org"], "web.ci.example.org", false],
  ])("%j for %s: %s", (names, wanted, answer) => {
    expect(covers(leafOf(names), wanted)).toBe(answer);
  });

  test("are not read out of a value that looks like several", () => {
    expect(parseNames('DNS:"a, DNS:*.ci.example.org", DNS:b.example.org')).toEqual([
      "b.example.org",
    ]);
    expect(parseNames('othername:"x\\", DNS:evil", IP Address:192.0.2.1, URI:http://a:1/')).toEqual(
      [],
    );
  });

  test("are all there, whatever stands between them", () => {
    const name = fc.stringMatching(/^[a-z0-9*.-]{1,20}$/);
    const quoted = fc.string().map((text) => `DNS:${JSON.stringify(`${text}, DNS:evil`)}`);
    const entry = fc.oneof(
      name.map((text) => ({ text: `DNS:${text}`, name: [text] })),
      quoted.map((text) => ({ text, name: [] })),
      fc.constant({ text: "IP Address:192.0.2.1", name: [] }),
    );
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const text = entries.map((each) => each.text).join(", ");
        expect(parseNames(text)).toEqual(entries.flatMap((each) => each.name));
      }),
    );
  });
});

describe("a private key", () => {
  const openssl = (...args: readonly string[]) =>
    execFileSync("openssl", args, { input: good.key, encoding: "utf8", stdio: "pipe" });

  /** It reads nothing: what is handed over all the same may break a pipe. */
  const curve = ["ecparam", "-name", "prime256v1"];

  test.each<[string, () => string]>([
    ["as openssl makes it today", () => good.key],
    ["in the old format", () => openssl("ec")],
    [
      "behind the parameters of its curve",
      () => execFileSync("openssl", curve, { encoding: "utf8" }) + openssl("ec"),
    ],
    ["with lines of Windows", () => good.key.replaceAll("\n", "\r\n")],
  ])("is read %s, and belongs to its certificate", (_, make) => {
    const key = make();
    expect(typeof parseKey(bytes(key))).toBe("object");
    expect(belongTogether(bytes(good.certificate), bytes(key))).toBe(true);
    expect(belongTogether(bytes(chained.certificate), bytes(key))).toBe(false);
  });

  test.each<[string, () => string, string]>([
    ["with a passphrase", () => openssl("pkcs8", "-topk8", "-passout", "pass:x"), "encrypted"],
    [
      "with one, in the old format",
      () => openssl("ec", "-aes128", "-passout", "pass:x"),
      "encrypted",
    ],
    ["public", () => openssl("pkey", "-pubout"), "malformed"],
    ["cut", () => good.key.slice(0, 100), "malformed"],
    ["empty", () => "", "malformed"],
    ["a certificate", () => good.certificate, "malformed"],
  ])("is not: %s", (_, make, why) => {
    expect(parseKey(bytes(make()))).toBe(why);
  });
});
