import * as z from "zod";
import { digestOf } from "./digest.ts";
import { userError } from "./errors.ts";
import { type FileSpec, isRelativePath } from "./file-spec.ts";
import { jsonWithHeader } from "./header.ts";
import type { JsonObject } from "./json.ts";

/** Where the manifest lies, below the root of the checkout. */
export const manifestPath = "out/manifest.json";

const manifestSchema = z.strictObject({
  "//": z.string().optional(),
  version: z.literal(1),
  files: z.record(z.string(), z.strictObject({ digest: z.string(), source: z.string() })),
  facts: z.record(z.string(), z.json()),
});

/**
 * What the last synth wrote: each file with the digest of its bytes, header included, and the
 * construct it came from; beside them what a later comparison wants to know and no file says.
 */
export type Manifest = z.infer<typeof manifestSchema>;

/** The manifest of these files, as a file of its own. */
export function manifestFile(files: readonly FileSpec[], facts: JsonObject): FileSpec {
  const entries = files.map(
    ({ path, source, content }) => [path, { digest: digestOf(content), source }] as const,
  );
  const { text, digest } = jsonWithHeader("the tree of constructs", {
    version: 1,
    files: Object.fromEntries(entries),
    facts,
  });
  return { path: manifestPath, source: "the tree of constructs", content: text, digest };
}

/**
 * Reads a manifest, which is outside data like any other: it must parse, and each path in it must
 * lie where generated files may lie. Throws a UserError otherwise.
 */
export function parseManifest(text: string, mayLieAt: (path: string) => boolean): Manifest {
  const remedy = "restore it from git, or delete it and run 'npm run synth'";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw userError(manifestPath, `is no JSON (a merge conflict?): ${remedy}`);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join(".") || "(top level)";
    throw userError(manifestPath, `${path}: ${issue?.message ?? "is not a manifest"}: ${remedy}`);
  }
  const outside = Object.keys(parsed.data.files).filter(
    (path) => !isRelativePath(path) || !mayLieAt(path),
  );
  if (outside.length > 0) {
    throw userError(
      manifestPath,
      `names ${outside.map((path) => JSON.stringify(path)).join(", ")}, where nothing is generated: ${remedy}`,
    );
  }
  return parsed.data;
}
