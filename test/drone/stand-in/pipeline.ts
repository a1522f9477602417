import { parseAllDocuments } from "yaml";
import * as z from "zod";

/** A name, several, or what is in and what is out; `*` stands for anything. */
const condition = z
  .union([
    z.string().transform((one) => ({ include: [one], exclude: [] as string[] })),
    z.array(z.string()).transform((include) => ({ include, exclude: [] as string[] })),
    z.strictObject({
      include: z.array(z.string()).default([]),
      exclude: z.array(z.string()).default([]),
    }),
  ])
  .default({ include: [], exclude: [] });

export type Condition = z.output<typeof condition>;

/**
 * What the stand-ins know of a pipeline. Whatever else there is to Drone's, they refuse, so that no
 * test is green because a key was passed over.
 */
const pipelineSchema = z.strictObject({
  kind: z.literal("pipeline"),
  type: z.string().default("docker"),
  name: z.string().default("default"),
  platform: z
    .strictObject({ os: z.string().default("linux"), arch: z.string().default("amd64") })
    .default({ os: "linux", arch: "amd64" }),
  node: z.record(z.string(), z.string()).default({}),
  clone: z.strictObject({ disable: z.boolean().default(false) }).default({ disable: false }),
  trigger: z.strictObject({ event: condition, branch: condition, repo: condition }).default({
    event: { include: [], exclude: [] },
    branch: { include: [], exclude: [] },
    repo: { include: [], exclude: [] },
  }),
  steps: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        commands: z.array(z.string()),
        environment: z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
          .default({}),
        when: z
          .strictObject({ status: condition })
          .default({ status: { include: [], exclude: [] } }),
      }),
    )
    .default([]),
});

export type Pipeline = z.output<typeof pipelineSchema>;

/** @throws {Error} for what is no YAML, and for what the stand-ins do not know */
export function pipelinesIn(text: string): readonly Pipeline[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`yaml: ${error.message.split("\n")[0]}`);
    const parsed = pipelineSchema.safeParse(document.toJS());
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`yaml: stand-in: ${issue?.path.join(".")}: ${issue?.message}`);
  });
}

export function fits({ include, exclude }: Condition, value: string): boolean {
  if (exclude.some((pattern) => matches(pattern, value))) return false;
  return include.length === 0 || include.some((pattern) => matches(pattern, value));
}

/** Whether a value is what a pattern means, in which `*` stands for anything but a slash. */
export function matches(pattern: string, value: string): boolean {
  const source = pattern.replaceAll(/[.+^${}()|[\]\\?]/g, "\\$&").replaceAll("*", "[^/]*");
  return new RegExp(`^${source}$`).test(value);
}
