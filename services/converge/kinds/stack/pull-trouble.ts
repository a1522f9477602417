/** What a registry answers when it was reached, and time will not mend it. */
const definite =
  /not found|manifest unknown|repository does not exist|denied|unauthorized|authentication required|no matching manifest|invalid reference|no space left|no basic auth|name unknown|x509|certificate/i;

/** What stands for a registry that was not reached, or does not want to be asked now. */
const passing =
  /dial tcp|no such host|i\/o timeout|timeout|timed out|deadline exceeded|connection (?:refused|reset)|unreachable|no route to host|\bEOF\b|request canceled|context canceled|toomanyrequests|rate limit|too many requests|temporary failure|server misbehaving|(?:status|code)[^0-9]{0,12}5\d\d|bad gateway|service unavailable|internal server error|no answer/i;

/**
 * Whether what the daemon said of a failed pull means that the registry cannot be asked now; else it
 * is a no.
 */
export function isRegistryAway(words: string): boolean {
  return passing.test(words) && !(definite.test(words) && !/no such host/i.test(words));
}
