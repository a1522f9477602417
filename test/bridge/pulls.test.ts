import { describe, expect, test } from "vitest";
import * as z from "zod";
import { until } from "../host/machine/processes.ts";
import { sharedStage } from "./shared-stage.ts";

describe.concurrent("a pull request", () => {
  const shared = sharedStage();

  test("[7] that is closed is not tested", async () => {
    const { stage, repository } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    await stage.forge.closePull(pull);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await stage.forge.repliesTo(pull, comment)).toEqual([
      "This pull request is closed: reopen it to have it tested.",
    ]);
    await stage.forge.reacts(repository, comment, "-1");
  });

  test("[7] that is closed between the comment and its build is not tested", async () => {
    const { stage } = shared();
    // given
    const { repository, bridge } = await stage.frozen();
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    const comment = await stage.forge.ask(pull);
    await bridge.freezes();
    // when
    await stage.forge.closePull(pull);
    bridge.goOn();
    // then
    expect(await bridge.ended(comment)).toMatchObject({
      ...{ outcome: "refused", build: null },
      reason: "The pull request was closed before the test began.",
    });
    expect(await stage.builds.of(pull)).toEqual([]);
  });

  test("[8] that is pushed to between the comment and its reading is not tested", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged();
    await using _ = bridge;
    await bridge.stop();
    const pull = await stage.forge.pull(repository);
    const comment = await stage.forge.ask(pull);
    // when
    await stage.forge.push(pull);
    await bridge.start();
    // then
    expect(await bridge.judged(comment)).toMatchObject({ verdict: "refused", why: "pushed" });
    const [reply] = await stage.forge.repliesTo(pull, comment);
    expect(reply).toContain("Something was pushed here after this was written");
    await stage.forge.reacts(repository, comment, "-1");
    expect(await stage.builds.of(pull)).toEqual([]);
  });

  test("[8] that is pushed to between the comment and its build is not tested", async () => {
    const { stage } = shared();
    // given
    const { repository, bridge } = await stage.frozen();
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    const comment = await stage.forge.ask(pull, `!testme ${pull.head}`);
    await bridge.freezes();
    // when
    const head = await stage.forge.push(pull);
    bridge.goOn();
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "refused", build: null });
    await stage.forge.reacts(repository, comment, "confused");
    const text = await stage.forge.statusSays(pull, "⚪ not tested");
    expect(text).toContain("Something was pushed before the test began");
    expect(await stage.builds.of(pull)).toEqual([]);
    // when
    const again = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(again)).toMatchObject({ outcome: "passed", head });
  });

  test("[15] that is pushed to after its test has a result that is called stale", async () => {
    const { stage, repository } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "passed after");
    // when
    const head = await stage.forge.push(pull);
    // then
    const stale = `**This is stale:** the newest commit is now ${head}.`;
    expect(await stage.forge.statusSays(pull, "stale")).toContain(stale);
    // when
    await stage.forge.ask(pull);
    // then
    await stage.forge.statusSays(pull, /^[^\n]*\n\n✅ passed after(?!.*stale)/s);
  });

  test("[9] from a fork is tested at the commit that a member names, by default", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pullFromFork(stage.forge.stranger, repository);
    // when
    const unnamed = await stage.forge.ask(pull);
    const named = await stage.forge.ask(pull, `!testme ${pull.head}`);
    // then
    const [reply] = await stage.forge.repliesTo(pull, unnamed);
    expect(reply).toContain(`This comes from a fork. Please look at it, and name the commit`);
    expect(reply).toContain(`\`!testme ${pull.head}\``);
    expect(await bridge.ended(named)).toMatchObject({ outcome: "passed", head: pull.head });
    const [build] = await stage.builds.of(pull);
    // Never the fork's: the base has its commits too.
    expect(build?.params.CCCI_REPOSITORY).toBe(repository);
  });

  test("[9] from a fork is tested like any other where that is the policy", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged({ forks: "accepted" });
    await using _ = bridge;
    const pull = await stage.forge.pullFromFork(stage.forge.stranger, repository);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed", head: pull.head });
  });

  test("[9] that somebody pushed without a right to push is as one from a fork", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pullWithoutBranch(stage.forge.stranger, repository);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.judged(comment)).toMatchObject({
      ...{ verdict: "refused", why: "fork-without-commit" },
    });
  });

  test("[9] from a fork is never tested where that is the policy", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged({ forks: "refused" });
    await using _ = bridge;
    const pull = await stage.forge.pullFromFork(stage.forge.stranger, repository);
    // when
    const comment = await stage.forge.ask(pull, `!testme ${pull.head}`);
    // then
    expect(await bridge.judged(comment)).toMatchObject({ verdict: "refused", why: "fork" });
    expect(await stage.forge.repliesTo(pull, comment)).toEqual([
      "Pull requests from forks are not tested here.",
    ]);
  });

  test("[7] for another branch than the main one is not tested", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository, "next");
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.judged(comment)).toMatchObject({
      verdict: "refused",
      why: "other-branch",
    });
    expect(await stage.forge.repliesTo(pull, comment)).toEqual([
      "This is to be merged into next, and only what is for main is tested. Change the branch with *Edit*, next to the title.",
    ]);
  });

  test("[7] whose fork is gone is closed, and not tested", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const person = await stage.forge.person("passer-by");
    const pull = await stage.forge.pullFromFork(person, repository);
    const fork = `repos/${person.login}/fork-of-${repository.split("/")[1]}`;
    await stage.forge.does(person, z.unknown(), "DELETE", fork);
    // when
    const comment = await stage.forge.ask(pull, `!testme ${pull.head}`);
    // then
    expect(await bridge.judged(comment)).toMatchObject({ verdict: "refused", why: "closed" });
  });

  test("[21] has a comment answered and not followed that was read a quarter of an hour late", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged();
    await using _ = bridge;
    await bridge.stop();
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    const [late, inTime] = [await stage.forge.ask(pull), await stage.forge.ask(other)];
    await stage.forge.backdate(late, 17);
    await stage.forge.backdate(inTime, 10);
    bridge.remember(`UPDATE cursors SET at = ${Date.now() - 20 * 60_000}`);
    // when
    await bridge.start();
    // then
    expect(await bridge.judged(late)).toMatchObject({ verdict: "refused", why: "late" });
    expect(await stage.forge.repliesTo(pull, late)).toEqual([
      "This was read only 17 minutes after it was written, so nothing was done. Please write it again.",
    ]);
    expect(await bridge.ended(inTime)).toMatchObject({ outcome: "passed" });
    expect(await stage.builds.of(pull)).toEqual([]);
  });

  test("[18] has one comment of its tests, which is made anew when somebody takes it away", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    const first = await stage.forge.status(pull);
    // when
    await stage.forge.deleteComment(stage.forge.admin, repository, first?.id ?? 0);
    stage.builds.release(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await stage.forge.statusSays(pull, "passed after");
    const second = await stage.forge.status(pull);
    expect(second?.id).not.toBe(first?.id);
    // when
    await bridge.ended(await stage.forge.ask(pull));
    // then
    await stage.forge.statusSays(pull, /Before that:\n\n- ✅ passed after/);
    expect((await stage.forge.status(pull))?.id).toBe(second?.id);
  });

  test("whose author blocks the bridge's account is tested, and nobody is told", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const person = await stage.forge.person("author");
    const pull = await stage.forge.pullFromFork(person, repository);
    const { login } = stage.forge.bot.account;
    await stage.forge.does(person, z.unknown(), "PUT", `user/blocks/${login}`);
    // when
    const comment = await stage.forge.ask(pull, `!testme ${pull.head}`);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await expectQuiet(comment, `${repository}#${pull.number}`);
    expect(await stage.forge.answers(pull)).toEqual([]);
  });

  test("that is locked while it is tested comes to its end, and nobody is told", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    const path = `repos/${repository}/issues/${pull.number}/lock`;
    await stage.forge.does(stage.forge.admin, z.unknown(), "PUT", path, { lock_reason: "Spam" });
    stage.builds.release(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await expectQuiet(comment, `${repository}#${pull.number}`);
  });

  test("of a repository that is archived while it is tested comes to its end", async () => {
    const { stage, bridge: other } = shared();
    // given
    const { bridge, repository } = await stage.bridged();
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    await stage.forge.does(stage.forge.admin, z.unknown(), "PATCH", `repos/${repository}`, {
      archived: true,
    });
    stage.builds.release(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await until("word that nobody can be told", 90, () =>
      bridge.log.some(({ msg }) => msg === "cannot tell") ? true : undefined,
    );
    expect(bridge.log.filter(({ msg }) => msg === "not now")).toEqual([]);
    expect(other.isRunning).toBe(true);
  });

  test("[23] has nobody called and nothing referred to by what its test prints", async () => {
    const { stage, repository } = shared();
    // given
    const bystander = await stage.forge.person("bystander");
    const issue = await stage.forge.does(
      ...([stage.forge.admin, z.object({ number: z.int() }), "POST"] as const),
      ...([`repos/${repository}/issues`, { title: "Another" }] as const),
    );
    const words = `@${bystander.login} | closes #${issue.number} ![x](http://127.0.0.1:1/x) <b>!testme</b>`;
    const calls = async () =>
      await bystander.done(z.array(z.unknown()), "GET", "notifications?all=true");
    const references = async () =>
      (await stage.forge.events({ repository, ...issue }, "comment_ref")).length +
      (await stage.forge.events({ repository, ...issue }, "pull_ref")).length;
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    stage.builds.fail(pull, words, `one ${words}\n\`\`\`\n${words}\n`);
    // when
    const comment = await stage.forge.ask(pull);
    await stage.forge.reacts(repository, comment, "-1");
    const text = await stage.forge.statusSays(pull, "❌ failed after");
    // then
    expect(text).not.toContain(`@${bystander.login}`);
    const rows = text.split("\n").filter((line) => line.startsWith("| install"));
    expect(rows.map((row) => row.split("|").length)).toEqual([6]);
    expect(await calls()).toEqual([]);
    expect(await references()).toBe(0);
    // What a person writes does both.
    await stage.forge.ask(other, words);
    await until("a call", 90, async () => ((await calls()).length > 0 ? true : undefined));
    await until("a reference", 90, async () => ((await references()) > 0 ? true : undefined));
  });

  /** Shows that of what cannot be told of nothing is tried again and again. */
  async function expectQuiet(comment: number, pull: string): Promise<void> {
    const { stage, repository, bridge } = shared();
    const other = await stage.forge.pull(repository);
    await bridge.ended(await stage.forge.ask(other));
    await stage.forge.statusSays(other, "passed after");
    const tried = bridge.acts.filter(({ target = "" }) =>
      [pull, `${repository} ${comment}`].some((each) => target.endsWith(each)),
    );
    // One for each that there was to be told.
    expect(tried.length).toBeLessThan(12);
    const again = bridge.wholeLog.filter(
      ({ msg, item }) => msg === "not now" && [String(comment), pull].includes(String(item)),
    );
    expect(again).toEqual([]);
  }
});
