/** What was answered, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface HttpQuestion {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, but for what has a type of its own. */
  readonly body?: unknown;
  /** For the whole answer. */
  readonly seconds: number;
}

/** No answer, or one that was cut short: whether anything was done is not known, but for what was not sent. */
export class NoAnswer extends Error {
  /** Whether somebody may just be at work on it: it was waited for as long as it might take. */
  readonly isLate: boolean;
  /** False where nobody took the connection, so that nothing was done. */
  readonly wasSent: boolean;

  constructor(message: string, isLate: boolean, wasSent = true) {
    super(message);
    this.isLate = isLate;
    this.wasSent = wasSent;
  }
}

/** An answer that goes on and on, of which nothing is used. */
export class TooLong extends Error {}

/** Of an answer, unpacked: several times the longest log that Drone keeps of a step. */
const mostBytes = 16 * 1024 * 1024;

/**
 * One question, asked once. Redirects are answers: one that leads elsewhere would take what is secret along.
 *
 * @throws {NoAnswer} with the host's name and why
 * @throws {TooLong} when there is more of it than anybody has use for
 */
export async function ask(url: URL, question: HttpQuestion): Promise<HttpAnswer> {
  const { method, headers = {}, body, seconds } = question;
  const isForm = body instanceof URLSearchParams;
  try {
    const answer = await fetch(url, {
      method,
      headers: {
        ...headers,
        ...(body === undefined || isForm ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.timeout(seconds * 1000),
    });
    return { status: answer.status, text: await textOf(answer, url), headers: answer.headers };
  } catch (error) {
    if (error instanceof TooLong) throw error;
    if (error instanceof Error && error.name === "TimeoutError") {
      throw new NoAnswer(`${url.host}: no answer within ${seconds} s`, true);
    }
    throw new NoAnswer(`${url.host}: ${reasonOf(error)}`, false, !isUnconnected(error));
  }
}

async function textOf({ body }: Response, { host }: URL): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.byteLength;
    // Which ends the connection too.
    if (bytes > mostBytes) throw new TooLong(`${host}: an answer of more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** What there is of errors before a connection stands: the system's, and one of Node's own fetch. */
const unconnected: ReadonlySet<unknown> = new Set([
  ...["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"],
  "UND_ERR_CONNECT_TIMEOUT",
]);

function isUnconnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && unconnected.has(cause.code);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says "fetch failed", and why in the cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
