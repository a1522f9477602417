import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/**
 * The certificates of a PEM file, in its order; undefined when there is none, or one that cannot be
 * read. Whatever else stands between the blocks is skipped, as TLS libraries do.
 */
export function parseChain(pem: Buffer): readonly X509Certificate[] | undefined {
  // Every byte is a character: a PEM file is ASCII, and what is not must not turn into it.
  const text = pem.toString("latin1");
  const begins = text.split("-----BEGIN CERTIFICATE-----").length - 1;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length !== begins) return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/** The private key of a PEM file, or why it is none. */
export function parseKey(pem: Buffer): KeyObject | "malformed" | "encrypted" {
  try {
    return createPrivateKey({ key: pem, format: "pem" });
  } catch {
    // Asked by its text: what OpenSSL says of a missing passphrase is another thing in each version.
    const marks = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
    return marks.test(pem.toString("latin1")) ? "encrypted" : "malformed";
  }
}

/**
 * The place of the first certificate, from 0, that the one after it has not issued; undefined when the
 * chain holds together. The last one may be issued by one that is not in the file.
 */
export function brokenLink(chain: readonly X509Certificate[]): number | undefined {
  const index = chain.findIndex((certificate, place) => {
    const issuer = chain[place + 1];
    if (issuer === undefined) return false;
    return !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  });
  return index === -1 ? undefined : index;
}

/** Whether the certificate is good for a name, or for every name of a wildcard as in `*.example.org`. */
export function covers(certificate: X509Certificate, name: string): boolean {
  if (name.startsWith("*.")) return dnsNames(certificate).includes(name.toLowerCase());
  const options = { subject: "never", partialWildcards: false } as const;
  return certificate.checkHost(name, options) !== undefined;
}

/** Its DNS names, in lower case. */
export function dnsNames(certificate: X509Certificate): readonly string[] {
  return parseNames(certificate.subjectAltName ?? "");
}

/**
 * The DNS names of Node's text for alternative names, as in `DNS:a.example.org, IP Address:192.0.2.1`.
 * A value that could be taken for several stands there as a JSON string.
 */
export function parseNames(text: string): readonly string[] {
  const names = text.matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g);
  return [...names]
    .filter(([, type, value = ""]) => type === "DNS" && !value.startsWith('"'))
    .map(([, , value = ""]) => value.toLowerCase());
}

/** Whether both files can be read and the key is the one of the first certificate. */
export function belongTogether(certificate: Buffer, key: Buffer): boolean {
  const leaf = parseChain(certificate)?.[0];
  const parsed = parseKey(key);
  return leaf !== undefined && typeof parsed === "object" && leaf.checkPrivateKey(parsed);
}
