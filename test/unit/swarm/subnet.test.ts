import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { overlap, prefixLength, subnetProblem } from "../../../constructs/swarm/subnet.ts";

const sizes = { min: 8, max: 24 };

test.each([
  "10.80.0.0/16",
  "10.0.0.0/8",
  "172.16.0.0/16",
  "172.31.0.0/24",
  "192.168.7.0/24",
  "100.64.0.0/10",
])("%s is a fine subnet", (subnet) => {
  expect(subnetProblem(subnet, sizes)).toBeUndefined();
});

describe("a subnet is refused with what would be right", () => {
  test.each([
    ["10.80.0.0", "is no IPv4 subnet: write it as in 10.80.0.0/16"],
    ["10.80.0/16", "is no IPv4 subnet"],
    ["10.80.0.0.0/16", "is no IPv4 subnet"],
    ["10.80.0.256/16", "is no IPv4 subnet"],
    ["10.80.0.0/33", "is no IPv4 subnet"],
    ["10.80.0.0/-1", "is no IPv4 subnet"],
    ["10.80.0.0/16 ", "is no IPv4 subnet"],
    ["10.80.0.0/16\n", "is no IPv4 subnet"],
    ["010.80.0.0/16", "is no IPv4 subnet"],
    ["10.080.0.0/16", "is no IPv4 subnet"],
    ["10.80.0.0/016", "is no IPv4 subnet"],
    ["fd00::/8", "is no IPv4 subnet"],
    ["", "is no IPv4 subnet"],
    ["10.0.0.0/7", "must have a prefix length from /8 to /24"],
    ["10.80.0.0/25", "must have a prefix length from /8 to /24"],
    ["10.80.1.0/16", "has bits beyond its prefix: write 10.80.0.0/16"],
    ["10.80.0.1/24", "has bits beyond its prefix: write 10.80.0.0/24"],
    ["192.168.255.255/20", "has bits beyond its prefix: write 192.168.240.0/20"],
    [
      "11.0.0.0/8",
      "must lie in a private range: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10",
    ],
    ["172.32.0.0/16", "must lie in a private range"],
    ["172.0.0.0/8", "must lie in a private range"],
    ["192.168.0.0/15", "must lie in a private range"],
    ["0.0.0.0/8", "must lie in a private range"],
    ["255.255.255.0/24", "must lie in a private range"],
    ["172.17.0.0/16", "overlaps 172.17.0.0/16, which Docker's own bridges use"],
    ["172.18.5.0/24", "overlaps 172.18.0.0/16, which Docker's own bridges use"],
    ["172.16.0.0/12", "overlaps 172.17.0.0/16, which Docker's own bridges use"],
  ])("%s", (subnet, problem) => {
    expect(subnetProblem(subnet, sizes)).toContain(`${JSON.stringify(subnet)} ${problem}`);
  });
});

/** The addresses of a subnet, the slow and exact way. */
function rangeOf(address: bigint, size: number): readonly [bigint, bigint] {
  const mask = ((1n << BigInt(size)) - 1n) << BigInt(32 - size);
  const first = address & mask;
  return [first, first | (~mask & 0xffffffffn)];
}

const textOf = (address: bigint): string =>
  [24n, 16n, 8n, 0n].map((bits) => (address >> bits) & 255n).join(".");

/** Addresses near each other, so that overlaps are not rare. */
const subnets = fc.tuple(
  fc.oneof(
    fc.bigInt({ min: 0n, max: 0xffffffffn }),
    fc.bigInt({ min: 0x0a000000n, max: 0x0a00ffffn }),
    fc.constantFrom(0n, 0xffffffffn, 0x7fffffffn, 0x80000000n),
  ),
  fc.integer({ min: 0, max: 32 }),
);

test("two subnets overlap when they share an address", () => {
  fc.assert(
    fc.property(subnets, subnets, ([one, size], [other, otherSize]) => {
      const [first, last] = rangeOf(one, size);
      const [otherFirst, otherLast] = rangeOf(other, otherSize);
      const shared = first <= otherLast && otherFirst <= last;
      const [left, right] = [`${textOf(one)}/${size}`, `${textOf(other)}/${otherSize}`];
      expect(overlap(left, right)).toBe(shared);
      expect(overlap(right, left)).toBe(shared);
      expect(prefixLength(left)).toBe(size);
    }),
    { numRuns: 2000 },
  );
});

test("bits beyond the prefix are found, and the subnet that is offered instead is the right one", () => {
  const inTen = fc.tuple(
    fc.bigInt({ min: 0x0a000000n, max: 0x0affffffn }),
    fc.integer({ min: 8, max: 32 }),
  );
  fc.assert(
    fc.property(inTen, ([address, size]) => {
      const right = `${textOf(rangeOf(address, size)[0])}/${size}`;
      const given = `${textOf(address)}/${size}`;
      expect(subnetProblem(right, { min: 8, max: 32 })).toBeUndefined();
      expect(subnetProblem(given, { min: 8, max: 32 })).toBe(
        given === right ? undefined : `"${given}" has bits beyond its prefix: write ${right}`,
      );
    }),
    { numRuns: 2000 },
  );
});
