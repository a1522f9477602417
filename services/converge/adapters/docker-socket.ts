import { request } from "node:http";
import { connect } from "node:net";

/** The Docker daemon's socket on NixOS and Debian. */
export const dockerSocket = "/var/run/docker.sock";

/**
 * Version of the Engine API that is spoken: spoken by every daemon from 25 on, and not below the floor
 * of those that have one (1.44 in 29.0, 1.40 from 29.3).
 */
const apiVersion = "v1.44";

/** An answer of the daemon that says no. */
export class DockerRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** No answer: the daemon is down, not there, or hangs. */
export class DockerSilence extends Error {}

export interface DockerRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of silence, in seconds. @default 30 */
  readonly silenceSeconds?: number;
  /** In all. @default no limit but that of silence */
  readonly seconds?: number;
}

export type Ask = (request: DockerRequest) => Promise<string>;

/**
 * The body of the answer.
 *
 * @throws {DockerRefusal} when the daemon says no, with its own words
 * @throws {DockerSilence} when it says nothing
 */
export function askOn(socketPath: string): Ask {
  return ({ method, path, query, body, headers, silenceSeconds = 30, seconds }) =>
    new Promise((resolve, reject) => {
      const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
      const text = body === undefined ? undefined : JSON.stringify(body);
      const silent = (reason: string) => reject(new DockerSilence(reason));
      const limit = seconds === undefined ? undefined : AbortSignal.timeout(seconds * 1000);
      const reasonOf = (error: Error) =>
        limit?.aborted ? `no answer within ${seconds} s` : error.message;
      const timeout = silenceSeconds * 1000;
      const outgoing = request(
        {
          // An agent would ask whether the name of the host is an address, by an expression that takes longer to
          // compile than the daemon to answer.
          createConnection: () => connect({ path: socketPath, timeout }),
          method,
          path: `/${apiVersion}${path}${search}`,
          headers: {
            Host: "docker",
            ...(text === undefined
              ? {}
              : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
            ...headers,
          },
          timeout,
          ...(limit === undefined ? {} : { signal: limit }),
        },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("error", (error) => silent(reasonOf(error)));
          answer.on("end", () => {
            const text = Buffer.concat(parts).toString("utf8");
            const status = answer.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(text);
            else reject(new DockerRefusal(status, messageOf(text)));
          });
        },
      );
      outgoing.on("timeout", () => {
        outgoing.destroy(new Error(`no answer for ${silenceSeconds} s`));
      });
      outgoing.on("error", (error) => silent(reasonOf(error)));
      outgoing.end(text);
    });
}

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Not JSON: the text itself is all there is to show.
  }
  return body.trim();
}
