import { execFile } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import * as z from "zod";
import { createToken, type ForgeAccount } from "../forge/account.ts";
import type { Gitea } from "../forge/gitea.ts";
import { addTeam, bridgeScopes, makeRecipes } from "../forge/recipes.ts";
import { until } from "../host/machine/processes.ts";

/** Between two looks at the forge for what a bridge writes, in milliseconds. */
const forgePause = 700;

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

/** What the forge is made from. */
interface Ground {
  /** Of the Gitea too. */
  readonly scratch: string;
  readonly gitea: Gitea;
  readonly owner: ForgeAccount;
  readonly stranger: ForgeAccount;
}

/** A forge with an organisation of recipes and its people, and what they do there. */
export class RecipesForge {
  readonly url: string;
  /** Owns all. */
  readonly admin: ForgeAccount;
  readonly bot: Bot;
  /** A member of the organisation, which nobody else can see. */
  readonly member: ForgeAccount;
  readonly stranger: ForgeAccount;
  readonly #gitea: Gitea;
  readonly #scratch: string;
  #count = 0;
  #lastAct: Promise<unknown> = Promise.resolve();

  private constructor(
    { scratch, gitea, owner, stranger }: Ground,
    { bot, member }: { readonly bot: Bot; readonly member: ForgeAccount },
  ) {
    this.#scratch = scratch;
    this.#gitea = gitea;
    this.url = gitea.url;
    this.admin = owner;
    this.stranger = stranger;
    this.bot = bot;
    this.member = member;
  }

  static async on(ground: Ground): Promise<RecipesForge> {
    const {
      bot: account,
      botToken: token,
      member,
    } = await makeRecipes(...([ground.gitea, ground.owner, organisation] as const));
    return new RecipesForge(ground, { bot: { account, token }, member });
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
    return await this.inTurn(async () => await this.#gitea.createAccount(this.name(start)));
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
    const { url } = this.#gitea;
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
    const url = new URL(`${repository}.git`, `${this.#gitea.url}/`);
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
}
