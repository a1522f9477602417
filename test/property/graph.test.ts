import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycle, type Graph } from "../../constructs/core/graph.ts";

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 8 }).chain((count) => {
  const id = fc.nat({ max: count - 1 }).map(String);
  return fc.record({
    nodes: fc.constant(
      Array.from({ length: count }, (_, index) => ({
        id: String(index),
        label: String(index),
        kind: "piece",
      })),
    ),
    edges: fc.array(fc.record({ from: id, to: id, strong: fc.boolean() }), { maxLength: 14 }),
  });
});

/** Whether there is a cycle, the slow way: strike out what depends on nothing until nothing goes. */
function hasCycle({ nodes, edges }: Graph): boolean {
  let left = nodes.map(({ id }) => id);
  for (;;) {
    const blocked = left.filter((id) =>
      edges.some(({ from, to }) => from === id && left.includes(to)),
    );
    if (blocked.length === left.length) return left.length > 0;
    left = blocked;
  }
}

test("a cycle is found where there is one, and each of its steps is an edge", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const cycle = findCycle(graph);
      expect(cycle !== undefined).toBe(hasCycle(graph));
      if (cycle === undefined) return;
      expect(cycle.at(-1)).toBe(cycle[0]);
      expect(new Set(cycle).size).toBe(cycle.length - 1);
      for (const [index, from] of cycle.slice(0, -1).entries()) {
        expect(graph.edges.some((edge) => edge.from === from && edge.to === cycle[index + 1])).toBe(
          true,
        );
      }
    }),
    { numRuns: 2000 },
  );
});
