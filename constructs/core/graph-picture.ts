import { instance } from "@viz-js/viz";
import type { Graph } from "./graph.ts";

/**
 * The graph as SVG, laid out by Graphviz. Readable on a light and on a dark page: the colours are
 * set by a style sheet in the picture itself. The same graph gives the same bytes.
 */
export async function graphPicture(graph: Graph, title: string): Promise<string> {
  const graphviz = await instance();
  const svg = graphviz.renderString(
    {
      name: title,
      graphAttributes: {
        rankdir: "RL",
        bgcolor: "transparent",
        nodesep: 0.2,
        ranksep: 0.5,
        pad: 0.1,
      },
      nodeAttributes: {
        shape: "box",
        style: "rounded",
        fontname: "Helvetica,sans-serif",
        fontsize: 12,
      },
      nodes: graph.nodes.map(({ id, label, kind }) => ({
        name: id,
        attributes: { label, class: kind, margin: "0.15,0.08" },
      })),
      edges: graph.edges.map(({ from, to, strong }) => ({
        tail: from,
        head: to,
        attributes: { style: strong ? "solid" : "dashed", arrowsize: 0.7 },
      })),
    },
    { format: "svg" },
  );
  const picture = svg.slice(svg.indexOf("<svg"));
  const openingEnd = picture.indexOf(">") + 1;
  return `${picture.slice(0, openingEnd)}\n${styleSheet}${picture.slice(openingEnd)}`;
}

const styleSheet = `<style>
  .node path { stroke: #57606a; fill: #f6f8fa; }
  .node text { fill: #1f2328; }
  .node.foreign path { stroke-dasharray: 4 3; fill: none; }
  .edge path { stroke: #57606a; }
  .edge polygon { stroke: #57606a; fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    .node path { stroke: #9198a1; fill: #212830; }
    .node text { fill: #e6edf3; }
    .edge path { stroke: #9198a1; }
    .edge polygon { stroke: #9198a1; fill: #9198a1; }
  }
</style>
`;
