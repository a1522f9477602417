import * as z from "zod";

const names = z.array(z.string()).readonly();

const modelServiceSchema = z.object({
  /** As the recipe has it; in the swarm it is `<stack>_<name>`. */
  name: z.string(),
  image: z.string(),
  /** Undefined where the swarm's nodes say how many. */
  replicas: z.number().optional(),
  /** Those of the service itself, not of its containers. */
  labels: z.record(z.string(), z.string()),
  /** Names in the swarm, sorted. */
  secrets: names,
  configs: names,
  networks: names,
  /** Those that the proxy or an app takes on this machine. */
  ports: z.array(z.object({ port: z.number(), protocol: z.string() })).readonly(),
});

/** What the recipe's files come to: the part of it that is compared with what Docker has. */
export const stackModelSchema = z.object({
  services: z.array(modelServiceSchema).readonly(),
  /** What must be there before a deploy, by its name in the swarm. */
  external: z.object({ secrets: names, networks: names }),
});

export type ModelService = Readonly<z.infer<typeof modelServiceSchema>>;
export type PublishedPort = ModelService["ports"][number];
export type StackModel = Readonly<z.infer<typeof stackModelSchema>>;
