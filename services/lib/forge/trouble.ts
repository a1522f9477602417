/** Why the forge did not do what it was asked for. */
export type ForgeTrouble =
  /** No answer that says anything: none, one of something else than the forge, or one of its own trouble. */
  | "silent"
  /** The token is wrong, was taken back, or has not the scope that is needed. */
  | "token-refused"
  /** Its account may not do that. */
  | "not-allowed"
  | "not-found"
  /** It has another name by now, or another owner. */
  | "moved"
  /** There is more of it than can be taken at once: ask for less. */
  | "too-long"
  /** Another answer than those that are known. */
  | "broken";

interface ForgeRefusalOptions {
  /** Of the answer. @default 0, where there was none */
  readonly status?: number;
  /** How long it wants not to be asked again, in seconds. @default it does not say */
  readonly retryAfterSeconds?: number | undefined;
}

/** An answer that says no, or none. */
export class ForgeRefusal extends Error {
  readonly trouble: ForgeTrouble;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(trouble: ForgeTrouble, message: string, options: ForgeRefusalOptions = {}) {
    super(message);
    this.trouble = trouble;
    this.status = options.status ?? 0;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** What a status means that is no yes. */
export function troubleOf(status: number): ForgeTrouble {
  if (status === 401) return "token-refused";
  if (status === 403) return "not-allowed";
  if (status === 404) return "not-found";
  // Trouble of its own, or of the proxy in front of it while the forge is away; or too much asked for.
  return status === 429 || status >= 500 ? "silent" : "broken";
}

/** The longest pause that is believed, in seconds: an hour. */
export const longestPause = 3600;

/**
 * What a `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3).
 *
 * @returns in seconds; undefined where it says nothing that can be read
 */
export function pauseOf(retryAfter: string | null, now: Date): number | undefined {
  if (retryAfter === null) return undefined;
  const seconds = /^\d{1,9}$/.test(retryAfter)
    ? Number(retryAfter)
    : (Date.parse(retryAfter) - now.getTime()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, seconds), longestPause);
}
