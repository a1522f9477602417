import type { Request } from "../../../../services/bridge/records/requests.ts";
import { statusMarker } from "../../../../services/bridge/words/status-comment.ts";
import type { RunRequest } from "../../../../services/lib/run.ts";
import { type FakeBuild, type FakeDrone, isOver } from "./fake-drone.ts";
import { bot, type FakeComment, type FakeForge, headOf } from "./fake-forge.ts";
import type { Asks } from "./words.ts";

export interface Judged {
  readonly verdict: string;
  readonly wasMember: boolean;
  readonly asks: Asks;
}

interface Seen {
  readonly forge: FakeForge;
  readonly drone: FakeDrone;
  /** A test, as the bridge has it. */
  readonly requestOf: (id: string) => Request | undefined;
  /** Whether the bridge says itself that there may be a build of a test that it does not know of. */
  readonly isInDoubt: (id: string) => boolean;
}

/** Looks at all that the bridge decides and does, and knows by the forge itself what of it is wrong. */
export class Witness {
  readonly #seen: Seen;
  readonly #wrong: string[] = [];
  readonly judged = new Map<number, Judged>();
  /** By the id of a test. */
  readonly outcomes = new Map<string, string>();

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  /** What was wrong so far. */
  wrong(): readonly string[] {
    return [...this.#wrong, ...this.#doubleBuilds(), ...this.#doubleComments()];
  }

  /** A comment was decided about, in this very moment. */
  judges(id: number, verdict: string): void {
    const { forge } = this.#seen;
    if (this.judged.has(id)) this.#wrong.push(`comment ${id} was judged twice`);
    const comment = forge.comments.get(id) ?? forge.gone.get(id);
    if (comment === undefined) {
      this.#wrong.push(`comment ${id} was judged, which never was`);
      return;
    }
    const wasMember = forge.members.has(comment.user.login);
    this.judged.set(id, { verdict, wasMember, asks: comment.asks });
    if (verdict === "accepted") this.#mayBeAccepted(comment);
  }

  #mayBeAccepted(comment: FakeComment): void {
    const { forge } = this.#seen;
    const { id, user, createdAt, updatedAt, asks, repository, pull = 0 } = comment;
    const say = (what: string) => this.#wrong.push(`comment ${id} was accepted, but ${what}`);
    if (!forge.members.has(user.login)) say("it is a stranger's");
    if (!forge.comments.has(id)) say("it is gone");
    if (createdAt.getTime() !== updatedAt.getTime()) say("it was edited");
    if (asks.for !== "test") say("it asks for no test");
    if (forge.pullOf(repository, pull)?.isOpen !== true) say("its pull request is closed");
  }

  /** Drone is asked for a build, in this very moment. */
  asks({ id, repository, pull: number, commit, quick }: RunRequest): void {
    const { forge, requestOf } = this.#seen;
    const say = (what: string) => this.#wrong.push(`a build of ${id} was asked for, but ${what}`);
    const asked = requestOf(id)?.comment ?? 0;
    const comment = forge.comments.get(asked) ?? forge.gone.get(asked);
    const pull = forge.pullOf(repository, number ?? 0);
    if (comment === undefined || pull === undefined) {
      say("it is of no comment");
      return;
    }
    const judged = this.judged.get(comment.id);
    if (judged?.verdict !== "accepted" || judged.asks.for !== "test") {
      say("it was not accepted");
      return;
    }
    const { asks } = judged;
    if (comment.repository !== repository || comment.pull !== number) say("of another place");
    if (asks.quick !== quick) say("not as it was asked for");
    if (commit !== (asks.commit ?? comment.head)) say("of another commit than was meant");
    if (commit !== headOf(pull)) say("of a commit that is not the newest any more");
    if (!pull.isOpen) say("its pull request is closed");
    if (this.outcomes.has(id)) say("it has ended");
  }

  /** A build is ended by the bridge, in this very moment. */
  cancels({ params, number, after }: FakeBuild): void {
    const request = this.#seen.requestOf(params.CCCI_ID ?? "");
    const isTheOne = request?.build === number && request.ciCommit === after;
    if (!isTheOne || request.phase === "ended" || request.ending !== null) return;
    this.#wrong.push(`build ${number} of ${request.id} was ended, which nobody wanted`);
  }

  /** A test has come to its end, in this very moment. */
  ends(id: string, outcome: string): void {
    const { drone, isInDoubt } = this.#seen;
    if (this.outcomes.has(id)) this.#wrong.push(`test ${id} ended twice`);
    this.outcomes.set(id, outcome);
    const build = drone.builds.find(({ params }) => params.CCCI_ID === id);
    const goesOn = build !== undefined && !isOver(build) && !isInDoubt(id);
    if (goesOn) this.#wrong.push(`test ${id} ended as ${outcome}, but its build goes on`);
  }

  #doubleBuilds(): readonly string[] {
    const { builds } = this.#seen.drone;
    const ids = builds.map(({ params }: FakeBuild) => params.CCCI_ID ?? "");
    return twice(ids).map((id) => `there are two builds of ${id}`);
  }

  #doubleComments(): readonly string[] {
    const { forge } = this.#seen;
    return forge.pulls.flatMap((pull) => {
      const heads = forge.saidBy(bot, pull).map(({ body }) => body.split("\n", 1)[0] ?? "");
      const strange = heads.filter(
        (head) => head !== statusMarker && !/ answer to \d+ /.test(head),
      );
      return [
        ...twice(heads).map((head) => `${head} is on ${pull.repository} twice`),
        ...strange.map((head) => `the bot said ${head}`),
      ];
    });
  }
}

function twice(texts: readonly string[]): readonly string[] {
  return texts.filter((text, index) => texts.indexOf(text) !== index);
}
