import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { type BridgeSettings, bridgePlaces } from "../../services/lib/bridge-settings.ts";
import type { Build } from "../../services/lib/drone/schemas.ts";
import { runVersion } from "../../services/lib/run.ts";
import type { Gate } from "../drone/gate.ts";
import { type Drone, pipeline, Scene } from "../drone/scene.ts";
import { createToken, type ForgeAccount } from "../forge/account.ts";
import { until } from "../host/machine/processes.ts";
import { BridgeProcess } from "./process.ts";

/** What the bridge's token may do, as docs/enroll-recipe.md has it. */
export const botScopes = ["write:issue", "read:repository", "read:organization", "read:user"];

const organisation = "recipes";

/** A pull request of a recipe. */
export interface OpenPull {
  readonly repository: string;
  readonly number: number;
  readonly head: string;
  readonly branch: string;
}

const commentSchema = z.object({
  ...{ id: z.int(), body: z.string(), created_at: z.string(), updated_at: z.string() },
  user: z.object({ login: z.string() }),
});

export type SeenComment = z.infer<typeof commentSchema>;

/**
 * A forge with an organisation of recipes and its people, a Drone that builds, and the bridge between them. Its
 * builds do what `act` says, and leave what a run leaves.
 */
export class Stage {
  readonly scene: Scene;
  readonly drone: Drone;
  /** Where the bridge finds them: ways that can be shut. */
  readonly toForge: Gate;
  readonly toDrone: Gate;
  /** Owns all. */
  readonly admin: ForgeAccount;
  readonly bot: ForgeAccount;
  /** A member of the organisation, which nobody else can see. */
  readonly member: ForgeAccount;
  readonly stranger: ForgeAccount;
  readonly ci: string;
  readonly #scratch: string;
  readonly #botToken: string;
  #count = 0;

  private constructor(
    scratch: string,
    scene: Scene,
    drone: Drone,
    gates: { toForge: Gate; toDrone: Gate },
    people: { bot: ForgeAccount; member: ForgeAccount; botToken: string },
    ci: string,
  ) {
    this.#scratch = scratch;
    this.scene = scene;
    this.drone = drone;
    this.toForge = gates.toForge;
    this.toDrone = gates.toDrone;
    this.admin = scene.owner;
    this.stranger = scene.stranger;
    this.bot = people.bot;
    this.member = people.member;
    this.#botToken = people.botToken;
    this.ci = ci;
  }

  static async start(scratch: string): Promise<Stage> {
    const scene = await Scene.start(scratch);
    const { owner, gitea } = scene;
    await owner.createOrganisation(organisation);
    const bot = await gitea.createAccount("ci-bot");
    const member = await gitea.createAccount("member");
    await addTeam(owner, "robots", "read", bot.login);
    await addTeam(owner, "maintainers", "write", member.login);
    const botToken = await createToken(gitea.url, bot.login, bot.password, botScopes);
    const drone = await scene.shared();
    const ci = await scene.enabled();
    const acts = join(scratch, "acts");
    for (const folder of ["acts", "runs"]) mkdirSync(join(scratch, folder));
    const step = join(acts, "step.sh");
    writeFileSync(step, stepScript(acts, join(scratch, "runs")));
    await owner.commitFile(ci, "main", "out/host/drone.yml", pipeline([`sh ${step}`]));
    const toForge = await scene.gate();
    const toDrone = await scene.gate(Number(new URL(drone.server.url).port));
    return new Stage(scratch, scene, drone, { toForge, toDrone }, { bot, member, botToken }, ci);
  }

  async stop(): Promise<void> {
    await this.scene.stop();
  }

  /** A recipe's repository. @returns owner and name of it */
  async recipe(): Promise<string> {
    const name = this.name("wiki");
    await this.admin.createRepository(organisation, name);
    return `${organisation}/${name}`;
  }

  name(start: string): string {
    this.#count += 1;
    return `${start}-${this.#count}`;
  }

  async pull(repository: string): Promise<OpenPull> {
    const branch = this.name("change");
    const head = await this.admin.commitFile(repository, branch, `${branch}.txt`, branch);
    const { number } = await this.admin.done(
      z.object({ number: z.int() }),
      ...(["POST", `repos/${repository}/pulls`] as const),
      { base: "main", head: branch, title: branch },
    );
    return { repository, number, head, branch };
  }

  /** @returns the new head */
  async push({ repository, branch }: OpenPull, who = this.admin): Promise<string> {
    const file = `${this.name("file")}.txt`;
    const { commit } = await who.done(
      z.object({ commit: z.object({ sha: z.string() }) }),
      ...(["POST", `repos/${repository}/contents/${file}`] as const),
      { branch, content: Buffer.from(file).toString("base64"), message: `Add ${file}` },
    );
    return commit.sha;
  }

  /** @returns its number */
  async comment(
    who: ForgeAccount,
    { repository, number }: OpenPull,
    body: string,
  ): Promise<number> {
    const path = `repos/${repository}/issues/${number}/comments`;
    return (await who.done(z.object({ id: z.int() }), "POST", path, { body })).id;
  }

  /** All that is written on a pull request. */
  async comments({ repository, number }: OpenPull): Promise<readonly SeenComment[]> {
    const path = `repos/${repository}/issues/${number}/comments`;
    return await this.admin.done(z.array(commentSchema), "GET", path);
  }

  /** What the bridge wrote there. */
  async answers(pull: OpenPull): Promise<readonly SeenComment[]> {
    return (await this.comments(pull)).filter(({ user }) => user.login === this.bot.login);
  }

  /** The one comment that tells of its tests; undefined as long as there is none. */
  async status(pull: OpenPull): Promise<string | undefined> {
    const found = (await this.answers(pull)).filter(({ body }) =>
      body.startsWith("<!-- cc-ci: tests of this pull request -->"),
    );
    if (found.length > 1) throw new Error(`there are ${found.length} of them`);
    return found[0]?.body;
  }

  async statusSays(pull: OpenPull, words: string | RegExp, seconds = 60): Promise<string> {
    let last: string | undefined;
    try {
      return await until(`a comment that says ${words}`, seconds, async () => {
        last = await this.status(pull);
        const isThere = typeof words === "string" ? last?.includes(words) : words.test(last ?? "");
        return isThere ? last : undefined;
      });
    } catch (error) {
      throw new Error(`${String(error)}; it says ${last}`);
    }
  }

  /** Who gave which reactions to a comment, as in `ci-bot: eyes`. */
  async reactions(repository: string, comment: number): Promise<readonly string[]> {
    const schema = z
      .array(z.object({ content: z.string(), user: z.object({ login: z.string() }) }))
      .nullable();
    const path = `repos/${repository}/issues/comments/${comment}/reactions`;
    const found = (await this.admin.done(schema, "GET", path)) ?? [];
    return found.map(({ content, user }) => `${user.login}: ${content}`).sort();
  }

  async reacts(repository: string, comment: number, reaction: string, seconds = 30): Promise<void> {
    await until(`the reaction ${reaction}`, seconds, async () => {
      const given = await this.reactions(repository, comment);
      return given.includes(`${this.bot.login}: ${reaction}`) ? true : undefined;
    });
  }

  /** Builds in Drone that are about a recipe's pull requests, the oldest first. */
  async builds(repository: string): Promise<readonly Build[]> {
    const all = await this.drone.client.builds(this.ci);
    return all.filter(({ params }) => params.CCCI_REPOSITORY === repository).toReversed();
  }

  /** Has builds of a recipe wait, before they do anything else. */
  hold(repository: string): void {
    writeFileSync(this.#act(repository, "hold"), "");
  }

  release(repository: string): void {
    rmSync(this.#act(repository, "hold"), { force: true });
  }

  /** Has builds of a recipe fail from now on. */
  fail(repository: string): void {
    writeFileSync(this.#act(repository, "fail"), "");
  }

  #act(repository: string, what: string): string {
    return join(this.#scratch, "acts", `${repository.split("/")[1]}.${what}`);
  }

  /** A bridge for these recipes, with a root of its own, not started. */
  bridge(repositories: readonly string[], changes: Partial<BridgeSettings> = {}): BridgeProcess {
    const root = join(this.#scratch, this.name("bridge"));
    const settings = { ...this.settings(repositories), ...changes };
    const bridge = new BridgeProcess(root, settings, {
      forgeToken: this.#botToken,
      droneToken: this.drone.token,
      webhookKey: "key-of-the-hook-0123456789",
    });
    rmSync(bridge.at(bridgePlaces.runs), { recursive: true });
    // Where builds leave theirs.
    symlinkSync(join(this.#scratch, "runs"), bridge.at(bridgePlaces.runs));
    return bridge;
  }

  settings(repositories: readonly string[]): BridgeSettings {
    return {
      ...{ version: 1, listen: { port: 0, metricsPort: 0 }, mode: "poll" },
      forge: {
        ...{ server: `http://127.0.0.1:${this.toForge.port}`, organisation, team: null },
        ...{ only: [], ignore: [] },
      },
      recipes: repositories.map((repository) => ({
        ...{ recipe: repository.split("/")[1] ?? "", repository },
      })),
      forks: "with-commit",
      drone: {
        ...{ server: `http://127.0.0.1:${this.toDrone.port}`, repository: this.ci },
        ...{ branch: "main", answerSeconds: 3, lookSeconds: 1 },
      },
      ...{ dashboard: null, isLogPublic: true, pollSeconds: 1, sweepSeconds: 3600 },
      limits: { perPersonAndHour: 100, perPullAndHour: 100, waiting: 100 },
      ...{ buildSeconds: 600, queueSeconds: 600 },
    };
  }
}

async function addTeam(
  owner: ForgeAccount,
  name: string,
  permission: string,
  login: string,
): Promise<void> {
  const units = ["repo.code", "repo.issues", "repo.pulls"];
  const { id } = await owner.done(
    z.object({ id: z.int() }),
    ...(["POST", `orgs/${organisation}/teams`] as const),
    { name, permission, units, includes_all_repositories: true },
  );
  await owner.done(z.unknown(), "PUT", `teams/${id}/members/${login}`);
}

/** What a build does instead of asking the host for a run; it leaves what a run would. */
function stepScript(acts: string, runs: string): string {
  const at = "2026-01-01T10:00:00.000Z";
  return `set -eu
folder=${runs}/$CCCI_ID
mkdir -p "$folder"
while [ -e "${acts}/$CCCI_RECIPE.hold" ]; do sleep 0.2; done
outcome=passed reason=null
if [ -e "${acts}/$CCCI_RECIPE.fail" ]; then outcome=failed reason='"the page | of @member said 500"'; fi
if [ -z "$CCCI_PULL" ]; then CCCI_PULL=null; fi
printf '{"at":"${at}","from":"stdout","text":"one\\\\nlast line of @member\\\\n"}\\n' > "$folder/log.jsonl"
printf '{"version":${runVersion},"request":{"id":"%s","recipe":"%s","repository":"%s","pull":%s,"commit":"%s","quick":%s},"outcome":"%s","reason":%s,"startedAt":"${at}","endedAt":"2026-01-01T10:01:40.000Z","stages":[{"name":"install","status":"%s","reason":%s,"startedAt":"${at}","endedAt":"2026-01-01T10:01:40.000Z"}]}' \\
  "$CCCI_ID" "$CCCI_RECIPE" "$CCCI_REPOSITORY" "$CCCI_PULL" "$CCCI_COMMIT" "$CCCI_QUICK" "$outcome" "$reason" "$outcome" "$reason" > "$folder/new"
mv "$folder/new" "$folder/results.json"
[ $outcome = passed ]
`;
}
