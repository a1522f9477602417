import { execFile } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import * as z from "zod";
import { type BridgeSettings, bridgePlaces } from "../../services/lib/bridge-settings.ts";
import type { Build } from "../../services/lib/drone/schemas.ts";
import { runVersion } from "../../services/lib/run.ts";
import type { Front } from "../drone/front.ts";
import type { Gate } from "../drone/gate.ts";
import { type Drone, pipeline, Scene } from "../drone/scene.ts";
import { createToken, type ForgeAccount } from "../forge/account.ts";
import { addTeam, bridgeScopes, makeRecipes } from "../forge/recipes.ts";
import { until } from "../host/machine/processes.ts";
import { BridgeProcess } from "./process.ts";

/** Between two looks at the forge for what a bridge writes, in milliseconds. */
const forgePause = 700;

/** What a hook is signed with. */
export const hookKey = "key-of-the-hook-0123456789";

export const organisation = "recipes";

/** That the forge's repositories have in these tests. */
const mainBranch = "main";

/** A pull request of a recipe. */
export interface OpenPull {
  readonly repository: string;
  readonly number: number;
  readonly head: string;
  readonly branch: string;
}

/** What is otherwise than with the bridge that most cases have. */
export interface Changes
  extends Partial<Omit<BridgeSettings, "forge" | "drone" | "limits" | "listen">> {
  readonly forge?: Partial<BridgeSettings["forge"]>;
  readonly drone?: Partial<BridgeSettings["drone"]>;
  readonly limits?: Partial<BridgeSettings["limits"]>;
  readonly listen?: Partial<BridgeSettings["listen"]>;
}

const commentSchema = z.object({
  ...{ id: z.int(), body: z.string(), created_at: z.string(), updated_at: z.string() },
  user: z.object({ login: z.string() }),
});

export type SeenComment = z.infer<typeof commentSchema>;

const eventSchema = z.object({ type: z.string(), created_at: z.string() });

/** An account that the bridge may have, with its token. */
export interface Bot {
  readonly account: ForgeAccount;
  readonly token: string;
}

/**
 * A forge with an organisation of recipes and its people, a Drone that builds, and the bridge between them. Its
 * builds do what they were told for a pull request, and leave what a run leaves.
 */
export class Stage {
  readonly scene: Scene;
  readonly drone: Drone;
  /** Owns all. */
  readonly admin: ForgeAccount;
  readonly bot: Bot;
  /** A member of the organisation, which nobody else can see. */
  readonly member: ForgeAccount;
  readonly stranger: ForgeAccount;
  readonly ci: string;
  readonly #scratch: string;
  readonly #bridges: BridgeProcess[] = [];
  #count = 0;
  #lastAct: Promise<unknown> = Promise.resolve();

  private constructor(
    scratch: string,
    scene: Scene,
    drone: Drone,
    { bot, member }: { readonly bot: Bot; readonly member: ForgeAccount },
    ci: string,
  ) {
    this.#scratch = scratch;
    this.scene = scene;
    this.drone = drone;
    this.admin = scene.owner;
    this.stranger = scene.stranger;
    this.bot = bot;
    this.member = member;
    this.ci = ci;
  }

  static async start(scratch: string): Promise<Stage> {
    const scene = await Scene.start(scratch);
    const { owner, gitea } = scene;
    const { bot: account, botToken: token, member } = await makeRecipes(gitea, owner, organisation);
    const drone = await scene.shared();
    const ci = await scene.enabled();
    for (const folder of ["acts", "runs"]) mkdirSync(join(scratch, folder));
    const stage = new Stage(scratch, scene, drone, { bot: { account, token }, member }, ci);
    await owner.commitFile(ci, "main", "out/host/drone.yml", stage.pipeline());
    return stage;
  }

  /** @throws {Error} when a bridge has put a secret into its log */
  async stop(): Promise<void> {
    for (const bridge of this.#bridges) await bridge.kill();
    await this.scene.stop();
    const leaks = this.#bridges.flatMap((bridge) => bridge.leaks);
    if (leaks.length > 0) throw new Error(`secrets in the log: ${leaks.join("\n")}`);
  }

  name(start: string): string {
    this.#count += 1;
    return `${start}-${this.#count}`;
  }

  /**
   * Does one thing to the forge after the other: with SQLite it answers 500 now and then when several come at once.
   */
  async inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const done = this.#lastAct.then(act);
    this.#lastAct = done.catch(() => undefined);
    return await done;
  }

  /** Has somebody do something on the forge. @returns what it answers, which is a yes */
  async does<Schema extends z.ZodType>(
    who: ForgeAccount,
    schema: Schema,
    ...call: Parameters<ForgeAccount["ask"]>
  ): Promise<z.infer<Schema>> {
    return await this.inTurn(async () => await who.done(schema, ...call));
  }

  /** Somebody new, whom nobody knows. */
  async person(start: string): Promise<ForgeAccount> {
    return await this.inTurn(async () => await this.scene.gitea.createAccount(this.name(start)));
  }

  /** Somebody new in the organisation. @returns with the number of a team that has nobody else */
  async colleague(start: string, permission = "write") {
    const person = await this.person(start);
    const { login } = person;
    const team = await this.inTurn(
      async () =>
        await addTeam(this.admin, organisation, { name: this.name("team"), permission, login }),
    );
    return { person, team };
  }

  /** The number of a team, by its name. */
  async teamOf(name: string): Promise<number> {
    const schema = z.array(z.object({ id: z.int(), name: z.string() }));
    const teams = await this.admin.done(schema, "GET", `orgs/${organisation}/teams?limit=50`);
    return z.int().parse(teams.find((team) => team.name === name)?.id);
  }

  async join(team: number, { login }: ForgeAccount): Promise<void> {
    await this.does(this.admin, z.unknown(), "PUT", `teams/${team}/members/${login}`);
  }

  /** Has somebody be in no team of the organisation any more, nor in it. */
  async leave({ login }: ForgeAccount): Promise<void> {
    await this.does(this.admin, z.unknown(), "DELETE", `orgs/${organisation}/members/${login}`);
  }

  /** Another account for a bridge. */
  async newBot(): Promise<Bot> {
    const { person: account } = await this.colleague("bot", "read");
    const { login, password } = account;
    const { url } = this.scene.gitea;
    const token = await this.inTurn(
      async () => await createToken(url, login, password, bridgeScopes),
    );
    return { account, token };
  }

  /** A recipe's repository. @returns owner and name of it */
  async recipe(): Promise<string> {
    const name = this.name("wiki");
    await this.inTurn(async () => await this.admin.createRepository(organisation, name));
    return `${organisation}/${name}`;
  }

  /** @param into the branch that it is to be merged into, made where there is none */
  async pull(repository: string, into = mainBranch): Promise<OpenPull> {
    const branch = this.name("change");
    const head = await this.inTurn(async () => {
      if (into !== mainBranch) await this.admin.commitFile(repository, into, `${into}.txt`, into);
      return await this.admin.commitFile(repository, branch, `${branch}.txt`, branch);
    });
    return await this.#open(this.admin, { repository, head, branch }, branch, into);
  }

  /** A pull request from somebody's fork. */
  async pullFromFork(who: ForgeAccount, repository: string): Promise<OpenPull> {
    const branch = this.name("change");
    const name = `fork-of-${repository.split("/")[1]}`;
    const fork = `${who.login}/${name}`;
    const { status } = await who.ask("GET", `repos/${fork}`);
    if (status === 404)
      await this.does(who, z.unknown(), "POST", `repos/${repository}/forks`, { name });
    const head = await this.inTurn(
      async () => await who.commitFile(fork, branch, `${branch}.txt`, branch),
    );
    return await this.#open(who, { repository, head, branch }, `${who.login}:${branch}`);
  }

  /** A pull request that needs no right to push, and no fork. */
  async pullWithoutBranch(who: ForgeAccount, repository: string): Promise<OpenPull> {
    const branch = this.name("change");
    const folder = join(this.#scratch, branch);
    const url = new URL(`${repository}.git`, `${this.scene.gitea.url}/`);
    Object.assign(url, { username: who.login, password: who.password });
    const by = ["-c", `user.name=${who.login}`, "-c", `user.email=${who.login}@example.org`];
    const git = async (...args: readonly string[]) =>
      await promisify(execFile)("git", [...by, ...args]);
    return await this.inTurn(async () => {
      await git("clone", "--quiet", url.href, folder);
      await git("-C", folder, "commit", "--quiet", "--allow-empty", "--message", branch);
      await git(
        "-C",
        folder,
        "push",
        "origin",
        `HEAD:refs/for/${mainBranch}`,
        "-o",
        `topic=${branch}`,
      );
      const schema = z.array(z.object({ number: z.int(), head: z.object({ sha: z.string() }) }));
      const [pull] = await this.admin.done(schema, "GET", `repos/${repository}/pulls?sort=newest`);
      if (pull === undefined) throw new Error("the forge made no pull request of what was pushed");
      return { repository, number: pull.number, head: pull.head.sha, branch };
    });
  }

  async #open(
    who: ForgeAccount,
    pull: Omit<OpenPull, "number">,
    head: string,
    base = mainBranch,
  ): Promise<OpenPull> {
    const { repository, branch } = pull;
    const body = { base, head, title: branch };
    const schema = z.object({ number: z.int() });
    const { number } = await this.does(who, schema, "POST", `repos/${repository}/pulls`, body);
    return { ...pull, number };
  }

  /** Pushes a commit, and waits until the forge has written that down. @returns the new head */
  async push(pull: OpenPull, who = this.admin): Promise<string> {
    const { repository, branch } = pull;
    // Its opening is one of them, which may not be there yet.
    const before = Math.max(1, (await this.events(pull, "pull_push")).length);
    const file = `${this.name("file")}.txt`;
    const { commit } = await this.does(
      who,
      z.object({ commit: z.object({ sha: z.string() }) }),
      ...(["POST", `repos/${repository}/contents/${file}`] as const),
      { branch, content: Buffer.from(file).toString("base64"), message: `Add ${file}` },
    );
    await until(
      "the forge's note of a push",
      60,
      async () => (await this.events(pull, "pull_push")).length > before || undefined,
      forgePause,
    );
    return commit.sha;
  }

  /** What happened to a pull request, or to an issue, of that kind. */
  async events({ repository, number }: Pick<OpenPull, "repository" | "number">, kind: string) {
    const path = `repos/${repository}/issues/${number}/timeline?limit=50`;
    const all = await this.admin.done(z.array(eventSchema).nullable(), "GET", path);
    return (all ?? []).filter(({ type }) => type === kind);
  }

  /** Writes a comment, in a later second than all that happened so far. @returns its number */
  async comment(
    who: ForgeAccount,
    pull: Pick<OpenPull, "repository" | "number">,
    body: string,
  ): Promise<number> {
    const { repository, number } = pull;
    const pushes = await this.events(pull, "pull_push");
    const last = Math.max(0, ...pushes.slice(1).map((each) => Date.parse(each.created_at)));
    await sleep(Math.max(0, last + 1000 - Date.now()));
    const path = `repos/${repository}/issues/${number}/comments`;
    return (await this.does(who, z.object({ id: z.int() }), "POST", path, { body })).id;
  }

  /** A comment of the member. @returns its number */
  async ask(pull: OpenPull, body = "!testme"): Promise<number> {
    return await this.comment(this.member, pull, body);
  }

  async editComment(who: ForgeAccount, repository: string, comment: number, body: string) {
    const path = `repos/${repository}/issues/comments/${comment}`;
    return await this.does(who, commentSchema, "PATCH", path, { body });
  }

  async deleteComment(who: ForgeAccount, repository: string, comment: number): Promise<void> {
    await this.does(who, z.unknown(), "DELETE", `repos/${repository}/issues/comments/${comment}`);
  }

  async closePull({ repository, number }: OpenPull): Promise<void> {
    const path = `repos/${repository}/pulls/${number}`;
    await this.does(this.admin, z.unknown(), "PATCH", path, { state: "closed" });
  }

  /** Has a comment be older than it is, and whatever it is on. */
  async backdate(comment: number, minutes: number): Promise<void> {
    const then = Math.floor(Date.now() / 1000) - minutes * 60;
    await this.#change(`
      UPDATE comment SET created_unix = ${then}, updated_unix = ${then} WHERE id = ${comment};
      UPDATE issue SET updated_unix = ${then}
        WHERE id = (SELECT issue_id FROM comment WHERE id = ${comment})`);
  }

  /** Has the last edit of a comment be within the second in which it was written. */
  async sameSecond(comment: number): Promise<void> {
    await this.#change(`UPDATE comment SET updated_unix = created_unix WHERE id = ${comment}`);
  }

  /** Changes what the forge itself remembers. */
  async #change(sql: string): Promise<void> {
    await this.inTurn(async () => {
      const file = join(this.#scratch, "gitea", "gitea.db");
      const database = new DatabaseSync(file, { timeout: 20_000 });
      try {
        database.exec(sql);
      } finally {
        database.close();
      }
    });
  }

  /**
   * Waits until a bridge has read all that was written on a pull request so far.
   *
   * @returns whether it passed over that comment
   */
  async passesOver(bridge: BridgeProcess, pull: OpenPull, comment: number): Promise<boolean> {
    await bridge.judged(await this.ask(pull, "!testme help"));
    return !bridge.wholeLog.some((entry) => entry.comment === comment);
  }

  /** All that is written on a pull request. */
  async comments({ repository, number }: OpenPull): Promise<readonly SeenComment[]> {
    const path = `repos/${repository}/issues/${number}/comments`;
    return await this.admin.done(z.array(commentSchema), "GET", path);
  }

  /** What a bridge wrote there. */
  async answers(pull: OpenPull, { account } = this.bot): Promise<readonly SeenComment[]> {
    return (await this.comments(pull)).filter(({ user }) => user.login === account.login);
  }

  /** The answers to one comment; waits for the first. */
  async repliesTo(pull: OpenPull, comment: number, bot = this.bot): Promise<readonly string[]> {
    const marker = `<!-- cc-ci: answer to ${comment} -->`;
    const find = async () => {
      const found = (await this.answers(pull, bot)).filter(({ body }) => body.startsWith(marker));
      return found.length > 0 ? found.map(({ body }) => body.slice(marker.length + 1)) : undefined;
    };
    return await until(`an answer to ${comment}`, 90, find, forgePause);
  }

  /** The one comment that tells of its tests; undefined as long as there is none. */
  async status(pull: OpenPull, bot = this.bot): Promise<SeenComment | undefined> {
    const found = (await this.answers(pull, bot)).filter(({ body }) =>
      body.startsWith("<!-- cc-ci: tests of this pull request -->"),
    );
    if (found.length > 1) throw new Error(`there are ${found.length} of them`);
    return found[0];
  }

  async statusSays(pull: OpenPull, words: string | RegExp): Promise<string> {
    let last: string | undefined;
    const find = async () => {
      last = (await this.status(pull))?.body;
      const isThere = typeof words === "string" ? last?.includes(words) : words.test(last ?? "");
      return isThere ? last : undefined;
    };
    try {
      return await until(`a comment that says ${words}`, 120, find, forgePause);
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

  /** Waits until a comment has that reaction of the bridge's, and no other one. */
  async reacts(repository: string, comment: number, reaction: string): Promise<void> {
    const wanted = JSON.stringify([`${this.bot.account.login}: ${reaction}`]);
    let last = "";
    const find = async () => {
      last = JSON.stringify(await this.reactions(repository, comment));
      return last === wanted || undefined;
    };
    try {
      await until(`the reaction ${reaction}`, 90, find, forgePause);
    } catch (error) {
      throw new Error(`${String(error)}; there is ${last}`);
    }
  }

  /** Builds in Drone that are about a pull request, the oldest first. */
  async builds(
    { repository, number }: Pick<OpenPull, "repository" | "number">,
    ci = this.ci,
  ): Promise<readonly Build[]> {
    const all = await this.drone.client.builds(ci);
    const isOfIt = ({ params: { CCCI_REPOSITORY, CCCI_PULL } }: Build): boolean =>
      CCCI_REPOSITORY === repository && CCCI_PULL === String(number);
    return all.filter(isOfIt).toReversed();
  }

  /** Has builds of a pull request wait, before they do anything else. */
  hold(pull: OpenPull): void {
    this.#act(pull, "hold", "");
  }

  release({ repository, number }: OpenPull): void {
    rmSync(join(this.#scratch, "acts", `${nameOf(repository)}.${number}.hold`), { force: true });
  }

  /** Has builds of a pull request fail from now on. @param printed what they print before */
  fail(pull: OpenPull, reason: string, printed = ""): void {
    this.#act(pull, "log", JSON.stringify(printed));
    this.#act(pull, "fail", JSON.stringify(reason));
  }

  #act({ repository, number }: OpenPull, what: string, text: string): void {
    writeFileSync(join(this.#scratch, "acts", `${nameOf(repository)}.${number}.${what}`), text);
  }

  /** What builds do, as the text of a pipeline. */
  pipeline(options: Parameters<typeof pipeline>[1] = {}): string {
    const step = join(this.#scratch, "acts", "step.sh");
    writeFileSync(step, stepScript(join(this.#scratch, "acts"), join(this.#scratch, "runs")));
    // In the shell's own place: what ends that ends it too.
    return pipeline([`exec sh ${step}`], options);
  }

  /** Another CI repository. @param text its pipeline; none: it has none */
  async otherCi(text: string | undefined): Promise<string> {
    const ci = await this.inTurn(async () => await this.scene.enabled());
    if (text !== undefined) {
      await this.inTurn(
        async () => await this.admin.commitFile(ci, "main", "out/host/drone.yml", text),
      );
    }
    return ci;
  }

  /** A way to the forge that can be shut, as part of a bridge's settings. */
  async gateToForge(): Promise<{ readonly gate: Gate; readonly server: string }> {
    const gate = await this.scene.gate();
    return { gate, server: `http://127.0.0.1:${gate.port}` };
  }

  async gateToDrone(): Promise<{ readonly gate: Gate; readonly server: string }> {
    const gate = await this.scene.gate(Number(new URL(this.drone.server.url).port));
    return { gate, server: `http://127.0.0.1:${gate.port}` };
  }

  async frontOfForge(): Promise<Front> {
    return await this.scene.frontOf(this.scene.gitea.url);
  }

  async frontOfDrone(): Promise<Front> {
    return await this.scene.frontOf(this.drone.server.url);
  }

  /** A bridge for these recipes, with a root of its own, not started. */
  bridge(
    repositories: readonly string[],
    changes: Changes = {},
    bot: Bot = this.bot,
  ): BridgeProcess {
    const root = join(this.#scratch, this.name("bridge"));
    const bridge = new BridgeProcess(root, this.settings(repositories, changes), {
      forgeToken: bot.token,
      droneToken: this.drone.token,
      webhookKey: hookKey,
    });
    this.#bridges.push(bridge);
    rmSync(bridge.at(bridgePlaces.runs), { recursive: true });
    // Where builds leave theirs.
    symlinkSync(join(this.#scratch, "runs"), bridge.at(bridgePlaces.runs));
    return bridge;
  }

  /** A recipe with a bridge that listens for it alone, from now on. */
  async bridged(changes: Changes = {}, bot: Bot = this.bot) {
    const repository = await this.recipe();
    const bridge = this.bridge([repository], changes, bot);
    await bridge.start();
    await bridge.looks();
    return { repository, bridge };
  }

  /** The same, with a bridge that stands still once it has given its first reaction. */
  async frozen() {
    const repository = await this.recipe();
    const bridge = this.bridge([repository]);
    await bridge.start("bridge:1:after");
    await bridge.looks();
    return { repository, bridge };
  }

  settings(repositories: readonly string[], changes: Changes = {}): BridgeSettings {
    const { forge, drone, limits, listen, ...others } = changes;
    return {
      ...{ version: 1, mode: "poll", forks: "with-commit" },
      listen: { port: 0, metricsPort: 0, ...listen },
      forge: {
        ...{ server: this.scene.gitea.url.replace(/\/$/, ""), organisation, team: null },
        ...{ only: [], ignore: [], ...forge },
      },
      recipes: repositories.map((repository) => ({ recipe: nameOf(repository), repository })),
      drone: {
        ...{ server: this.drone.server.url, repository: this.ci, branch: "main" },
        ...{ answerSeconds: 3, lookSeconds: 1, ...drone },
      },
      ...{ dashboard: null, isLogPublic: true, pollSeconds: 2, sweepSeconds: 3600 },
      limits: { perPersonAndHour: 100, perPullAndHour: 100, waiting: 100, ...limits },
      ...{ buildSeconds: 600, queueSeconds: 600 },
      ...others,
    };
  }
}

function nameOf(repository: string): string {
  return repository.split("/")[1] ?? "";
}

/** What a build does instead of asking the host for a run; it leaves what a run would. */
function stepScript(acts: string, runs: string): string {
  const [from, to] = ["2026-01-01T10:00:00.000Z", "2026-01-01T10:01:40.000Z"];
  return `set -eu
folder=${runs}/$CCCI_ID
act=${acts}/$CCCI_RECIPE.$CCCI_PULL
mkdir -p "$folder"
while [ -e "$act.hold" ]; do sleep 0.2; done
outcome=passed reason=null
if [ -e "$act.fail" ]; then
  outcome=failed reason=$(cat "$act.fail")
  printf '{"at":"${from}","from":"stdout","text":%s}\\n' "$(cat "$act.log")" > "$folder/log.jsonl"
fi
cat > "$folder/new" <<END
{
  "version": ${runVersion},
  "request": {
    "id": "$CCCI_ID", "recipe": "$CCCI_RECIPE", "repository": "$CCCI_REPOSITORY",
    "pull": $CCCI_PULL, "commit": "$CCCI_COMMIT", "quick": $CCCI_QUICK
  },
  "outcome": "$outcome", "reason": $reason, "startedAt": "${from}", "endedAt": "${to}",
  "stages": [
    {
      "name": "install", "status": "$outcome", "reason": $reason,
      "startedAt": "${from}", "endedAt": "${to}"
    }
  ]
}
END
mv "$folder/new" "$folder/results.json"
[ $outcome = passed ]
`;
}
