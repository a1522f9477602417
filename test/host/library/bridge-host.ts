import * as z from "zod";
import { hookEvents } from "../../forge/recipes.ts";
import { installBridgeLoader } from "../bridge/install.ts";
import type { SeededForge } from "../forge/seed.ts";
import type { Host, HostOptions } from "../host.ts";
import { until } from "../machine/processes.ts";
import { installNames } from "../names/install.ts";
import type { Configuration } from "../system/system.ts";
import { askForge } from "./drone-api.ts";
import { type DroneKeys, droneHost, withDrone } from "./drone-host.ts";

/** Where the bridge answers on the hosts of the tests. */
export const bridgeAddress = "https://bridge.ci.example.org";

export const bridgeStack = "cc-ci-bridge";

/** Where the host has the tokens that the bridge works with. */
export const tokenFiles = {
  forge: "/var/lib/ci-secrets/bridge-forge-token",
  drone: "/var/lib/cc-ci/secrets/drone-bridge-token",
} as const;

const recipe = "recipes/wiki";

export interface BridgeKeys extends DroneKeys {
  /** Further keys of the bridge, as YAML. @default none */
  readonly bridge?: string;
  /** Between two looks at the forge. @default 1 */
  readonly pollSeconds?: number;
}

/** The host with Drone and the bridge in front of it. */
export function withBridge(clientId: string, keys: BridgeKeys = {}): Configuration {
  const { bridge = "", pollSeconds = 1, host = "runs: { maxTests: 2 }", ...drone } = keys;
  const section = `bridge:
  organisation: recipes
  forgeToken: ${tokenFiles.forge}
  repositories: [wiki]
  forks: with-commit
  pollSeconds: ${pollSeconds}
${bridge.replaceAll(/^(?=.)/gm, "  ")}`;
  return withDrone(clientId, { ...drone, host: `${host}\n${section}` });
}

/** What a host with the bridge is booted with. */
export async function bridgeHost(
  keys: BridgeKeys = {},
): Promise<HostOptions & { forge: SeededForge }> {
  const { forge, prepare, ...options } = await droneHost(keys, { hasRecipes: true });
  return {
    ...options,
    forge,
    configuration: withBridge(forge.clientId, keys),
    prepare: async (root, host) => {
      await prepare?.(root, host);
      installNames(root, ["forge.example.org", "ci.example.org"]);
      installBridgeLoader(root);
      host.write(tokenFiles.forge, forge.botToken ?? "", 0o600);
    },
  };
}

/** Takes the bridge's image from a host, under all of its names. */
export async function removeBridgeImages(host: Host): Promise<void> {
  const script = "docker image rm --force $(docker image ls --quiet cc-ci.invalid/bridge)";
  await host.exec(["sh", "-c", script], { mayFail: true });
}

const commentSchema = z.object({
  ...{ id: z.int(), body: z.string() },
  user: z.object({ login: z.string() }),
});

/** Pull requests of the recipe on a host's forge, and what is written on them. */
export class RecipePulls {
  readonly #host: Host;
  readonly #forge: SeededForge;
  #count = 0;

  constructor(host: Host, forge: SeededForge) {
    this.#host = host;
    this.#forge = forge;
  }

  /** @returns its number and its head */
  async open(): Promise<{ readonly number: number; readonly head: string }> {
    this.#count += 1;
    const branch = `change-${this.#count}`;
    const content = Buffer.from(branch).toString("base64");
    const { commit } = await this.#done(
      z.object({ commit: z.object({ sha: z.string() }) }),
      ...(["forge-admin", "POST", `repos/${recipe}/contents/${branch}.txt`] as const),
      { branch: "main", new_branch: branch, content, message: branch },
    );
    const { number } = await this.#done(
      z.object({ number: z.int() }),
      ...(["forge-admin", "POST", `repos/${recipe}/pulls`] as const),
      { base: "main", head: branch, title: branch },
    );
    return { number, head: commit.sha };
  }

  /** @returns the number of the comment */
  async comment(login: string, pull: number, body: string): Promise<number> {
    const path = `repos/${recipe}/issues/${pull}/comments`;
    return (await this.#done(z.object({ id: z.int() }), login, "POST", path, { body })).id;
  }

  /** Has the forge tell of comments and pushes there. @param key what its deliveries are signed with */
  async hook(url: string, key: string): Promise<void> {
    const config = { url, secret: key, content_type: "json" };
    const hook = { type: "gitea", active: true, events: hookEvents, config };
    await this.#done(z.unknown(), "forge-admin", "POST", "orgs/recipes/hooks", hook);
  }

  /** What the bridge has written on a pull request. */
  async answers(pull: number): Promise<readonly string[]> {
    const path = `repos/${recipe}/issues/${pull}/comments`;
    const all = await this.#done(z.array(commentSchema), "forge-admin", "GET", path);
    return all.filter(({ user }) => user.login === "ci-bot").map(({ body }) => body);
  }

  /** Waits for an answer that says this. @returns it */
  async answered(pull: number, words: RegExp, seconds = 60): Promise<string> {
    let last: readonly string[] = [];
    try {
      return await until(`an answer like ${words}`, seconds, async () => {
        last = await this.answers(pull);
        return last.find((body) => words.test(body));
      });
    } catch (error) {
      throw new Error(`${String(error)}; there is ${JSON.stringify(last)}`);
    }
  }

  async #done<Schema extends z.ZodType>(
    schema: Schema,
    login: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<z.infer<Schema>> {
    const token = this.#forge.tokens[login] ?? "";
    const answer = await askForge(this.#host, path, { method, token, body });
    if (answer.status >= 200 && answer.status < 300) return schema.parse(answer.body);
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}
