import fc from "fast-check";
import { expect, test } from "vitest";
import { distance } from "../../../services/lib/distance.ts";

test.each([
  ["", "", 0],
  ["testme", "testme", 0],
  ["", "testme", 6],
  ["testme", "", 6],
  ["test", "testme", 2],
  ["testmee", "testme", 1],
  ["testne", "testme", 1],
  ["tsetme", "testme", 1],
  ["tsetem", "testme", 2],
  ["etst", "test", 1],
  // Each letter is touched once: not one more after two changed places.
  ["ca", "abc", 3],
  ["emtset", "testme", 4],
  ["status", "testme", 5],
])("from %j to %j it is %i", (from, to, expected) => {
  expect(distance(from, to)).toBe(expected);
});

const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "é"), maxLength: 8 });

test("it is the same there and back, and nothing only between equals", () => {
  fc.assert(
    fc.property(word, word, (from, to) => {
      const edits = distance(from, to);
      expect(distance(to, from)).toBe(edits);
      expect(edits === 0).toBe(from === to);
      expect(edits).toBeGreaterThanOrEqual(Math.abs(from.length - to.length));
      expect(edits).toBeLessThanOrEqual(Math.max(from.length, to.length));
    }),
  );
});

test("what stands before and after both makes nothing of it", () => {
  fc.assert(
    fc.property(word, word, word, word, (from, to, before, after) => {
      const edits = distance(before + from + after, before + to + after);
      expect(edits).toBeLessThanOrEqual(distance(from, to));
    }),
  );
});
