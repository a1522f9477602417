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

/** No answer, or one that was cut short: whether anything was done is not known. */
export class NoAnswer extends Error {
  /** Whether somebody may just be at work on it: it was waited for as long as it might take. */
  readonly isLate: boolean;

  constructor(message: string, isLate: boolean) {
    super(message);
    this.isLate = isLate;
  }
}

/**
 * One question, asked once. Redirects are answers: one that leads elsewhere would take what is secret along.
 *
 * @throws {NoAnswer} with the host's name and why
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
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") {
      throw new NoAnswer(`${url.host}: no answer within ${seconds} s`, true);
    }
    throw new NoAnswer(`${url.host}: ${reasonOf(error)}`, false);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says "fetch failed", and why in the cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** @throws {Error} for what is no name of a repository */
export function repositoryPath(slug: string): string {
  const parts = slug.split("/");
  if (parts.length !== 2 || parts.some((part) => !/^(?!\.\.?$)[A-Za-z0-9._-]+$/.test(part))) {
    throw new Error(`${JSON.stringify(slug)} is no repository: write it as owner/name`);
  }
  return `/repos/${slug}`;
}
