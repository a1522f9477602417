import type { Bridge } from "../../../../services/bridge/pipeline/bridge.ts";
import type { Membership, Page } from "../../../../services/lib/forge/client.ts";
import type {
  ForgeComment,
  ForgeUser,
  FoundPull,
  Pull,
  PullEvent,
} from "../../../../services/lib/forge/schemas.ts";
import { ForgeRefusal } from "../../../../services/lib/forge/trouble.ts";
import { bot, type FakeComment, type FakeForge, headOf, seen } from "./fake-forge.ts";
import type { Way } from "./life.ts";

/** How long the forge takes for anything, in milliseconds. */
const callMilliseconds = 30;

/** The forge, as one life of the bridge can speak to it. */
export class ForgeDoor implements Pick<Bridge["forge"], keyof Bridge["forge"]> {
  readonly #forge: FakeForge;
  readonly #way: Way;
  #quietUntil = 0;
  readonly hooks = notUsed;
  readonly removeHook = notUsed;

  constructor(forge: FakeForge, way: Way) {
    this.#forge = forge;
    this.#way = way;
  }

  get quietMilliseconds(): number {
    return Math.max(0, this.#quietUntil - this.#forge.clock.steady);
  }

  async user(): Promise<ForgeUser> {
    return await this.#call(() => bot);
  }

  async membership(_organisation: string, login: string): Promise<Membership> {
    return await this.#call(() => (this.#forge.members.has(login) ? "member" : "none"));
  }

  async isInTeam(_team: number, _login: string): Promise<boolean> {
    return await this.#call(() => true);
  }

  async largestPage(): Promise<number> {
    return await this.#call(() => this.#forge.largestPage);
  }

  async mayComment(): Promise<boolean> {
    return await this.#call(() => true);
  }

  async movedPulls(_owner: string, since: Date, page: Page): Promise<readonly FoundPull[]> {
    const from = Math.floor(since.getTime() / 1000) * 1000;
    return await this.#call(() => {
      const moved = this.#forge.pulls.filter(({ updatedAt }) => updatedAt.getTime() >= from);
      const found = this.#forge.pageOf(moved, page);
      if (found.some((pull) => this.#forge.fat.has(pull))) throw no(0, "too-long");
      return found.map(({ repository, number, updatedAt }) => ({ repository, number, updatedAt }));
    });
  }

  async comments(slug: string, since: Date, page: Page): Promise<readonly ForgeComment[]> {
    return await this.#call(() =>
      this.#forge.pageOf(this.#forge.commentsSince(slug, since), page).map(seen),
    );
  }

  async comment(slug: string, id: number): Promise<ForgeComment | undefined> {
    return await this.#call(() => {
      if (this.#forge.strange.has(id)) throw no(418, "broken");
      const found = this.#forge.comments.get(id);
      return found?.repository === slug ? seen(found) : undefined;
    });
  }

  async pull(slug: string, number: number): Promise<Pull> {
    return await this.#call(() => {
      const pull = this.#pull(slug, number);
      const { isOpen, createdAt, isForeign } = pull;
      const branches = { into: "main", mainBranch: "main" };
      return { number, isOpen, createdAt, isForeign, head: headOf(pull), base: slug, ...branches };
    });
  }

  async pullHead(slug: string, number: number): Promise<string | undefined> {
    return await this.#call(() => {
      const pull = this.#pull(slug, number);
      return this.#forge.behind.has(pull) ? pull.heads.at(-2) : headOf(pull);
    });
  }

  async eventsOf(slug: string, number: number, page: Page): Promise<readonly PullEvent[]> {
    return await this.#call(() => {
      const pull = this.#pull(slug, number);
      const comments = this.#forge
        .commentsSince(slug, new Date(0))
        .filter((each) => each.pull === number)
        .map(({ id, createdAt }) => ({ id, type: "comment", createdAt, pushed: undefined }));
      const events = [...pull.events, ...comments].toSorted(
        (left, right) => left.createdAt.getTime() - right.createdAt.getTime() || left.id - right.id,
      );
      return this.#forge.pageOf(events, page);
    });
  }

  async branchHead(_slug: string, _branch: string): Promise<string> {
    return await this.#call(() => this.#forge.branchHead);
  }

  async postComment(slug: string, number: number, body: string): Promise<number> {
    return await this.#call(() => {
      const pull = this.#pull(slug, number);
      refuseBlocked(pull);
      return this.#forge.write(pull, bot, { body, asks: { for: "nothing" } }).id;
    });
  }

  async editComment(slug: string, id: number, body: string): Promise<void> {
    await this.#call(() => {
      const comment = this.#comment(slug, id);
      if (comment.user.id !== bot.id) throw no(403, "not-allowed");
      this.#forge.edit(comment, { body, asks: { for: "nothing" } });
    });
  }

  async react(slug: string, id: number, content: string): Promise<void> {
    await this.#call(() => {
      const comment = this.#comment(slug, id);
      if (comment.pull !== undefined) refuseBlocked(this.#pull(slug, comment.pull));
      if (this.#forge.unknownReactions.has(content)) throw no(403, "not-allowed");
      const own = comment.reactions.get(bot.login) ?? new Set();
      comment.reactions.set(bot.login, own.add(content));
    });
  }

  async unreact(slug: string, id: number, content: string): Promise<void> {
    await this.#call(() => {
      // The client takes one that is gone for done.
      const comment = this.#forge.comments.get(id);
      if (comment?.repository === slug) comment.reactions.get(bot.login)?.delete(content);
    });
  }

  #pull(slug: string, number: number) {
    const pull = this.#forge.pullOf(slug, number);
    if (pull === undefined) throw no(404, "not-found");
    return pull;
  }

  #comment(slug: string, id: number): FakeComment {
    const comment = this.#forge.comments.get(id);
    if (comment === undefined || comment.repository !== slug) throw no(404, "not-found");
    return comment;
  }

  async #call<Result>(perform: () => Result): Promise<Result> {
    const { life, pause } = this.#way;
    const { trouble, clock } = this.#forge;
    clock.pass(callMilliseconds);
    return await life.call(pause, () => {
      if (trouble.mood === "silent") throw new ForgeRefusal("silent", "no answer");
      if (trouble.mood === "failing") throw no(500, "silent");
      if (trouble.mood === "strange") throw no(418, "broken");
      if (trouble.mood === "busy") {
        this.#quietUntil = clock.steady + 60_000;
        throw new ForgeRefusal("silent", "too many", { status: 429, retryAfterSeconds: 60 });
      }
      const isLost = trouble.isLost();
      const result = perform();
      if (isLost) throw new ForgeRefusal("silent", "the answer was cut short");
      return result;
    });
  }
}

async function notUsed(): Promise<never> {
  throw new Error("this is not for the bridge");
}

function refuseBlocked({ isBlocked }: { readonly isBlocked: boolean }): void {
  if (isBlocked) throw new ForgeRefusal("not-allowed", "user is blocked", { status: 403 });
}

function no(status: number, trouble: ForgeRefusal["trouble"]): ForgeRefusal {
  return new ForgeRefusal(trouble, `says ${status}`, { status });
}
