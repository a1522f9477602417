import { randomBytes, X509Certificate } from "node:crypto";
import * as z from "zod";
import type { CertificatePair } from "../certificates.ts";
import type { Host } from "../host.ts";

const answerSchema = z.union([
  z.strictObject({ fingerprint: z.string(), status: z.int() }),
  z.strictObject({ error: z.string() }),
]);

/** What one request came to: which certificate and which status, or the code of its error. */
export type Answer = Readonly<z.infer<typeof answerSchema>>;

/**
 * Asks for `/` over connections of their own, one after the other, until it is shown a certificate, or a file
 * is there. It trusts what the host trusts, and it checks names and dates: any doubt about a certificate is an
 * error.
 */
const program = `
import { existsSync } from "node:fs";
import { request } from "node:https";
const [name, wanted, until] = process.argv.slice(1);
const ask = () => new Promise((resolve) => {
  let fingerprint = "";
  const done = (answer) => resolve(answer);
  const outgoing = request({
    host: "127.0.0.1", port: 443, servername: name, path: "/",
    headers: { Host: name, Connection: "close" }, agent: false, timeout: 10_000,
  });
  outgoing.on("socket", (socket) => socket.once("secureConnect", () => {
    fingerprint = socket.getPeerCertificate().fingerprint256;
  }));
  outgoing.on("response", (response) => {
    const { statusCode: status } = response;
    response.on("error", ({ code }) => done({ error: code }));
    response.on("end", () => done({ fingerprint, status })).resume();
  });
  outgoing.on("timeout", () => outgoing.destroy(Object.assign(new Error(), { code: "TIMEOUT" })));
  outgoing.on("error", (error) => done({ error: error.code ?? error.message }));
  outgoing.end();
});
for (;;) {
  const answer = await ask();
  console.log(JSON.stringify(answer));
  if (answer.fingerprint === wanted || existsSync(until)) break;
  await new Promise((resolve) => setTimeout(resolve, 120));
}
`;

const command = ["node", "--input-type=module", "--eval", program] as const;
const env = { NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt" } as const;

/** What a client on the host gets now. */
export async function askOnce(host: Host, name: string): Promise<Answer> {
  const [answer] = parse((await host.exec([...command, name, "none", "/"], { env })).stdout);
  return answer ?? { error: "nothing" };
}

/** Waits until clients on the host are shown a certificate. @throws {Error} when the time is over */
export async function untilServed(
  host: Host,
  name: string,
  pair: CertificatePair,
  limitSeconds: number,
): Promise<void> {
  const asking = [...command, name, fingerprintOf(pair), "/nonexistent"];
  await host.exec(asking, { env, timeoutSeconds: limitSeconds });
}

/** A client on the host that asks all the time, some eight times a second. */
export class HttpsClient {
  readonly #host: Host;
  readonly #until = `/run/https-client-${randomBytes(4).toString("hex")}`;
  readonly #answers: Promise<readonly Answer[]>;

  constructor(host: Host, name: string) {
    this.#host = host;
    this.#answers = host
      .exec([...command, name, "none", this.#until], { env, timeoutSeconds: 900 })
      .then(({ stdout }) => parse(stdout));
    // Whoever stops the client hears of it.
    this.#answers.catch(() => undefined);
  }

  /** Ends it: all that it got, in order. */
  async stop(): Promise<readonly Answer[]> {
    await this.#host.exec(["touch", this.#until]);
    return await this.#answers;
  }
}

function parse(output: string): readonly Answer[] {
  const lines = output.split("\n").filter(Boolean);
  return lines.map((line) => answerSchema.parse(JSON.parse(line)));
}

/** Of the host's own certificate, as an answer has it. */
export function fingerprintOf({ certificate }: CertificatePair): string {
  return new X509Certificate(certificate).fingerprint256;
}
