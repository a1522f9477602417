import * as z from "zod";

/**
 * The desired state: all that crosses from the generator to the host. One file is one piece, which
 * one systemd unit makes true: an ordered list of resources, each of which is observed, prepared,
 * applied and verified in its turn.
 */

/** Raised when a reader of the old shape would misread the new one. */
export const desiredStateVersion = 1;

/** The swarm config whose presence says that we deployed a stack; an empty name is never used. */
export function ownershipConfig(stack: string): string {
  return `${stack}_cc-ci`;
}

/**
 * How long names may be, in characters. Docker Swarm takes 64 for a secret or config and 63 for a
 * service. abra cuts the name of a stack after 45, as far as is known, and what it deployed under
 * another name would never be found; a name within 45 is the same to an abra that does not cut.
 */
export const nameLimits = { secret: 64, stack: 45 } as const;

/** Hex digits of a digest that make the version of a secret, or of what is laid over a recipe. */
export const versionDigits = 12;

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?$/i);
const slotName = z.string().regex(/^[a-z][a-z0-9-]*$/);
const absolutePath = z.string().startsWith("/");
const seconds = z.int().min(0);
const label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const domain = z.string().regex(new RegExp(`^${label}(?:\\.${label})+$`));
const address = z.ipv4();
const subnet = z.cidrv4();

/**
 * A value that only Nix knows (handed over as `--slot name=value`) or only the host (a secret's
 * version). In `.env` text it is written `@slot:<name>@`. One that nobody fills is exit 1.
 */
const slot = z.strictObject({ slot: slotName });
const slotted = <Value extends z.ZodType>(value: Value) => z.union([value, slot]);

/** The swarm of this node. Pools can be set only when it is made. */
const swarm = z.strictObject({
  kind: z.literal("swarm"),
  advertiseAddress: address,
  listenAddress: address,
  /** Pools that Docker takes overlay subnets from, and the prefix length of each subnet. */
  addressPools: z.array(subnet).min(1),
  subnetSize: z.int().min(16).max(29),
  /** Life of the nodes' certificates, converged. */
  nodeCertificateSeconds: seconds,
  /** How long a state of `pending` is waited for. */
  waitSeconds: seconds,
});

/** An overlay network. A difference is a refusal, for a network in use cannot be changed. */
const network = z.strictObject({
  kind: z.literal("network"),
  name,
  driver: z.literal("overlay"),
  attachable: z.boolean(),
  internal: z.boolean(),
  subnet,
  /** Driver options by name. */
  options: z.record(z.string(), z.string()),
  waitSeconds: seconds,
});

/** What the content of a host file must be, beyond being there. */
const demand = z.discriminatedUnion("format", [
  /** Any bytes, this many or more, and fewer than the 512,000 that a swarm secret may have. */
  z.strictObject({ format: z.literal("opaque"), minBytes: z.int().min(1) }),
  /**
   * One line of the characters that tokens are made of, with or without its line break: what programs
   * read that would take quotes, blanks and the like for their own syntax.
   */
  z.strictObject({ format: z.literal("token"), minBytes: z.int().min(1) }),
  /** A PEM chain: valid now, covering each name, and matching the key in `keyFile`. */
  z.strictObject({
    format: z.literal("certificate-chain"),
    covers: z.array(z.string()).min(1),
    keyFile: absolutePath,
    /** A warning is logged when fewer days than this are left. */
    warnBelowDays: z.int().min(0),
    /** How long a pair that is being replaced may disagree. */
    pairSeconds: seconds,
  }),
  /** A PEM private key without a passphrase. */
  z.strictObject({ format: z.literal("private-key") }),
  /** The `config.json` of a Docker client, with an `auths` member. */
  z.strictObject({ format: z.literal("docker-config") }),
]);

/** A file on the host, outside of git and of the Nix store; inside a git work tree it is refused. */
const hostFile = z.strictObject({
  kind: z.literal("host-file"),
  path: absolutePath,
  /** What it is for, as the error names it. */
  purpose: z.string(),
  /** How an operator gets it. */
  remedy: z.string(),
  /** Where it comes from: a person or program puts it there, or the host makes it when absent. */
  origin: z.discriminatedUnion("by", [
    z.strictObject({ by: z.literal("operator") }),
    z.strictObject({
      by: z.literal("host"),
      randomBytes: z.int().min(16),
      /** A stack whose volumes nobody can read without it: as long as there are some, none is made. */
      opens: name.optional(),
    }),
  ]),
  demand,
});

/**
 * A swarm secret `<stack>_<name>_<version>`, made from a host file. Its version is digits of a
 * SHA-256, and fills the slot that `version` names.
 */
const secret = z.strictObject({
  kind: z.literal("secret"),
  stack: name,
  name,
  file: absolutePath,
  version: slot,
  /** What is hashed: the bytes of another file (pairs rotate together), or name and content. */
  versionOf: z.discriminatedUnion("what", [
    z.strictObject({ what: z.literal("file"), path: absolutePath }),
    z.strictObject({ what: z.literal("name-and-content") }),
  ]),
});

const commit = z.string().regex(/^[0-9a-f]{40}$/);

/**
 * Which state of a recipe: a release, whose tag must lead to the commit where one is given, or a
 * commit alone. A release may lack its `+upstream` part: exactly one tag must match.
 */
const revision = z.union([
  z.strictObject({
    release: z.string().regex(/^\d+\.\d+\.\d+(?:\+[0-9A-Za-z._-]+)?$/),
    commit: commit.optional(),
  }),
  z.strictObject({ commit }),
]);

/** A file beside the recipe's own ones, none of which is in a folder. */
const recipeFile = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i);

/**
 * A clean clone of a recipe at its pinned state. Fills the slot that `version` names: with the full
 * tag of the release, or with the first 8 digits of the commit.
 */
const checkout = z.strictObject({
  kind: z.literal("checkout"),
  recipe: name,
  repository: z.url(),
  directory: absolutePath,
  revision,
  version: slot,
  fetchSeconds: seconds,
  /** Files of ours that are laid over the recipe's. Fills the slot of their version, from their digest. */
  overlay: z
    .strictObject({
      version: slot,
      /** Each with the file to read it from. */
      files: z.array(z.strictObject({ file: recipeFile, content: slotted(absolutePath) })).min(1),
    })
    .optional(),
  /**
   * Variables whose names the recipe alone knows: those that carry the version of a secret in these
   * compose files of it. The slot of each secret is filled with the name of its variable.
   */
  secretVariables: z
    .strictObject({ composeFiles: z.array(recipeFile).min(1), slots: z.record(name, slot) })
    .optional(),
});

/** The `.env` of an app, written whole; `content` is the text with its slots. */
const env = z.strictObject({
  kind: z.literal("env"),
  path: absolutePath,
  /** The file to read the text from. */
  content: slotted(absolutePath),
});

/** A stack that abra deploys. */
const stack = z.strictObject({
  kind: z.literal("stack"),
  stack: name,
  domain,
  recipe: name,
  /** The release or commit that is deployed. */
  version: slotted(z.string()),
  /** Whether the checkout is deployed as it lies, without a release: at a commit, or with an overlay. */
  chaos: z.boolean(),
  /** The state folder of this app alone. */
  abraDirectory: absolutePath,
  /** Files of the checkout that make the stack, in the order in which they are merged. */
  composeFiles: z.array(z.string()).min(1),
  networks: z.array(name),
  /** The `config.json` of a Docker client to pull with; null when everything is public. */
  registryCredentials: absolutePath.nullable(),
  /** For pulling the images, by their tags: one without a tag may be pruned before it is used. */
  pullSeconds: seconds,
  deploySeconds: seconds,
  /** How long a task must have run to count as stable. */
  stableSeconds: seconds,
});

/** A stack that Docker deploys from a compose file of ours, with an image that comes with the host. */
const dockerStack = z.strictObject({
  kind: z.literal("docker-stack"),
  stack: name,
  /** The file to read it from; the slots in its text are filled. */
  composeFile: slotted(absolutePath),
  image: z.strictObject({
    /** Name and tag, which no registry answers for; another content has another tag. */
    reference: slotted(z.string()),
    /** A program that has Docker load it. */
    loader: slotted(absolutePath),
  }),
  /** Folders of this host that it is shown, which the unit makes; and files, which must be there. */
  folders: z.array(absolutePath),
  files: z.array(absolutePath),
  loadSeconds: seconds,
  deploySeconds: seconds,
  /** How long a task must have run to count as stable. */
  stableSeconds: seconds,
});

/** HTTPS as a client sees it: by host name, through the published port. */
const servedCertificate = z.strictObject({
  kind: z.literal("served-certificate"),
  serverName: domain,
  address,
  port: z.int().min(1).max(65535),
  /**
   * The certificate whose SHA-256 fingerprint must be served; null where any will do that is valid for
   * the name: an app is not at fault when the proxy goes on serving an older pair, expired or not.
   */
  file: absolutePath.nullable(),
  /**
   * Path of a page that the app itself must answer: with any status but 404, 502, 503 and 504, which
   * the proxy answers for an app that is not there. Null where nothing is asked for.
   */
  path: z.string().startsWith("/").nullable(),
  waitSeconds: seconds,
});

/** What is labelled as ours and no piece names: undeployed in reverse order, volumes kept. */
const retired = z.strictObject({
  kind: z.literal("retired"),
  /**
   * host: all that belonged to a piece that is gone, networks included. piece: what this piece had
   * under another name; it goes only where nothing refuses what takes its place.
   */
  of: z.enum(["host", "piece"]),
  piecesFile: absolutePath,
  /** Below which each app has its state folder, which abra needs to undeploy it. */
  abraDirectories: absolutePath,
  /** For one pass; what is left goes in the next one. */
  waitSeconds: seconds,
});

/** Owner and name of a repository on the forge. */
const repositorySlug = z.string().regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/);
const httpsAddress = z.url({ protocol: /^https$/ });
const login = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,49}$/);

/**
 * An account of Drone, with the token that lies in a file. What is of a person has a login on the forge
 * behind it: made with the password where there is one, else owed by a person.
 */
const droneAccount = z.strictObject({
  kind: z.literal("drone-account"),
  server: httpsAddress,
  login,
  tokenFile: absolutePath,
  account: z.discriminatedUnion("role", [
    /**
     * The server makes it with the token when it starts, and says the token in its log: so it is changed
     * once the account is there. `secret` names the swarm secret that the server gets it by.
     */
    z.strictObject({
      role: z.literal("owner"),
      secret: z.strictObject({ stack: name, name }),
      passwordFile: absolutePath.nullable(),
    }),
    /** Starts builds: may write to the repository. */
    z.strictObject({
      role: z.literal("starter"),
      ownerTokenFile: absolutePath,
      passwordFile: absolutePath.nullable(),
    }),
    /** Reads `/metrics`; no person's. */
    z.strictObject({ role: z.literal("metrics"), ownerTokenFile: absolutePath }),
  ]),
  /** The forge, and the repository there that the account is for. */
  forge: httpsAddress,
  repository: repositorySlug,
  /** How long an answer of Drone is waited for. */
  waitSeconds: seconds,
});

/** The CI repository in Drone, and no hook of Drone's on the forge. */
const droneRepository = z.strictObject({
  kind: z.literal("drone-repository"),
  server: httpsAddress,
  ownerTokenFile: absolutePath,
  forge: httpsAddress,
  /** Of who is admin of the repository there. */
  forgeTokenFile: absolutePath,
  repository: repositorySlug,
  /** As Drone's API spells them; the timeout is in minutes. */
  settings: z.strictObject({
    config_path: z.string(),
    timeout: z.int().min(1),
    visibility: z.enum(["public", "internal", "private"]),
    trusted: z.boolean(),
    protected: z.boolean(),
    ignore_forks: z.boolean(),
    ignore_pull_requests: z.boolean(),
  }),
  waitSeconds: seconds,
});

const serviceUnit = z.string().regex(/^[A-Za-z0-9:_.@-]+\.service$/);

/**
 * A long-running service of ours that no switch restarts, for it may be in the middle of something: it is
 * told to end, which it does when it is done, and starts anew.
 */
const drainedService = z.strictObject({
  kind: z.literal("drained-service"),
  unit: serviceUnit,
  /** Stands in the command line of a process that was started with these settings. */
  settings: z.string().regex(/^[0-9a-f]{12}$/),
  /** So does this: the store path of its program. */
  program: slotted(absolutePath),
  /** What it reads when it starts: a later change of one has it start anew. */
  files: z.array(absolutePath),
  waitSeconds: seconds,
});

/** The secret by which Drone's server is to let runners in. */
const runnerSecret = z.strictObject({
  kind: z.literal("runner-secret"),
  server: httpsAddress,
  file: absolutePath,
});

/** Builds that go on in Drone, and nowhere else; and runs that go on, and in Drone no more. */
const droneBuilds = z.strictObject({
  kind: z.literal("drone-builds"),
  server: httpsAddress,
  ownerTokenFile: absolutePath,
  forge: httpsAddress,
  repository: repositorySlug,
  /** The service that takes builds, and the name by which Drone knows it. */
  runner: z.strictObject({ unit: serviceUnit, name: z.string() }),
  /** How long the two may disagree: what ends is told from one to the other. */
  graceSeconds: seconds,
  waitSeconds: seconds,
});

const resourceSchema = z.discriminatedUnion("kind", [
  swarm,
  network,
  hostFile,
  secret,
  checkout,
  env,
  stack,
  dockerStack,
  servedCertificate,
  retired,
  droneAccount,
  droneRepository,
  runnerSecret,
  drainedService,
  droneBuilds,
]);

export type Resource = z.infer<typeof resourceSchema>;
type ResourceKind = Resource["kind"];
export type ResourceOf<Kind extends ResourceKind> = Extract<Resource, { kind: Kind }>;

/** One piece: the file that one unit makes true. */
export const desiredStateSchema = z.strictObject({
  /** The header of a generated file; no digest counts it. */
  "//": z.string().optional(),
  version: z.literal(desiredStateVersion),
  host: name,
  piece: name,
  resources: z.array(resourceSchema).min(1),
});

export type DesiredState = z.infer<typeof desiredStateSchema>;

/** The piece as plan, status and retire see it without opening its file. */
const piece = z.strictObject({
  name,
  unit: z.string().endsWith(".service"),
  /** The piece's file in the store. */
  file: slotted(absolutePath),
  /** The slots that Nix fills, each with its value. */
  slots: z.record(slotName, slotted(z.string())),
  stacks: z.array(name),
  networks: z.array(name),
  /** Names of swarm secrets without their version. */
  secrets: z.array(name),
});

/** All pieces of a host, in an order in which each comes after what it depends on. */
export const pieceListSchema = z.strictObject({
  "//": z.string().optional(),
  version: z.literal(desiredStateVersion),
  host: name,
  pieces: z.array(piece),
});

export type PieceList = z.infer<typeof pieceListSchema>;
export type Piece = PieceList["pieces"][number];
