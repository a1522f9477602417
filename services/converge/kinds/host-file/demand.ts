import type { X509Certificate } from "node:crypto";
import * as z from "zod";
import type { ResourceOf } from "../../desired-state.ts";
import {
  brokenLink,
  covers,
  dnsNames,
  parseChain,
  parseKey,
} from "../../engine/certificate-chain.ts";
import { defineLines, type Line, type Stop } from "../../engine/line.ts";

export const hostFileLines = defineLines({
  "host-file-missing": {
    as: "failed",
    says: "{path} is not there, and must hold {purpose}: {remedy}",
  },
  "host-file-key-lost": {
    as: "refused",
    says: "{path} is gone, and was {purpose}: what lies in {volumes} cannot be read with another one, so none is made: {remedy}",
  },
  "host-file-not-a-file": {
    as: "failed",
    says: "{path} is no regular file, and must hold {purpose}: {remedy}",
  },
  "host-file-in-git": {
    as: "refused",
    says: "{path} lies in the work tree of {git}, and holds {purpose}: what lies there ends in commits and in the Nix store, so move it elsewhere, and change its path in cc-ci.yaml",
  },
  "host-file-empty": {
    as: "failed",
    says: "{path} is empty, and must hold {purpose}: {remedy}",
  },
  "host-file-too-short": {
    as: "failed",
    says: "{path} has {bytes} bytes, and {purpose} must have {minBytes} or more: {remedy}",
  },
  "host-file-too-large": {
    as: "failed",
    says: "{path} has {bytes} bytes, and {purpose} can have {maxBytes}, as much as Docker takes for a secret: put the right file there",
  },
  "host-file-not-a-token": {
    as: "failed",
    says: "{path} is not one line of letters, digits and the signs . _ ~ + / = -, and must hold {purpose}: {remedy}",
  },
  "docker-config-malformed": {
    as: "failed",
    says: "{path} is no config.json of a Docker client with an 'auths' member, and must hold {purpose}: {remedy}",
  },
  "private-key-malformed": {
    as: "failed",
    says: "{path} is no private key in PEM, and must hold {purpose}: {remedy}",
  },
  "private-key-encrypted": {
    as: "failed",
    says: "{path} has a passphrase, and nobody is there to type it: put {purpose} there without one ('openssl pkey -in <key> -out {path}')",
  },
  "private-key-readable": {
    as: "warning",
    says: "{path} holds {purpose}, and everybody on this host can read it (mode {mode}): run 'chmod 0600 {path}'",
  },
  "certificate-malformed": {
    as: "failed",
    says: "{path} is no chain of certificates in PEM, and must hold {purpose}: {remedy}",
  },
  "certificate-chain-broken": {
    as: "failed",
    says: "{path}: certificate {number} ({subject}) is not issued by the one after it ({next}): the host's own certificate comes first, then each one's issuer: {remedy}",
  },
  "certificate-not-yet-valid": {
    as: "failed",
    says: "{path}: certificate {number} ({subject}) is valid from {from} on, and it is {now}: wait until then or put one there that is valid now, and see to it that this host's clock is right; {purpose} is needed",
  },
  "certificate-expired": {
    as: "failed",
    says: "{path}: certificate {number} ({subject}) was valid until {until}, and it is {now}: put a new one there ({purpose}): {remedy}",
  },
  "certificate-uncovered": {
    as: "failed",
    says: "{path} is for {names}, and must be for {wanted}: {remedy}",
  },
  "certificate-without-key": {
    as: "failed",
    says: "{path}: its private key {keyFile} cannot be read as one: put the key there that this certificate was asked for with",
  },
  "certificate-of-another-key": {
    as: "failed",
    says: "{path} and {keyFile} do not belong together: put the certificate and the key of the same request there",
  },
  "certificate-ends-soon": {
    as: "warning",
    says: "{path} is valid until {until}, {days} more days: renew it",
  },
});

type HostFileResource = ResourceOf<"host-file">;
type ChainDemand = Extract<HostFileResource["demand"], { readonly format: "certificate-chain" }>;

/** The most that a swarm secret may have. */
export const maxBytes = 511_999;

/** What is wrong with the content of a host file; undefined when nothing is. */
export function contentFault(
  resource: HostFileResource,
  content: Buffer,
  key: Buffer | undefined,
  now: Date,
): Stop | undefined {
  const { path, purpose, remedy, demand } = resource;
  const values = { path, purpose, remedy };
  switch (demand.format) {
    case "opaque": {
      const bytes = content.length;
      const { minBytes } = demand;
      if (bytes >= minBytes) return undefined;
      return hostFileLines.stop("host-file-too-short", { ...values, bytes, minBytes });
    }
    case "token": {
      // Not told how long it is: a person may have put something else there.
      if (!isToken(content)) return hostFileLines.stop("host-file-not-a-token", values);
      const bytes = content.toString("latin1").trimEnd().length;
      const { minBytes } = demand;
      if (bytes >= minBytes) return undefined;
      return hostFileLines.stop("host-file-too-short", { ...values, bytes, minBytes });
    }
    case "docker-config":
      return isDockerConfig(content)
        ? undefined
        : hostFileLines.stop("docker-config-malformed", values);
    case "private-key": {
      const parsed = parseKey(content);
      if (parsed === "encrypted") return hostFileLines.stop("private-key-encrypted", values);
      if (parsed === "malformed") return hostFileLines.stop("private-key-malformed", values);
      return undefined;
    }
    case "certificate-chain":
      return chainFault(resource, demand, content, key, now);
  }
}

function chainFault(
  { path, purpose, remedy }: HostFileResource,
  demand: ChainDemand,
  content: Buffer,
  key: Buffer | undefined,
  now: Date,
): Stop | undefined {
  const chain = parseChain(content);
  const leaf = chain?.[0];
  if (chain === undefined || leaf === undefined) {
    return hostFileLines.stop("certificate-malformed", { path, purpose, remedy });
  }
  const place = brokenLink(chain);
  if (place !== undefined) {
    const [own, next] = [chain[place], chain[place + 1]];
    return hostFileLines.stop("certificate-chain-broken", {
      ...{ path, remedy, number: place + 1 },
      ...{ subject: subjectOf(own), next: subjectOf(next) },
    });
  }
  for (const [index, certificate] of chain.entries()) {
    const { validFromDate, validToDate } = certificate;
    const values = {
      ...{ path, purpose, remedy, number: index + 1, subject: subjectOf(certificate) },
      ...{ from: dateText(validFromDate), until: dateText(validToDate), now: dateText(now) },
    };
    if (now < validFromDate) return hostFileLines.stop("certificate-not-yet-valid", values);
    if (now > validToDate) return hostFileLines.stop("certificate-expired", values);
  }
  const missing = demand.covers.filter((name) => !covers(leaf, name));
  if (missing.length > 0) {
    const names = dnsNames(leaf).join(", ") || "no DNS name at all";
    const values = { path, remedy, names, wanted: missing.join(", ") };
    return hostFileLines.stop("certificate-uncovered", values);
  }
  const { keyFile } = demand;
  const parsed = key === undefined ? "malformed" : parseKey(key);
  if (typeof parsed === "string") {
    return hostFileLines.stop("certificate-without-key", { path, keyFile });
  }
  return leaf.checkPrivateKey(parsed)
    ? undefined
    : hostFileLines.stop("certificate-of-another-key", { path, keyFile });
}

const dayMilliseconds = 24 * 60 * 60 * 1000;

/** What is right, and a person should know all the same. */
export function contentWarnings(
  { path, purpose, demand }: HostFileResource,
  content: Buffer,
  mode: number,
  now: Date,
): readonly Line[] {
  if (demand.format === "private-key" && (mode & 0o004) !== 0) {
    const shown = `0${mode.toString(8).padStart(3, "0")}`;
    return [hostFileLines.warning("private-key-readable", { path, purpose, mode: shown })];
  }
  if (demand.format === "certificate-chain") {
    const ends = (parseChain(content) ?? []).map(({ validToDate }) => validToDate.getTime());
    const until = new Date(Math.min(...ends));
    const days = Math.floor((until.getTime() - now.getTime()) / dayMilliseconds);
    if (days >= demand.warnBelowDays) return [];
    const values = { path, until: dateText(until), days };
    return [hostFileLines.warning("certificate-ends-soon", values)];
  }
  return [];
}

function isToken(content: Buffer): boolean {
  return /^[A-Za-z0-9._~+/=-]+\n?$/.test(content.toString("latin1"));
}

const dockerConfig = z.looseObject({ auths: z.record(z.string(), z.unknown()) });

function isDockerConfig(content: Buffer): boolean {
  try {
    return dockerConfig.safeParse(JSON.parse(content.toString("utf8"))).success;
  } catch {
    return false;
  }
}

function subjectOf(certificate: X509Certificate | undefined): string {
  return certificate?.subject?.replaceAll("\n", ", ") || "no subject";
}

/** In UTC, to the minute. */
function dateText(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
