import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Front } from "../drone/front.ts";
import { createToken } from "../forge/account.ts";
import { bridgeScopes } from "../forge/recipes.ts";
import { until } from "../host/machine/processes.ts";
import { sharedStage } from "./shared-stage.ts";

describe.concurrent("a comment", () => {
  const shared = sharedStage();

  test("[5] of who is no member is told so once, whoever's the pull request is", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pullFromFork(stage.forge.stranger, repository);
    // when
    const first = await stage.forge.comment(stage.forge.stranger, pull, `!testme ${pull.head}`);
    const second = await stage.forge.comment(stage.forge.stranger, pull, "!testme cancel");
    const third = await stage.forge.comment(stage.forge.stranger, pull, "!tetsme");
    // then
    expect(await bridge.judged(first)).toMatchObject({ verdict: "refused", why: "not-a-member" });
    for (const comment of [second, third]) {
      expect(await bridge.judged(comment)).toMatchObject({ verdict: "ignored" });
    }
    expect(await stage.forge.repliesTo(pull, first)).toEqual([
      "Only members of recipes can ask for a test: please ask one of them.",
    ]);
    await stage.forge.reacts(repository, first, "-1");
    expect(await stage.forge.answers(pull)).toHaveLength(1);
    expect(await stage.builds.of(pull)).toEqual([]);
  });

  test("[5] of who is no member on a member's pull request is refused too", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    // when
    const comment = await stage.forge.comment(stage.forge.stranger, pull, "!testme");
    // then
    expect(await bridge.judged(comment)).toMatchObject({ verdict: "refused" });
  });

  test("[3] of the bridge's own account is none, whatever it says", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    // when
    const comment = await stage.forge.comment(stage.forge.bot.account, pull, "!testme");
    // then
    expect(await stage.passesOver(bridge, pull, comment)).toBe(true);
  });

  test("[3] of a program that is to be ignored is none", async () => {
    const { stage } = shared();
    // given
    const { person } = await stage.forge.colleague("renovate");
    const ignore = [person.login.toUpperCase()];
    const { bridge, repository } = await stage.bridged({ forge: { ignore } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // when
    const comment = await stage.forge.comment(person, pull, "!testme");
    // then
    expect(await stage.passesOver(bridge, pull, comment)).toBe(true);
  });

  test("[1] that becomes a command by an edit is none", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    const comment = await stage.forge.ask(pull, "Looks fine to me.");
    await until("a later second", 5, async () => {
      const { created_at, updated_at } = await stage.forge.editComment(
        ...([stage.forge.member, repository, comment, `At ${Date.now()}.`] as const),
      );
      return updated_at === created_at ? undefined : true;
    });
    // when
    await stage.forge.editComment(stage.forge.member, repository, comment, "!testme");
    // then
    expect(await stage.passesOver(bridge, pull, comment)).toBe(true);
  });

  test("[2] that says something else when it is read again is none, also within its second", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfForge();
    const { bridge, repository } = await stage.bridged({ forge: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    const { reads, letThem } = holdReads(front);
    const comment = await stage.forge.ask(pull);
    await reads(comment);
    // when
    await stage.forge.editComment(stage.forge.member, repository, comment, "!testme --quick");
    await stage.forge.sameSecond(comment);
    letThem();
    // then
    expect(await bridge.judged(comment)).toMatchObject({ verdict: "withdrawn" });
    expect(await stage.forge.answers(pull)).toEqual([]);
  });

  test("[2] that is gone when it is read again is none", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfForge();
    const { bridge, repository } = await stage.bridged({ forge: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    const { reads, letThem } = holdReads(front);
    const comment = await stage.forge.ask(pull);
    await reads(comment);
    // when
    await stage.forge.deleteComment(stage.forge.member, repository, comment);
    letThem();
    // then
    expect(await bridge.judged(comment)).toMatchObject({ verdict: "withdrawn" });
    expect(await stage.forge.answers(pull)).toEqual([]);
  });

  test("[1] that is deleted or edited after its test was accepted has that go on", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    await stage.forge.deleteComment(stage.forge.member, repository, comment);
    stage.builds.release(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await stage.forge.statusSays(pull, "passed after");
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("[6] on a repository that is not enrolled is none", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const [pull, other] = [
      await stage.forge.pull(repository),
      await stage.forge.pull(await stage.forge.recipe()),
    ];
    // when
    const comment = await stage.forge.ask(other);
    // then
    expect(await stage.passesOver(bridge, pull, comment)).toBe(true);
    expect(await stage.forge.answers(other)).toEqual([]);
  });

  test("[6] on an issue is none", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    const schema = z.object({ number: z.int() });
    const issue = await stage.forge.does(
      ...([
        stage.forge.member,
        schema,
        "POST",
        `repos/${repository}/issues`,
        { title: "Help" },
      ] as const),
    );
    // when
    const comment = await stage.forge.comment(
      stage.forge.member,
      { repository, ...issue },
      "!testme",
    );
    // then
    expect(await stage.passesOver(bridge, pull, comment)).toBe(true);
  });

  test("[6] about a line of the change is none, nor is a review", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    // when
    await stage.forge.does(
      ...([stage.forge.member, z.unknown(), "POST"] as const),
      `repos/${repository}/pulls/${pull.number}/reviews`,
      {
        ...{ event: "COMMENT", body: "!testme" },
        comments: [{ path: `${pull.branch}.txt`, body: "!testme", new_position: 1 }],
      },
    );
    // then
    await bridge.judged(await stage.forge.ask(pull, "!testme help"));
    const taken = bridge.wholeLog.filter(
      ({ msg, pull: number }) => msg === "took in" && number === pull.number,
    );
    expect(taken).toHaveLength(1);
  });

  test("[5] of who is not in the team that may ask is refused, and of who is is followed", async () => {
    const { stage } = shared();
    // given
    const { person: tester, team } = await stage.forge.colleague("tester");
    await stage.forge.join(team, stage.forge.bot.account);
    const { bridge, repository } = await stage.bridged({ forge: { team } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // when
    const [outside, inside] = [
      await stage.forge.ask(pull),
      await stage.forge.comment(tester, pull, "!testme"),
    ];
    // then
    expect(await bridge.judged(outside)).toMatchObject({ verdict: "refused", why: "not-in-team" });
    expect(await bridge.judged(inside)).toMatchObject({ verdict: "accepted" });
  });

  test("[5] of who is not among those that alone may ask is refused, and of who is is followed", async () => {
    const { stage } = shared();
    // given
    const { person } = await stage.forge.colleague("other");
    const only = [stage.forge.member.login, stage.forge.stranger.login];
    const { bridge, repository } = await stage.bridged({ forge: { only } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // when
    const comments = [person, stage.forge.stranger, stage.forge.member].map(
      async (who) => await bridge.judged(await stage.forge.comment(who, pull, "!testme")),
    );
    // then
    expect(await Promise.all(comments)).toMatchObject([
      { verdict: "refused", why: "not-in-team" },
      { verdict: "refused", why: "not-a-member" },
      { verdict: "accepted" },
    ]);
  });

  test("[5] waits while the bridge's account is no member itself, which its health says", async () => {
    const { stage } = shared();
    // given
    const bot = await stage.forge.newBot();
    const { bridge, repository } = await stage.bridged({}, bot);
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    expect(await bridge.health()).toEqual({ status: 200, ok: true, problems: [] });
    // when
    await stage.forge.leave(bot.account);
    const comments = [
      await stage.forge.ask(pull),
      await stage.forge.comment(stage.forge.stranger, pull, "!testme"),
    ];
    // then
    const health = await until("word of it", 90, async () => {
      const { status, problems } = await bridge.health();
      return status === 503 ? problems : undefined;
    });
    expect(health).toEqual([
      expect.stringContaining(`${bot.account.login} is no member of recipe`),
    ]);
    expect(await stage.forge.answers(pull, bot)).toEqual([]);
    // when
    await stage.forge.join(await stage.forge.teamOf("robots"), bot.account);
    // then
    const verdicts = comments.map(async (comment) => await bridge.judged(comment));
    expect(await Promise.all(verdicts)).toMatchObject([
      { verdict: "accepted" },
      { verdict: "refused" },
    ]);
    expect(await bridge.health()).toMatchObject({ ok: true });
  });

  test("is none as long as the bridge's token may read, and not comment", async () => {
    const { stage } = shared();
    // given
    const { account } = await stage.forge.newBot();
    const scopes = bridgeScopes.map((scope) => scope.replace("write:", "read:"));
    const { url } = stage.scene.gitea;
    const token = await createToken(url, account.login, account.password, scopes);
    // when
    const bridge = stage.bridge([await stage.forge.recipe()], {}, { account, token });
    await using _ = bridge;
    await bridge.start();
    // then
    await until("word of it", 90, async () => {
      const { problems } = await bridge.health();
      return problems[0]?.includes("it may read, and not comment") ? true : undefined;
    });
  });

  test("[5] is none as long as the bridge's account is not in the team that may ask", async () => {
    const { stage } = shared();
    // given
    const { team } = await stage.forge.colleague("tester");
    // when
    const bridge = stage.bridge([await stage.forge.recipe()], { forge: { team } });
    await using _ = bridge;
    await bridge.start();
    // then
    await until("word of it", 90, async () => {
      const { problems } = await bridge.health();
      return problems[0]?.includes(`is not in team ${team} of recipes`) ? true : undefined;
    });
  });

  /** Has each look at a comment wait. */
  function holdReads(front: Front) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const waiting = new Set<number>();
    front.decide = async ({ path }) => {
      const id = /\/issues\/comments\/(\d+)$/.exec(path)?.[1];
      if (id === undefined) return undefined;
      waiting.add(Number(id));
      return await promise;
    };
    return {
      reads: async (comment: number) => {
        await until(`a look at ${comment}`, 30, () => waiting.has(comment) || undefined);
      },
      letThem: () => resolve(undefined),
    };
  }
});
