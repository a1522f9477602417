import { X509Certificate } from "node:crypto";
import type { HttpsAnswer } from "../adapters/https.ts";
import type { ResourceOf } from "../desired-state.ts";
import { defineLines } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { waitFor } from "../engine/waiting.ts";

type ServedCertificate = ResourceOf<"served-certificate">;

export const servedCertificateLines = defineLines({
  "not-served": {
    as: "failed",
    says: "https://{name} on {address}:{port} is not what it should be after {seconds} s: {problem}: look at 'docker service ps' and 'docker service logs' of the proxy and of the app",
  },
});

/** What a proxy answers with when the app behind it does not: not found, bad gateway and the like. */
const proxyOwnStatuses: ReadonlySet<number> = new Set([404, 502, 503, 504]);

/** How long the last question is waited for beyond the bound is at most one question's own limit. */
export function servedCertificateSteps(resource: ServedCertificate, context: Context): Steps {
  const { https, files, clock } = context.world;
  const { serverName, address, port, path, waitSeconds } = resource;
  const wanted = async (): Promise<string | undefined> => {
    if (resource.file === null) return undefined;
    const pem = await context.judged.read(resource.file, files);
    return pem === undefined ? undefined : fingerprintOf(pem);
  };
  return {
    // What is served follows from the stack: there is nothing here that could be changed.
    plan: async () => [],
    verify: async () => {
      let problem = "";
      const fine = await waitFor(clock, { seconds: waitSeconds }, async () => {
        try {
          const answer = await https.ask({ address, port, serverName, path: path ?? "/" });
          problem = problemOf(answer, {
            fingerprint: await wanted(),
            path,
            now: clock.now(),
          });
        } catch (error) {
          problem = error instanceof Error ? error.message : String(error);
        }
        if (problem === "") return true;
        context.report.waiting(`https://${serverName}: ${problem}`);
        return undefined;
      });
      if (fine) return;
      throw servedCertificateLines.stop("not-served", {
        ...{ name: serverName, address, port },
        ...{ seconds: waitSeconds, problem },
      });
    },
  };
}

interface Wanted {
  /** SHA-256 of the certificate, in hex; undefined where any will do that names the domain. */
  readonly fingerprint: string | undefined;
  /** Of the page that must be answered; null where none must. */
  readonly path: string | null;
  readonly now: Date;
}

/** What is wrong with an answer, in words; empty when nothing is. */
export function problemOf(answer: HttpsAnswer, { fingerprint, path, now }: Wanted): string {
  if (fingerprint !== undefined && answer.fingerprint !== fingerprint) {
    return `another certificate is served (SHA-256 ${answer.fingerprint.slice(0, 12)}, wanted ${fingerprint.slice(0, 12)})`;
  }
  if (answer.nameProblem !== undefined) return oneSentence(answer.nameProblem);
  // Who does not name a pair is not at fault for what is served.
  const isJudged = fingerprint !== undefined;
  if (isJudged && now < answer.validFrom) return "its certificate is not valid yet";
  if (isJudged && now > answer.validTo) return "its certificate has expired";
  if (path === null) return "";
  if (answer.status === undefined) return "the handshake goes well, and no answer follows";
  return proxyOwnStatuses.has(answer.status)
    ? `${path} gives ${answer.status}, as the proxy does for an app that is not there`
    : "";
}

/** Of the first certificate in a PEM chain, as `HttpsAnswer` has it. */
function fingerprintOf(pem: Buffer): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

function oneSentence(text: string): string {
  return text.split("\n", 1)[0]?.replace(/\.$/, "") ?? "";
}
