import { RootConstruct } from "constructs";
import { collect } from "./core/collect.ts";
import { digestOf } from "./core/digest.ts";
import type { FileSpec } from "./core/file-spec.ts";
import type { Graph } from "./core/graph.ts";
import { type CommentStyle, jsonWithHeader, withHeader } from "./core/header.ts";
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

/**
 * Every generated file of the tree, the manifest last. Pure: the same tree gives the same bytes.
 * Throws one UserError with all that is wrong in the tree.
 */
export async function synthesize(app: CcCi, templates: Templates): Promise<readonly FileSpec[]> {
  const collected = collect(app, templates);
  const views = await Promise.all(app.hosts.map((host) => viewsOf(host, collected, templates)));
  const files = [...collected, ...views.flat()];
  const facts = Object.fromEntries(app.hosts.map((host) => [host.name, hostFacts(host)]));
  return [...files, manifestFile(files, facts)];
}

/** The views of a host that are made of its finished files and its unit graph. */
async function viewsOf(
  host: Host,
  files: readonly FileSpec[],
  templates: Templates,
): Promise<readonly FileSpec[]> {
  // Both are heavy to load, and `--help` needs neither.
  const [{ terraformStack }, { graphPicture }] = await Promise.all([
    import("./terraform/stack.ts"),
    import("./core/graph-picture.ts"),
  ]);
  const graph = host.graph();
  const source = host.node.path;
  const terraform = terraformStack(host.name, terraformModules(host, graph, files));
  const mermaid = templates.render("docs/graph.mmd", mermaidContext(graph));
  const picture = await graphPicture(graph, `Units of ${host.name}`);
  return [
    fileSpec(`${host.folder}/cdk.tf.json`, source, jsonWithHeader(source, terraform)),
    commented(elsewhere.graphText(host.name), "%%", source, mermaid),
    commented(elsewhere.graphPicture(host.name), "<!--", source, picture),
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

function commented(path: string, style: CommentStyle, source: string, content: string): FileSpec {
  return fileSpec(path, source, withHeader(style, source, content));
}

function fileSpec(
  path: string,
  source: string,
  { text, digest }: { readonly text: string; readonly digest: string },
): FileSpec {
  return { path, source, content: text, digest };
}
