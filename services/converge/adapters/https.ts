import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

export interface HttpsQuestion {
  /** IPv4 address that the port is published on. */
  readonly address: string;
  readonly port: number;
  /** Asked for by name, in the handshake and in the request. */
  readonly serverName: string;
  /** Of the page that is asked for. */
  readonly path: string;
}

/** What a client sees that asks for a page by host name. */
export interface HttpsAnswer {
  /** SHA-256 of the server's own certificate, in lower-case hex. */
  readonly fingerprint: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Why the certificate is not one for the name; undefined when it is. */
  readonly nameProblem: string | undefined;
  /** Of the answer over HTTP; undefined when the handshake went well and no answer came. */
  readonly status: number | undefined;
}

const limitSeconds = 5;

/** A client of the published port. It decides nothing. */
export class Https {
  /**
   * Whoever signed the certificate is not looked at: it may be an authority of the operator's own.
   *
   * @throws {Error} when there was no handshake, with the reason
   */
  async ask({ address, port, serverName, path }: HttpsQuestion): Promise<HttpsAnswer> {
    // Most runs never ask, and all would wait for it.
    const { request } = await import("node:https");
    const { checkServerIdentity } = await import("node:tls");
    const read = (socket: TLSSocket): Omit<HttpsAnswer, "status"> => {
      const certificate = socket.getPeerCertificate();
      return {
        fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
        validFrom: new Date(certificate.valid_from),
        validTo: new Date(certificate.valid_to),
        nameProblem: checkServerIdentity(serverName, certificate)?.message,
      };
    };
    return await new Promise((resolve, reject) => {
      let seen: Omit<HttpsAnswer, "status"> | undefined;
      const outgoing = request({
        host: address,
        port,
        servername: serverName,
        path,
        headers: { Host: serverName, "User-Agent": "cc-ci-converge", Connection: "close" },
        rejectUnauthorized: false,
        agent: false,
        signal: AbortSignal.timeout(limitSeconds * 1000),
      });
      const answer = (status: number | undefined, error: Error): void => {
        if (seen === undefined) reject(error);
        else resolve({ ...seen, status });
      };
      outgoing.on("socket", (socket) => {
        socket.once("secureConnect", () => {
          seen = read(socket as TLSSocket);
        });
      });
      outgoing.on("response", (response: IncomingMessage) => {
        const { statusCode } = response;
        response.destroy();
        answer(statusCode, new Error("an answer without a handshake"));
      });
      outgoing.on("error", (error) => {
        const late = error.name === "TimeoutError" || error.name === "AbortError";
        answer(undefined, late ? new Error(`no answer within ${limitSeconds} s`) : error);
      });
      outgoing.end();
    });
  }
}
