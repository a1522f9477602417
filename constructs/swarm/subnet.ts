/** An IPv4 subnet as the first and the last of its addresses, both as unsigned 32-bit numbers. */
interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** Address ranges of private networks (RFC 1918, RFC 6598). */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"] as const;

/** What Docker's own bridges take on a host without further settings. */
const dockerBridges = ["172.17.0.0/16", "172.18.0.0/16"] as const;

/** Without leading zeros: some readers take them for octal, and Docker's refuses them. */
const part = "(0|[1-9]\\d{0,2})";
const subnetPattern = new RegExp(`^${part}\\.${part}\\.${part}\\.${part}/${part}$`);

/** Tells what is wrong with a subnet in words that follow its property; undefined when nothing is. */
export function subnetProblem(
  subnet: string,
  sizes: { min: number; max: number },
): string | undefined {
  const shown = JSON.stringify(subnet);
  const match = subnetPattern.exec(subnet);
  const [a = 256, b = 256, c = 256, d = 256, size = 33] = (match ?? []).slice(1).map(Number);
  if (match === null || [a, b, c, d].some((part) => part > 255) || size > 32) {
    return `${shown} is no IPv4 subnet: write it as in 10.80.0.0/16`;
  }
  if (size < sizes.min || size > sizes.max) {
    return `${shown} must have a prefix length from /${sizes.min} to /${sizes.max}`;
  }
  const { first } = rangeOf(subnet);
  const address = addressNumber(subnet);
  if (address !== first) {
    return `${shown} has bits beyond its prefix: write ${addressText(first)}/${size}`;
  }
  if (!privateRanges.some((range) => contains(range, subnet))) {
    return `${shown} must lie in a private range: ${privateRanges.join(", ")}`;
  }
  const bridge = dockerBridges.find((range) => overlap(range, subnet));
  return bridge === undefined
    ? undefined
    : `${shown} overlaps ${bridge}, which Docker's own bridges use: choose another, as in 10.80.0.0/16`;
}

/** Whether two subnets, both well-formed, share an address. */
export function overlap(left: string, right: string): boolean {
  const [one, other] = [rangeOf(left), rangeOf(right)];
  return one.first <= other.last && other.first <= one.last;
}

/** The prefix length of a well-formed subnet. */
export function prefixLength(subnet: string): number {
  return Number(subnet.split("/")[1]);
}

function contains(outer: string, inner: string): boolean {
  const [around, within] = [rangeOf(outer), rangeOf(inner)];
  return around.first <= within.first && within.last <= around.last;
}

function rangeOf(subnet: string): AddressRange {
  const count = 2 ** (32 - prefixLength(subnet));
  const first = Math.floor(addressNumber(subnet) / count) * count;
  return { first, last: first + count - 1 };
}

function addressNumber(subnet: string): number {
  const address = subnet.split("/")[0] ?? "";
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function addressText(address: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");
}
