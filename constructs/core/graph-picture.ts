import packages from "../../package.json" with { type: "json" };
import { digestOf } from "./digest.ts";
import type { Graph } from "./graph.ts";
import { canonicalJson, type JsonObject } from "./json.ts";

/** A picture that can be drawn. */
export interface GraphPicture {
  /** Digest of all that decides the drawing: two pictures of one digest have the same bytes. */
  readonly drawnFrom: string;
  /** Draws it as SVG. Loads Graphviz, which costs more than everything else that synth does. */
  readonly draw: () => Promise<string>;
}

/**
 * The graph as a picture, laid out by Graphviz. Readable on a light and on a dark page: the colours
 * are set by a style sheet in the picture itself.
 */
export function graphPicture(graph: Graph, title: string): GraphPicture {
  const description = describe(graph, title);
  const version = packages.dependencies["@viz-js/viz"];
  return {
    drawnFrom: digestOf(canonicalJson({ description, styleSheet, version })),
    draw: async () => {
      const { instance } = await import("@viz-js/viz");
      const svg = (await instance()).renderString(description, { format: "svg" });
      const picture = svg.slice(svg.indexOf("<svg"));
      const openingEnd = picture.indexOf(">") + 1;
      return `${picture.slice(0, openingEnd)}\n${styleSheet}${picture.slice(openingEnd)}`;
    },
  };
}

/** The graph in the terms of Graphviz. */
function describe(graph: Graph, title: string) {
  return {
    name: title,
    graphAttributes: {
      rankdir: "RL",
      bgcolor: "transparent",
      nodesep: 0.2,
      ranksep: 0.5,
      pad: 0.1,
      // A hundred apps wait for the same few units: trying longer makes no better picture of that.
      mclimit: 0.2,
      nslimit: 0.5,
    },
    nodeAttributes: {
      shape: "box",
      style: "rounded",
      fontname: "Helvetica,sans-serif",
      fontsize: 12,
      margin: "0.15,0.08",
    },
    edgeAttributes: { arrowsize: 0.7 },
    nodes: graph.nodes.map(({ id, label, kind }) => ({
      name: id,
      attributes: { label, class: kind },
    })),
    edges: graph.edges.map(({ from, to, strong }) => ({
      tail: from,
      head: to,
      attributes: { style: strong ? "solid" : "dashed" },
    })),
  } satisfies JsonObject;
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
