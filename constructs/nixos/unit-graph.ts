import type { Graph, GraphEdge, GraphNode } from "../core/graph.ts";
import { listOf, type SystemdUnit } from "./systemd-unit.ts";

/**
 * The graph of the services, read from the options as they are emitted, overrides included: what a
 * unit is ordered after, strong where it requires it. Units that are not ours appear when one of
 * ours names them; timers, paths and targets only start services and are left out.
 */
export function unitGraph(units: readonly SystemdUnit[]): Graph {
  const services = units.filter(({ kind }) => kind === "service");
  const nodes = new Map<string, GraphNode>(
    services.map(({ fullName, name }) => [
      fullName,
      { id: fullName, label: name.replace(/^cc-ci-/, ""), kind: "piece" },
    ]),
  );
  const known = new Set(units.map(({ fullName }) => fullName));
  const edges: GraphEdge[] = [];
  for (const { fullName, options } of services) {
    const required = new Set([...listOf(options.requires), ...listOf(options.bindsTo)]);
    const before = new Set([...listOf(options.after), ...required, ...listOf(options.wants)]);
    for (const other of before) {
      if (known.has(other) && !nodes.has(other)) continue;
      if (!nodes.has(other)) nodes.set(other, { id: other, label: other, kind: "foreign" });
      edges.push({ from: fullName, to: other, strong: required.has(other) });
    }
    for (const other of listOf(options.before)) {
      if (nodes.has(other)) edges.push({ from: other, to: fullName, strong: false });
    }
  }
  return { nodes: [...nodes.values()], edges };
}
