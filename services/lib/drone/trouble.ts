/**
 * Why Drone did not do what it was asked for. Its statuses say little: a 404 may be a name that is
 * unknown, a forge that is down, or a login that has died, and only the words tell.
 */
export type Trouble =
  /** No answer, or one that is cut short: whether it was done is not known. */
  | "silent"
  /** No answer in time, which is not known to be none: Drone may wait for its forge, with no end of its own. */
  | "late"
  /** The token is wrong, or of nobody any more. */
  | "token-refused"
  /** The token's owner may not do this. */
  | "not-allowed"
  /** A repository, build, commit or branch of that name is unknown to Drone, or to its owner on the forge. */
  | "not-found"
  /** The forge's login that Drone keeps for the repository's owner is dead: a person has to log in. */
  | "login-dead"
  /** The forge does not know Drone's OAuth client, or not by that secret: so no login can be renewed. */
  | "client-refused"
  /** Drone reached no forge. */
  | "forge-silent"
  /** Drone's own trouble, or an answer that is none of its. */
  | "broken";

/** Whether it is not known what Drone did, or whether it was asked at all. */
export function isSilence(error: unknown): error is DroneRefusal {
  return error instanceof DroneRefusal && (error.trouble === "silent" || error.trouble === "late");
}

/** An answer that says no, or none. */
export class DroneRefusal extends Error {
  readonly trouble: Trouble;
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  /** False where Drone was not reached, and so was asked for nothing. */
  readonly wasSent: boolean;

  constructor(trouble: Trouble, status: number, message: string, wasSent = true) {
    super(message);
    this.trouble = trouble;
    this.status = status;
    this.wasSent = wasSent;
  }
}

/** What an answer that says no means, by its status and its words. */
export function troubleOf(status: number, message: string): Trouble {
  if (status === 401) return "token-refused";
  if (status === 403) return "not-allowed";
  if (status === 404) return ofNotFound(message);
  // An owner whose login is dead, or a forge that is down, fails some calls with 500.
  const inside = status === 500 ? ofNotFound(message) : "broken";
  return inside === "not-found" ? "broken" : inside;
}

function ofNotFound(message: string): Trouble {
  // What Gitea says to a refresh; one that came too late it cannot parse.
  if (/^Unauthorized$|grant does not exist|token was already used|refresh token/i.test(message)) {
    return "login-dead";
  }
  if (/invalid (?:empty )?client secret|cannot load client/i.test(message)) return "client-refused";
  // Go's own words for a call that did not get through, and those of a proxy before a forge that is away.
  if (
    /\b(?:dial|lookup|connect|EOF|timeout|deadline exceeded|tls|x509)\b/i.test(message) ||
    /^(?:bad gateway|service unavailable|gateway time-?out|too many requests)$|^invalid character '<'/i.test(
      message,
    )
  ) {
    return "forge-silent";
  }
  return "not-found";
}
