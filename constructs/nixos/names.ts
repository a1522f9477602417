const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/** One label of a host name (RFC 1123), in lower case. */
export const hostLabelPattern = new RegExp(`^${label}$`);

/** Whether `text` is one label of a host name (RFC 1123), in lower case. */
export function isHostLabel(text: string): boolean {
  return hostLabelPattern.test(text);
}

/** Whether `text` is a domain name of two labels or more, in lower case. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && new RegExp(`^${label}(?:\\.${label})+$`).test(text);
}

/** Whether `text` is the full name of a systemd unit, suffix included. */
export function isUnitName(text: string): boolean {
  return (
    text.length <= 255 &&
    /^[a-zA-Z0-9@:_.\\-]+\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/.test(
      text,
    )
  );
}
