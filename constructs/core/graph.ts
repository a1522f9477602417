/** A directed graph: each edge runs from what depends to what it depends on. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  readonly id: string;
  readonly label: string;
  /** Decides the look of the node, nothing else. */
  readonly kind: string;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Whether `from` makes no sense without `to`; drawn solid, else dashed. */
  readonly strong: boolean;
}

/**
 * One cycle of the graph as the ids along it, the first one repeated at the end; undefined when
 * there is none. Linear in nodes and edges.
 */
export function findCycle(graph: Graph): readonly string[] | undefined {
  const successors = successorsOf(graph);
  const done = new Set<string>();
  for (const { id: start } of graph.nodes) {
    const trail: string[] = [];
    const onTrail = new Map<string, number>();
    // An explicit stack: a chain of a thousand apps must not exhaust that of the runtime.
    const stack: { id: string; next: number }[] = [];
    const enter = (id: string): void => {
      onTrail.set(id, trail.push(id) - 1);
      stack.push({ id, next: 0 });
    };
    if (!done.has(start)) enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const target = successors.get(top.id)?.[top.next];
      top.next += 1;
      if (target === undefined) {
        done.add(top.id);
        onTrail.delete(top.id);
        trail.pop();
        stack.pop();
      } else if (onTrail.has(target)) {
        return [...trail.slice(onTrail.get(target)), target];
      } else if (!done.has(target)) {
        enter(target);
      }
    }
  }
  return undefined;
}

function successorsOf(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const successors = new Map<string, string[]>();
  for (const { from, to } of graph.edges) {
    const known = successors.get(from);
    if (known === undefined) successors.set(from, [to]);
    else known.push(to);
  }
  return successors;
}

/**
 * The same graph without the weak edges that follow from others, which a picture is clearer without.
 * Takes a graph without cycles.
 */
export function withoutImplied(graph: Graph): Graph {
  const successors = successorsOf(graph);
  const beyond = new Map<string, ReadonlySet<string>>();
  /** All that is reached from `id` in two steps or more. */
  const reachedBeyond = (id: string): ReadonlySet<string> => {
    const known = beyond.get(id);
    if (known !== undefined) return known;
    const reached = new Set<string>();
    for (const next of successors.get(id) ?? []) {
      for (const one of successors.get(next) ?? []) reached.add(one);
      for (const one of reachedBeyond(next)) reached.add(one);
    }
    beyond.set(id, reached);
    return reached;
  };
  const edges = graph.edges.filter(
    ({ from, to, strong }) => strong || !reachedBeyond(from).has(to),
  );
  return { nodes: graph.nodes, edges };
}

/**
 * The same graph with many nodes of the same edges drawn as one, since nobody reads a column of a
 * hundred boxes. Fewer than `many` stay as they are.
 */
export function withGroups(graph: Graph, many: number): Graph {
  const edgesOf = new Map<string, string[]>(graph.nodes.map(({ id }) => [id, []]));
  for (const { from, to, strong } of graph.edges) {
    edgesOf.get(from)?.push(`> ${to} ${strong}`);
    edgesOf.get(to)?.push(`< ${from} ${strong}`);
  }
  const groups = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) {
    const key = `${node.kind} ${edgesOf.get(node.id)?.sort().join(" ")}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node]);
    else group.push(node);
  }
  const left = new Set<string>();
  const nodes = [...groups.values()].flatMap((group) => {
    const [first, ...others] = group;
    if (first === undefined || group.length < many) return group;
    for (const { id } of others) left.add(id);
    return [{ ...first, label: `${first.label} and ${others.length} like it` }];
  });
  const edges = graph.edges.filter(({ from, to }) => !left.has(from) && !left.has(to));
  return { nodes, edges };
}
