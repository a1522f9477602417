import * as z from "zod";
import { hostLabelPattern } from "../nixos/names.ts";

/**
 * The shape of `cc-ci.yaml`. What a key means stands here once: the errors, the JSON schema for
 * editors and `docs/configuration.md` are made of it. Rules that need more than one value to be
 * judged live in the constructs, so that they hold for a tree built in TypeScript too.
 */

const text = z.string();

/** The name of a host or an app: a label of a host name (RFC 1123), since units and folders carry it. */
const label = text
  .regex(hostLabelPattern)
  .refine(
    (name) => !(name in {}),
    "cannot be a name: it is a word of JavaScript's own, choose another",
  );

const recipeKeys = {
  release: text
    .optional()
    .describe(
      "Release of the recipe. The `+upstream` part may be left out; exactly one tag must match.",
    )
    .meta({ examples: ["5.1.1", "5.1.1+v3.6.15"] }),
  commit: text
    .optional()
    .describe(
      "Commit of the recipe, all 40 digits: what the release's tag must lead to, or instead of one.",
    )
    .meta({ examples: ["0123456789abcdef0123456789abcdef01234567"] }),
  repository: text
    .optional()
    .describe(
      "Where the recipe is cloned from, over https. Default: the public recipe of that name.",
    )
    .meta({ examples: ["https://git.example.org/recipes/wiki.git"] }),
  pullSeconds: z
    .int()
    .optional()
    .describe("How long its images may take to be pulled, in seconds. Default: `900`."),
  deploySeconds: z
    .int()
    .optional()
    .describe(
      "How long a deploy may take until all tasks are healthy, in seconds. Default: `300`.",
    ),
};

/** One of the two or both: said to zod and to the JSON schema. */
const someState = { anyOf: [{ required: ["release"] }, { required: ["commit"] }] };

function requireState(
  value: { release?: string | undefined; commit?: string | undefined },
  context: z.RefinementCtx,
): void {
  if (value.release === undefined && value.commit === undefined) {
    context.addIssue({
      code: "custom",
      message: "needs release or commit: say which state of the recipe to deploy",
    });
  }
}

const env = z
  .record(text, text)
  .optional()
  .describe(
    "Further variables of the recipe's `.env`. No secrets: the app's container shows every one of them.",
  )
  .meta({ examples: [{ LOG_LEVEL: "INFO" }] });

const certificate = z
  .strictObject({
    certificate: text
      .describe(
        "Absolute path on the host of the PEM chain for `*.<domain>`, the host's own certificate first.",
      )
      .meta({ examples: ["/var/lib/ci-certs/live/fullchain.pem"] }),
    key: text
      .describe("Absolute path on the host of its private key.")
      .meta({ examples: ["/var/lib/ci-certs/live/privkey.pem"] }),
    waitFor: z
      .array(text)
      .optional()
      .describe(
        "Units that put the two files there, by their full names, as sops-nix or agenix bring them.",
      )
      .meta({ examples: [["sops-install-secrets.service"]] }),
    watch: z
      .array(text)
      .optional()
      .describe(
        "Further absolute paths whose change means a renewal: the folder in which a link lies that is switched. The folders of the two files are watched, and the ones above these, but for such as `/run`.",
      )
      .meta({ examples: [["/var/lib/acme"]] }),
  })
  .describe("The wildcard certificate that everything is served with. Paths only, never contents.");

const swarm = z
  .strictObject({
    advertiseAddress: text
      .optional()
      .describe(
        "IPv4 address that this node is reached at. Default: `127.0.0.1`, right for one node.",
      ),
    listenAddress: text
      .optional()
      .describe("IPv4 address that the swarm listens on. Default: the advertised one."),
    addressPools: z
      .array(text)
      .optional()
      .describe(
        "Subnets that the networks of stacks are cut from; set when the swarm is made, for good. Default: `10.64.0.0/12`.",
      )
      .meta({ examples: [["10.64.0.0/12"]] }),
    subnetSize: z
      .int()
      .optional()
      .describe("Prefix length of each network that is cut from the pools. Default: `24`."),
    proxySubnet: text
      .optional()
      .describe(
        "Addresses of the `proxy` network, outside of the pools. Default: `10.80.0.0/16`; a /24 runs out on a busy host.",
      ),
    nodeCertificateDays: z
      .int()
      .optional()
      .describe("Life of the nodes' certificates in days. Default: `90`."),
  })
  .optional()
  .describe("The Docker swarm of this one node.");

const docker = z
  .strictObject({
    registryMirrors: z
      .array(text)
      .optional()
      .describe(
        "Pull-through mirrors of Docker Hub, asked before it. Pull limits stop such hosts in practice.",
      )
      .meta({ examples: [["https://mirror.example.org"]] }),
    registryCredentials: text
      .optional()
      .describe(
        "Absolute path on the host of the `config.json` of a Docker client to pull images with.",
      )
      .meta({ examples: ["/var/lib/ci-secrets/docker-config.json"] }),
    logMaxMiB: z
      .int()
      .positive()
      .optional()
      .describe("Size at which a container's log is rotated, in MiB. Default: `10`."),
    logFiles: z
      .int()
      .positive()
      .optional()
      .describe("How many log files a container keeps. Default: `3`."),
    pruneOnCalendar: text
      .optional()
      .describe(
        "When untagged images that no container uses are removed, as systemd's `OnCalendar`. Default: `weekly`.",
      ),
  })
  .optional()
  .describe("The Docker daemon.");

const runs = z
  .strictObject({
    maxTests: z
      .int()
      .optional()
      .describe(
        "How many tests run at once, and builds in Drone; further ones wait. From 1 to 32; each may use 2 GiB of memory, what it deploys not counted. Default: `2`.",
      ),
    timeoutMinutes: z
      .int()
      .optional()
      .describe(
        "How long a test may take before it is ended, in minutes, its teardown not counted. Default: `60`.",
      ),
    keepDays: z
      .int()
      .optional()
      .describe(
        "For how long results, logs and artefacts are kept, in days; the newest 20 stay. Default: `30`.",
      ),
    keepRuns: z
      .int()
      .optional()
      .describe("Of how many runs they are kept; the oldest go first. Default: `500`."),
    keepGiB: z
      .int()
      .optional()
      .describe(
        "How much of them is kept, in GiB; logs and artefacts of the oldest go first. Default: `5`.",
      ),
  })
  .optional()
  .describe(
    "Test runs: with this section the host takes some, even if it is empty (`{}`); with `drone` it does without it too.",
  );

const traefik = z
  .strictObject({
    ...recipeKeys,
    domain: text
      .optional()
      .describe("Where Traefik itself answers. Default: `traefik.` and the host's domain."),
    publish: z
      .enum(["host", "ingress"])
      .optional()
      .describe(
        "How ports 80 and 443 are published: `host` keeps the addresses of clients and has a short gap at each redeploy, `ingress` neither. Default: `host`.",
      ),
    env,
  })
  .superRefine(requireState)
  .describe("The proxy in front of every app, by the recipe `traefik` in wildcard mode.")
  .meta(someState);

const app = z
  .strictObject({
    recipe: text.describe("Name of the recipe.").meta({ examples: ["wiki"] }),
    ...recipeKeys,
    domain: text
      .describe("Where it is served: one label under the host's domain.")
      .meta({ examples: ["wiki.ci.example.org"] }),
    env,
    composeFiles: z
      .array(text)
      .optional()
      .describe(
        "Compose files of the recipe, in the order in which they are merged. Default: `compose.yml` alone.",
      )
      .meta({ examples: [["compose.yml", "compose.smtp.yml"]] }),
    page: z
      .union([z.literal(false), text], {
        error: "must be the path of a page, as in /api/health, or false where there is none",
      })
      .optional()
      .describe(
        "What the app must answer once it is up: the path of a page that is not 404, 502, 503 or 504, which the proxy answers for an app that is not there; or `false` for an app that has none, such as one that makes backups. Default: `/`.",
      )
      .meta({ examples: ["/api/health"] }),
    secrets: z
      .record(text, text)
      .optional()
      .describe(
        "The recipe's secrets by name, each with the absolute path of the host file that holds it: put there by you, mode 0600, made by a machine, 16 bytes or more; never a password that a person chose.",
      )
      .meta({ examples: [{ db_password: "/var/lib/ci-secrets/wiki-db" }] }),
  })
  .superRefine(requireState)
  .describe("One recipe, deployed behind the proxy.")
  .meta(someState);

const hostPath = (what: string, example: string) =>
  text.describe(`Absolute path on the host of ${what}`).meta({ examples: [example] });

const password = hostPath(
  "a file with the account's password on the forge, readable by root alone: with it the host logs in to Drone by itself, and again when that login has died. Default: a person logs in to Drone as this account, once.",
  "/var/lib/ci-secrets/ci-account-password",
).optional();

const drone = z
  .strictObject({
    ...recipeKeys,
    domain: text
      .optional()
      .describe(
        "Where Drone answers: one label under the host's domain. Default: `drone.` and the host's domain.",
      ),
    env,
    forge: text
      .describe(
        "The forge, a Gitea: its https address without a path. Drone's accounts are accounts there.",
      )
      .meta({ examples: ["https://git.example.org"] }),
    clientId: text
      .describe(
        "Id of the OAuth client on the forge that Drone logs people in by, as the forge shows it: no secret. Its redirect URI is Drone's address with `/login`.",
      )
      .meta({ examples: ["3c1f2a6e-7a1b-4c58-9d37-0a5f6b7c8d9e"] }),
    clientSecret: hostPath(
      "a file with the secret of that OAuth client, which the forge shows once. Readable by root alone.",
      "/var/lib/ci-secrets/drone-client-secret",
    ),
    architecture: z
      .enum(["amd64", "arm64"])
      .optional()
      .describe(
        "The processor of the host: `amd64` for x86_64, `arm64` for aarch64. Default: `amd64`.",
      ),
    builds: z
      .strictObject({
        repository: text
          .describe(
            "The CI repository on the forge, as owner and name: this very repository, with its `out/`.",
          )
          .meta({ examples: ["ci/cc-ci"] }),
        branch: text
          .optional()
          .describe("The branch of it that builds take their pipeline from. Default: `main`."),
        visibility: z
          .enum(["public", "internal", "private"])
          .optional()
          .describe(
            "Who sees builds and their logs: everybody (`public`), whoever is logged in to Drone (`internal`), or whoever can read the repository on the forge (`private`). Default: `public`, for the maintainers of recipes have no account in Drone.",
          ),
      })
      .describe("What every build does: the pipeline `out/<host>/drone.yml`, read from the forge."),
    owner: z
      .strictObject({
        login: text
          .describe(
            "Login on the forge of an account made for this: Administrator of the CI repository and of nothing else, since Drone holds a token with all of its rights. In Drone it is the administrator.",
          )
          .meta({ examples: ["ci-owner"] }),
        forgeToken: hostPath(
          "a file with a token of that account on the forge, of the scope `write:repository`: with it the host removes the hook that Drone makes and nobody needs. Readable by root alone.",
          "/var/lib/ci-secrets/ci-owner-forge-token",
        ),
        password,
      })
      .describe("The account that has the CI repository in Drone."),
    bridge: z
      .strictObject({
        login: text
          .describe(
            "Login on the forge of another account made for this: the role Write on the CI repository and nothing else. Whoever has its token in Drone starts builds, the bridge above all.",
          )
          .meta({ examples: ["ci-bridge"] }),
        password,
      })
      .describe("The account that starts builds."),
  })
  .superRefine(requireState)
  .optional()
  .describe(
    "The build server, by the recipe `drone` with its overlay for Gitea, and its runner. It needs `drone` and `drone-runner-exec` in `acceptUnfree`; docs/install.md has each step.",
  )
  .meta(someState);

const login = text.meta({ examples: ["member"] });

const bridge = z
  .strictObject({
    mode: z
      .enum(["poll", "webhook"])
      .optional()
      .describe(
        "How it learns of comments: it asks the forge again and again (`poll`), or a hook that a person registers there tells it (`webhook`), and it asks each 14 minutes all the same. Default: `poll`.",
      ),
    domain: text
      .optional()
      .describe(
        "Where it answers: one label under the host's domain. Default: `bridge.` and the host's domain.",
      ),
    organisation: text
      .describe("The forge's organisation of recipes: its members may ask for tests, nobody else.")
      .meta({ examples: ["recipes"] }),
    forgeToken: hostPath(
      "a file with a token of the bridge's account on the forge, of the scopes `write:issue`, `read:repository`, `read:organization` and `read:user`. The account is made for this, in a team of the organisation that may read. Readable by root alone.",
      "/var/lib/ci-secrets/bridge-forge-token",
    ),
    repositories: z
      .array(text)
      .describe("The organisation's repositories that are recipes, by the names of the recipes.")
      .meta({ examples: [["wiki", "notes"]] }),
    forks: z
      .enum(["refused", "with-commit", "accepted"])
      .describe(
        "Pull requests from forks, whose authors may be anybody: none is tested (`refused`), those whose commit the member names in full (`with-commit`), or all that a member asks for (`accepted`).",
      ),
    team: z
      .int()
      .optional()
      .describe(
        "Number of a team of the organisation whose members alone may ask; the bridge's account must be in it. Default: every member may.",
      ),
    only: z
      .array(login)
      .optional()
      .describe("Logins of members who alone may ask, without `@`. Default: every member may."),
    ignore: z
      .array(login)
      .optional()
      .describe("Logins of other programs, whose comments are no commands. Default: none."),
    pollSeconds: z
      .int()
      .optional()
      .describe(
        "Time between two looks at the forge in mode `poll`, in seconds, up to `300`. Default: `15`.",
      ),
    webhookKey: hostPath(
      "a file with the key that deliveries of the hook are signed with, of 16 bytes or more. Default: the host makes one, in `/var/lib/cc-ci/secrets/bridge-webhook-key`.",
      "/var/lib/ci-secrets/webhook-key",
    ).optional(),
    previousWebhookKey: hostPath(
      "a file with the key before that, which counts as well until it is taken out.",
      "/var/lib/ci-secrets/webhook-key-before",
    ).optional(),
    dashboard: text
      .optional()
      .describe(
        "The dashboard's https address, without a slash at its end: the comment of a test then links to it, with a slash and the recipe's name behind. Default: no link, since there is no dashboard yet.",
      )
      .meta({ examples: ["https://dashboard.ci.example.org"] }),
    limits: z
      .strictObject({
        perPersonAndHour: z
          .int()
          .optional()
          .describe("Tests that one person may ask for within an hour. Default: `10`."),
        perPullAndHour: z
          .int()
          .optional()
          .describe(
            "Tests that may be asked for on one pull request within an hour. Default: `6`.",
          ),
        waiting: z
          .int()
          .optional()
          .describe("Tests that may wait or go on at once, over all recipes. Default: `20`."),
      })
      .optional()
      .describe("How much may be asked for; more is refused, with an answer that says so."),
  })
  .optional()
  .describe(
    "What has recipes tested when a member writes `!testme` on a pull request, and answers there. It needs `drone`; docs/enroll-recipe.md has each step.",
  );

const host = z
  .strictObject({
    domain: text
      .describe("The base domain: everything is served one label under it.")
      .meta({ examples: ["ci.example.org"] }),
    certificate,
    swarm,
    docker,
    runs,
    traefik,
    apps: z
      .record(label, app)
      .optional()
      .describe("Further recipes, each under a name of its own."),
    drone,
    bridge,
    acceptUnfree: z
      .array(text)
      .optional()
      .describe(
        "Packages with an unfree licence that this host may use, by name. `drone` stands for Drone's image too.",
      )
      .meta({ examples: [["drone", "drone-runner-exec"]] }),
  })
  .describe("One NixOS machine.");

export const configSchema = z
  .strictObject({
    hosts: z
      .record(label, host)
      .refine((hosts) => Object.keys(hosts).length > 0, "must name one host or more")
      .describe("The machines, by name. The name is the host name and the folder in `out/`."),
  })
  .describe("The hosts that cc-ci generates.");

export type Config = z.infer<typeof configSchema>;
export type HostConfig = Config["hosts"][string];
