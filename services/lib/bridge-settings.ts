import * as z from "zod";

/**
 * What the bridge is set to: written by the generator, read by the bridge when it starts. It holds no secret;
 * those are files, at the places below.
 */

/** Where the bridge finds what is not its own, in its container. */
export const bridgePlaces = {
  settings: "/etc/cc-ci/bridge.json",
  /** A volume of its own. */
  database: "/data/bridge.sqlite",
  /** The runs of the host, to be read. */
  runs: "/runs",
  /** What the operator says to it; a file `stop` there ends the taking of tests. */
  control: "/control",
  secrets: {
    forgeToken: "/run/secrets/forge_token",
    droneToken: "/run/secrets/drone_token",
    webhookKey: "/run/secrets/webhook_key",
    previousWebhookKey: "/run/secrets/previous_webhook_key",
  },
} as const;

/** Raised when a reader of the old shape would misread the new one. */
export const bridgeSettingsVersion = 1;

const address = z.url({ protocol: /^https?$/ });
const login = z.string().min(1).max(255);
const repository = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*$/);
const count = z.int().min(1);
const seconds = z.int().min(1);

export const bridgeSettingsSchema = z.strictObject({
  /** The header of a generated file. */
  "//": z.string().optional(),
  version: z.literal(bridgeSettingsVersion),
  /** The ports that it listens on: for the proxy, and for who reads metrics. */
  listen: z.strictObject({
    port: z.int().min(0).max(65535),
    metricsPort: z.int().min(0).max(65535),
  }),
  /** How it learns of comments: it asks, or it is told and asks seldom. */
  mode: z.enum(["poll", "webhook"]),
  forge: z.strictObject({
    server: address,
    /** Who may ask for tests: its members. */
    organisation: login,
    /** The number of a team of it, whose members alone may; null for all members. */
    team: z.int().min(1).nullable(),
    /** Who alone may, of those; empty for all of them. */
    only: z.array(login),
    /** Other programs' accounts, whose comments are no commands. */
    ignore: z.array(login),
  }),
  /** Recipes, each with its repository on the forge. */
  recipes: z.array(z.strictObject({ recipe: z.string(), repository })),
  /** Pull requests from a fork: none, those whose commit was named in full, or all. */
  forks: z.enum(["refused", "with-commit", "accepted"]),
  drone: z.strictObject({
    server: address,
    /** The CI repository, and the branch whose pipeline builds have. */
    repository,
    branch: z.string(),
    /** How long after a start that was not answered there may still come a build of it. */
    answerSeconds: seconds,
    /** Between two looks at builds that go on. */
    lookSeconds: seconds,
  }),
  /** Where the dashboard is; null as long as there is none. */
  dashboard: address.nullable(),
  /** Whether everybody may see what a build prints, and so the end of it where it failed. */
  isLogPublic: z.boolean(),
  /** Between two looks at the forge in mode poll. */
  pollSeconds: seconds,
  /** Between two looks that go back further, in both modes. */
  sweepSeconds: seconds,
  limits: z.strictObject({
    /** Tests that one person may ask for within an hour. */
    perPersonAndHour: count,
    /** And for one pull request. */
    perPullAndHour: count,
    /** Tests that were asked for and have not ended, over all recipes. */
    waiting: count,
  }),
  /** How long a build may take that has begun, before the bridge ends it: longer than a run takes by itself. */
  buildSeconds: seconds,
  /** And how long it may wait for its turn. */
  queueSeconds: seconds,
});

export type BridgeSettings = Readonly<z.infer<typeof bridgeSettingsSchema>>;
