/** Words of git and of curl in it, for an upstream that cannot be reached now: it may come back. */
const unreachable = [
  /could not resolve (?:host|proxy)/i,
  /(?:failed|couldn't|could not|unable) to connect/i,
  /connection (?:refused|reset|timed out|closed|was reset)/i,
  /(?:operation|connection|ssl connection|resolving) time(?:d out|out)/i,
  /time(?:d out|out was reached)/i,
  /operation too slow/i,
  /(?:network|host) (?:is )?unreachable|no route to host/i,
  /empty reply from server/i,
  /the remote end hung up unexpectedly|early eof|unexpected disconnect/i,
  /rpc failed/i,
  /(?:gnutls_handshake|ssl_connect|tls connect|openssl ssl_read).*(?:fail|syscall|terminated|unexpected eof|error: 0)/i,
  /returned error: (?:408|425|429|5\d\d)/i,
  /http.?2 (?:stream|framing)/i,
];

/**
 * Whether what a failed fetch said means that nobody can be asked now. Everything else is a no that
 * time does not mend: not found, not allowed, no certificate that this host trusts, no repository.
 */
export function isUnreachable(words: string): boolean {
  const definite = /returned error: (?:401|403|404|410)|certificate|authentication|not found/i;
  return !definite.test(words) && unreachable.some((pattern) => pattern.test(words));
}
