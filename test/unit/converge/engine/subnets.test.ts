import fc from "fast-check";
import { expect, test } from "vitest";
import { overlap } from "../../../../services/converge/engine/subnets.ts";

/** First and last address, by shifting. */
function rangeOf(address: bigint, size: number): readonly [bigint, bigint] {
  const rest = BigInt(32 - size);
  const first = (address >> rest) << rest;
  return [first, first + (1n << rest) - 1n];
}

const textOf = (address: bigint, size: number): string =>
  `${[24n, 16n, 8n, 0n].map((bits) => (address >> bits) & 255n).join(".")}/${size}`;

const subnets = fc.tuple(
  // Near each other, so that overlaps are not rare.
  fc.oneof(
    fc.bigInt({ min: 0n, max: 0xffffffffn }),
    fc.bigInt({ min: 0x7fffff00n, max: 0x800000ffn }),
  ),
  fc.integer({ min: 0, max: 32 }),
);

test("two subnets overlap when they share an address", () => {
  fc.assert(
    fc.property(subnets, subnets, (one, other) => {
      const [[first, last], [otherFirst, otherLast]] = [rangeOf(...one), rangeOf(...other)];
      const shared = first <= otherLast && otherFirst <= last;
      expect(overlap(textOf(...one), textOf(...other))).toBe(shared);
      expect(overlap(textOf(...other), textOf(...one))).toBe(shared);
    }),
    { numRuns: 2000 },
  );
});

test.each(["", "fd00::/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.256/8", " 10.0.0.0/8"])(
  "%j is no IPv4 subnet and overlaps nothing",
  (text) => {
    expect(overlap(text, "0.0.0.0/0")).toBe(false);
    expect(overlap("0.0.0.0/0", text)).toBe(false);
  },
);
