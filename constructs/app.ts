import { RootConstruct } from "constructs";
import { collect } from "./core/collect.ts";
import { digestOf } from "./core/digest.ts";
import { userError } from "./core/errors.ts";
import type { FileSpec } from "./core/file-spec.ts";
import { type Graph, withGroups, withoutImplied } from "./core/graph.ts";
import { graphPicture } from "./core/graph-picture.ts";
import { drawing, jsonWithHeader, type Rendered, withHeader } from "./core/header.ts";
import type { JsonObject } from "./core/json.ts";
import { manifestFile } from "./core/manifest.ts";
import type { Templates } from "./core/template.ts";
import { elsewhere } from "./elsewhere.ts";
import { hostFacts } from "./impact/facts.ts";
import { Host } from "./nixos/host.ts";
import type { TerraformModule } from "./terraform/stack.ts";

/** The root of a tree of hosts. */
export class CcCi extends RootConstruct {
  /** The hosts, in the order in which they were made. */
  get hosts(): readonly Host[] {
    return this.node.children.filter((child) => child instanceof Host);
  }
}

/** From this many units of the same arrows on, one box stands for all of them. */
const manyAlike = 10;

/**
 * Finds a file of the last synth that nobody has touched since and that was drawn from this digest;
 * undefined when there is none.
 */
export type FindDrawing = (path: string, drawnFrom: string) => string | undefined;

/**
 * Every generated file of the tree, the manifest last. Pure: the same tree gives the same bytes.
 * Throws one UserError with all that is wrong in the tree.
 * @param findDrawing spares the drawing of pictures that are there. @default draws every picture
 */
export async function synthesize(
  app: CcCi,
  templates: Templates,
  findDrawing: FindDrawing = () => undefined,
): Promise<readonly FileSpec[]> {
  const collected = collect(app, templates);
  const views: FileSpec[] = [];
  for (const host of app.hosts) {
    const graph = host.graph();
    views.push(await terraformOf(host, graph, collected));
    const drawn = withGroups(withoutImplied(graph), manyAlike);
    views.push(...(await drawingsOf(host, drawn, templates, findDrawing)));
  }
  const files = [...collected, ...views];
  refuseTwice(files);
  const facts = Object.fromEntries(app.hosts.map((host) => [host.name, hostFacts(host)]));
  return [...files, manifestFile(files, facts)];
}

/** Views have paths of their own, which no construct has claimed. */
function refuseTwice(files: readonly FileSpec[]): void {
  const seen = new Map<string, string>();
  for (const { path, source } of files) {
    const other = seen.get(path);
    if (other !== undefined) throw userError(source, `${path} is written by ${other} already`);
    seen.set(path, source);
  }
}

async function terraformOf(
  host: Host,
  graph: Graph,
  files: readonly FileSpec[],
): Promise<FileSpec> {
  const { terraformStack } = await import("./terraform/stack.ts");
  const stack = terraformStack(host.name, terraformModules(host, graph, files));
  return fileSpec(`${host.folder}/cdk.tf.json`, host, jsonWithHeader(host.node.path, stack));
}

/** The unit graph of a host as text and as a picture. */
async function drawingsOf(
  host: Host,
  graph: Graph,
  templates: Templates,
  findDrawing: FindDrawing,
): Promise<readonly FileSpec[]> {
  const source = host.node.path;
  const mermaid = templates.render("docs/graph.mmd", mermaidContext(graph));
  const path = elsewhere.graphPicture(host.name);
  const { drawnFrom, draw } = graphPicture(graph, `Units of ${host.name}`);
  const text = findDrawing(path, drawnFrom) ?? drawing(source, drawnFrom, await draw());
  return [
    fileSpec(elsewhere.graphText(host.name), host, withHeader("%%", source, mermaid)),
    fileSpec(path, host, { text, digest: drawnFrom }),
  ];
}

function terraformModules(
  host: Host,
  graph: Graph,
  files: readonly FileSpec[],
): readonly TerraformModule[] {
  const digests = new Map(files.map(({ path, digest }) => [path, digest]));
  const moduleOf = new Map(host.units.map(({ fullName, module }) => [fullName, module.name]));
  const needs = new Map<string, Set<string>>();
  for (const { from, to } of graph.edges) {
    const [dependent, dependency] = [moduleOf.get(from), moduleOf.get(to)];
    if (dependent === undefined || dependency === undefined || dependent === dependency) continue;
    needs.set(dependent, (needs.get(dependent) ?? new Set()).add(dependency));
  }
  return host.modules.map(({ name, files: parts }) => ({
    name,
    digest: digestOf(parts.map((path) => digests.get(path)).join("\n")),
    dependsOn: [...(needs.get(name) ?? [])],
  }));
}

function mermaidContext(graph: Graph): Readonly<Record<string, readonly JsonObject[]>> {
  // Dots and dashes in an id are read as parts of an arrow by some versions of Mermaid.
  const name = (id: string): string => id.replaceAll(/[^A-Za-z0-9]/g, "_");
  return {
    nodes: graph.nodes.map(({ id, label }) => ({ id: name(id), label })),
    edges: graph.edges.map(({ from, to, strong }) => ({
      from: name(from),
      to: name(to),
      arrow: strong ? "-->" : "-.->",
    })),
  };
}

function fileSpec(path: string, host: Host, { text, digest }: Rendered): FileSpec {
  return { path, source: host.node.path, content: text, digest };
}
