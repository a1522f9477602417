import * as z from "zod";

/**
 * What converge reads from the Engine API. Loose: an answer has far more members, and may get others
 * in later versions. Lists that are empty come as null.
 */

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const listOf = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const version = z.object({ Index: z.int() });

export const infoSchema = z.object({
  ServerVersion: text,
  Swarm: z.object({
    /** An answer without a state is one of a daemon that cannot tell. */
    LocalNodeState: text,
    ControlAvailable: z.boolean().default(false),
    Error: text,
    NodeID: text,
    NodeAddr: text,
    Cluster: z.object({ ID: text }).nullish(),
  }),
});
export type Info = z.infer<typeof infoSchema>;

/** An image that has no name any more has none there. */
export const imageSchema = z.object({ RepoTags: listOf(z.string()) });

export const versionSchema = z.object({ Version: z.string(), MinAPIVersion: text });

export const clusterSchema = z.object({
  ID: z.string(),
  Version: version,
  DefaultAddrPool: listOf(z.string()),
  SubnetSize: z.int().optional(),
  /** Sent back as it came, with one member changed. */
  Spec: z.looseObject({
    CAConfig: z.looseObject({
      /** Nanoseconds. */
      NodeCertExpiry: z.number(),
    }),
  }),
});
export type Cluster = z.infer<typeof clusterSchema>;

export const nodeSchema = z.object({
  ID: z.string(),
  Spec: z.object({ Availability: text }),
  Status: z.object({ State: text }),
});
export type Node = z.infer<typeof nodeSchema>;

export const networkSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Scope: z.string(),
  Attachable: z.boolean().default(false),
  Internal: z.boolean().default(false),
  Ingress: z.boolean().default(false),
  IPAM: z
    .object({ Config: listOf(z.object({ Subnet: text })) })
    .nullish()
    .transform((value) => value ?? { Config: [] }),
  Options: labels,
  Labels: labels,
});
export type Network = z.infer<typeof networkSchema>;

/** Swarm secrets and configs alike; of what they hold only their labels can be changed. */
export const sealedFileSchema = z.object({
  ID: z.string(),
  Version: version,
  CreatedAt: text,
  /** RFC 3339; of the last change of labels. */
  UpdatedAt: text,
  /** Sent back as it came, with labels changed. */
  Spec: z.looseObject({ Name: z.string(), Labels: labels }),
});
export type SealedFile = z.infer<typeof sealedFileSchema>;

const portSchema = z.object({
  Protocol: text,
  PublishedPort: z.int().default(0),
  PublishMode: text,
});

/** What a task is made from, of which a task's own copy is compared with the service's. */
const containerSchema = z.looseObject({
  Image: text,
  Env: listOf(z.string()),
  Labels: labels,
  Secrets: listOf(z.looseObject({ SecretName: text })),
  Configs: listOf(z.looseObject({ ConfigName: text })),
});

export const serviceSchema = z.object({
  ID: z.string(),
  Version: version,
  /** Sent back as it came, with labels changed; its digest is half of the seal. */
  Spec: z.looseObject({
    Name: z.string(),
    Labels: labels,
    TaskTemplate: z.looseObject({
      ContainerSpec: containerSchema.optional(),
      Networks: listOf(z.looseObject({ Target: text })),
    }),
    Mode: z.looseObject({
      Replicated: z.object({ Replicas: z.int().optional() }).optional(),
      Global: z.object({}).optional(),
    }),
  }),
  Endpoint: z.object({ Ports: listOf(portSchema) }).nullish(),
  UpdateStatus: z.object({ State: text, Message: text, StartedAt: text }).nullish(),
});
export type Service = z.infer<typeof serviceSchema>;

export const taskSchema = z.object({
  ID: z.string(),
  ServiceID: text,
  Slot: z.int().optional(),
  DesiredState: text,
  CreatedAt: text,
  Spec: z.looseObject({ ContainerSpec: containerSchema.optional() }),
  Status: z.object({
    State: text,
    Message: text,
    Err: text,
    /** When it came into this state. */
    Timestamp: text,
    ContainerStatus: z.object({ ContainerID: text, ExitCode: z.int().optional() }).nullish(),
  }),
});
export type Task = z.infer<typeof taskSchema>;

export const containerListSchema = z.array(
  z.object({
    Id: z.string(),
    Names: listOf(z.string()),
    Labels: labels,
    Ports: listOf(z.object({ PublicPort: z.int().optional(), Type: text })),
  }),
);
export type Container = z.infer<typeof containerListSchema>[number];

export const containerStateSchema = z.object({
  /** RFC 3339; FinishedAt is the year 1 for one that never ran. */
  State: z.object({ Running: z.boolean(), FinishedAt: z.string() }),
});
export type ContainerState = z.infer<typeof containerStateSchema>["State"];

export const volumeListSchema = z.object({
  Volumes: listOf(z.object({ Name: z.string(), Labels: labels })),
});
