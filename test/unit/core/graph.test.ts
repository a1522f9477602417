import { describe, expect, test } from "vitest";
import {
  findCycle,
  type Graph,
  withGroups,
  withoutImplied,
} from "../../../constructs/core/graph.ts";

/** A graph of such edges: "a b" says that a depends on b. */
function graphOf(...edges: readonly string[]): Graph {
  const pairs = edges.map((edge) => edge.split(" "));
  return {
    nodes: [...new Set(pairs.flat())].map((id) => ({ id, label: id, kind: "piece" })),
    edges: pairs.map(([from = "", to = ""]) => ({ from, to, strong: true })),
  };
}

describe("no cycle is found in", () => {
  test.each([
    ["nothing", []],
    ["a chain", ["a b", "b c"]],
    ["a diamond", ["a b", "a c", "b d", "c d"]],
    ["a diamond with a short cut", ["a b", "a c", "b d", "c d", "a d"]],
    ["two roots above one leaf", ["a c", "b c"]],
    ["an edge that is there twice", ["a b", "a b"]],
  ])("%s", (_, edges) => {
    expect(findCycle(graphOf(...edges))).toBeUndefined();
  });
});

describe("a cycle is named along its way", () => {
  test.each([
    ["a node that waits for itself", ["a a"], ["a", "a"]],
    ["two nodes", ["a b", "b a"], ["a", "b", "a"]],
    ["three nodes", ["a b", "b c", "c a"], ["a", "b", "c", "a"]],
    ["without what only leads to it", ["a b", "b c", "c b"], ["b", "c", "b"]],
    ["behind what is free of one", ["a b", "c d", "d c"], ["c", "d", "c"]],
    ["behind a branch that is free of one", ["a b", "a c", "c a"], ["a", "c", "a"]],
  ])("%s", (_, edges, cycle) => {
    expect(findCycle(graphOf(...edges))).toEqual(cycle);
  });
});

test("an edge to a node that is not listed counts too", () => {
  const nodes = [{ id: "a", label: "a", kind: "piece" }];
  const edges = [
    { from: "a", to: "b", strong: false },
    { from: "b", to: "a", strong: false },
  ];
  expect(findCycle({ nodes, edges })).toEqual(["a", "b", "a"]);
});

test("a chain of 20,000 nodes does not exhaust the stack", () => {
  const edges = Array.from({ length: 20_000 }, (_, index) => `${index} ${index + 1}`);
  expect(findCycle(graphOf(...edges))).toBeUndefined();
  expect(findCycle(graphOf(...edges, "20000 0"))).toHaveLength(20_002);
});

test("a node is looked at once, however many ways lead to it", () => {
  // Sixty diamonds in a row: more ways than anyone could walk.
  const edges = Array.from({ length: 60 }, (_, index) => [
    `${index} l${index}`,
    `${index} r${index}`,
    `l${index} ${index + 1}`,
    `r${index} ${index + 1}`,
  ]);
  expect(findCycle(graphOf(...edges.flat()))).toBeUndefined();
});

test("a weak edge that follows from others is implied, a strong one never is", () => {
  // given a → b → c, a weak and a strong shortcut, and one weak edge that nothing implies
  const edge = (from: string, to: string, strong: boolean) => ({ from, to, strong });
  const nodes = ["a", "b", "c", "d"].map((id) => ({ id, label: id, kind: "piece" }));
  const edges = [edge("a", "b", true), edge("b", "c", false), edge("c", "d", true)];
  const shortcuts = [edge("a", "c", false), edge("a", "d", true), edge("b", "d", false)];
  // when
  const reduced = withoutImplied({ nodes, edges: [...edges, ...shortcuts] });
  // then
  expect(reduced).toEqual({ nodes, edges: [...edges, edge("a", "d", true)] });
});

test("many nodes of the same edges are drawn as one, few are not, and no other edge is lost", () => {
  // given four apps that wait for a base, three of which something waits for
  const node = (id: string) => ({ id, label: id, kind: "piece" });
  const edge = (from: string, to: string) => ({ from, to, strong: true });
  const apps = ["a", "b", "c", "d"];
  const edges = [
    ...apps.map((app) => edge(app, "base")),
    ...apps.slice(0, 3).map((app) => edge("all", app)),
  ];
  const graph = { nodes: ["base", ...apps, "all"].map(node), edges };
  // when, then
  expect(withGroups(graph, 4)).toEqual(graph);
  expect(withGroups(graph, 3)).toEqual({
    nodes: [node("base"), { ...node("a"), label: "a and 2 like it" }, node("d"), node("all")],
    edges: [edge("a", "base"), edge("d", "base"), edge("all", "a")],
  });
});
