import { describe, expect, test } from "vitest";
import { freePort } from "../forge/gitea.ts";
import type { OpenPull } from "./forge.ts";
import { delivery, hook, seldom } from "./hook.ts";
import { sharedStage } from "./shared-stage.ts";
import { type Changes, hookKey, type Stage } from "./stage.ts";

describe.concurrent("in mode webhook", () => {
  const shared = sharedStage();

  test("a comment becomes a test because the forge tells of it, and of nothing else", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository, port } = await hooked(stage);
    await using _ = bridge;
    await using __ = await hook(stage, port);
    const [pull, fork] = [
      await stage.forge.pull(repository),
      await stage.forge.pullFromFork(stage.forge.stranger, repository),
    ];
    // when
    const comment = await stage.forge.ask(pull);
    const refused = await stage.forge.comment(stage.forge.stranger, fork, "!testme");
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await stage.forge.reacts(repository, comment, "+1");
    expect(await bridge.judged(refused)).toMatchObject({ why: "not-a-member" });
  });

  test("[1] a comment that is edited is told of as such, and is none", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository, port } = await hooked(stage);
    await using _ = bridge;
    await using __ = await hook(stage, port);
    const pull = await stage.forge.pull(repository);
    const comment = await stage.forge.ask(pull, "Looks fine to me.");
    // when
    await stage.forge.editComment(stage.forge.member, repository, comment, "!testme");
    // then
    expect(await stage.passesOver(bridge, pull, comment)).toBe(true);
  });

  test("[15] a push makes a result stale because the forge tells of it", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository, port } = await hooked(stage);
    await using _ = bridge;
    await using __ = await hook(stage, port);
    const pull = await stage.forge.pull(repository);
    expect(await bridge.ended(await stage.forge.ask(pull))).toMatchObject({ outcome: "passed" });
    await stage.forge.statusSays(pull, "passed after");
    // when
    const head = await stage.forge.push(pull);
    // then
    await stage.forge.statusSays(pull, head);
  });

  test("a delivery that is lost is found by the look that goes back further", async () => {
    const { stage } = shared();
    // given: nobody delivers
    const { bridge, repository } = await hooked(stage, { sweepSeconds: 2 });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
  });

  test.for([["goes on"], ["is killed meanwhile"]] as const)(
    "[1] [12] a forge that is away once it has told has no comment lost by a bridge that %s, and one that is deleted is none",
    async ([what]) => {
      const { stage } = shared();
      // given
      const { gate, server } = await stage.gateToForge();
      const { bridge, repository, port } = await hooked(stage, { forge: { server } });
      await using _ = bridge;
      await using __ = await hook(stage, port);
      const pull = await stage.forge.pull(repository);
      await gate.stop();
      const deleted = await stage.forge.ask(pull, "!testme help");
      const comment = await stage.forge.ask(pull);
      await bridge.says("not now");
      await stage.forge.deleteComment(stage.forge.member, repository, deleted);
      // when
      if (what === "is killed meanwhile") {
        await bridge.kill();
        await bridge.start();
      }
      await gate.open();
      // then
      expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
      await stage.forge.statusSays(pull, "passed after");
      expect(await stage.builds.of(pull)).toHaveLength(1);
      expect(await stage.forge.answers(pull)).toHaveLength(1);
    },
  );

  test("[12] a Drone that is away has tests wait for it", async () => {
    const { stage } = shared();
    // given
    const { gate, server } = await stage.gateToDrone();
    const { bridge, repository, port } = await hooked(stage, { drone: { server } });
    await using _ = bridge;
    await using __ = await hook(stage, port);
    const pull = await stage.forge.pull(repository);
    await gate.stop();
    // when
    const comment = await stage.forge.ask(pull);
    await bridge.says("not now");
    await gate.open();
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("[13] [16] a newer commit takes the place of the test that goes on, and `cancel` ends that", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository, port } = await hooked(stage);
    await using _ = bridge;
    await using __ = await hook(stage, port);
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const old = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    const head = await stage.forge.push(pull);
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(old)).toMatchObject({ outcome: "superseded" });
    await stage.forge.statusSays(pull, "running since");
    // when
    const cancel = await stage.forge.ask(pull, "!testme cancel");
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "cancelled", head });
    await stage.forge.reacts(repository, cancel, "+1");
    const builds = await stage.builds.of(pull);
    expect(builds.map(({ status }) => status)).toEqual(["killed", "killed"]);
    stage.builds.release(pull);
  });

  test("[11] a delivery that comes several times starts nothing twice", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await hooked(stage);
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    const comment = await stage.forge.ask(pull);
    const deliver = async () => await delivery(bridge, pull, comment);
    // when
    const answers = [
      await deliver(),
      await deliver(),
      ...(await Promise.all([deliver(), deliver()])),
    ];
    await bridge.ended(comment);
    answers.push(await deliver());
    // then
    expect(answers).toEqual(Array(5).fill(202));
    const other = await stage.forge.ask(pull, "!testme help");
    await delivery(bridge, pull, other);
    expect(await stage.forge.repliesTo(pull, other)).toHaveLength(1);
    expect(await stage.builds.of(pull)).toHaveLength(1);
    expect(bridge.wholeLog.filter((each) => each.msg === "took in")).toHaveLength(2);
  });

  test("[20] while a key takes the other's place both count, and then the new one alone", async () => {
    const { stage } = shared();
    // given
    const newKey = "the-next-key-of-the-hook-987654";
    const { bridge, repository, port } = await hooked(stage);
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // when
    await bridge.stop();
    bridge.give("webhookKey", newKey);
    bridge.give("previousWebhookKey", hookKey);
    await bridge.start();
    // then: of the forge with the old one, and with the new one
    for (const key of [hookKey, newKey]) {
      await using _hook = await hook(stage, port, { secret: key });
      await bridge.judged(await stage.forge.ask(pull, "!testme help"));
    }
    // when
    await bridge.stop();
    bridge.take("previousWebhookKey");
    await bridge.start();
    // then
    const comment = await stage.forge.ask(pull, "!testme help");
    expect(await delivery(bridge, pull, comment, hookKey)).toBe(401);
    expect(await delivery(bridge, pull, comment, "")).toBe(401);
    expect(await delivery(bridge, pull, comment, newKey)).toBe(202);
    await bridge.judged(comment);
  });

  test("[11] changing to it and back loses nothing and repeats nothing", async () => {
    const { stage } = shared();
    // given
    const port = await freePort();
    const repository = await stage.forge.recipe();
    const polls: Changes = { mode: "poll" };
    const isTold: Changes = { mode: "webhook", ...seldom, listen: { port } };
    const bridge = stage.bridge([repository], polls);
    await using _ = bridge;
    await using __ = await hook(stage, port);
    await bridge.start();
    await bridge.looks();
    const pulls: OpenPull[] = [];
    const comments: number[] = [];
    const somebodyAsks = async () => {
      const pull = await stage.forge.pull(repository);
      stage.builds.hold(pull);
      pulls.push(pull);
      comments.push(await stage.forge.ask(pull));
    };
    await somebodyAsks();
    await bridge.judged(comments[0] ?? 0);
    // when
    for (const changes of [isTold, polls]) {
      await bridge.stop();
      await somebodyAsks();
      bridge.configure(stage.settings([repository], changes));
      await bridge.start();
      await somebodyAsks();
      await bridge.judged(comments.at(-1) ?? 0);
    }
    // then
    for (const [index, pull] of pulls.entries()) {
      stage.builds.release(pull);
      expect(await bridge.ended(comments[index] ?? 0)).toMatchObject({ outcome: "passed" });
      await stage.forge.statusSays(pull, "passed after");
      expect(await stage.builds.of(pull)).toHaveLength(1);
      expect(await stage.forge.answers(pull)).toHaveLength(1);
    }
    expect(comments).toHaveLength(5);
    for (const message of ["took in", "judged", "ended"]) {
      expect(bridge.wholeLog.filter(({ msg }) => msg === message)).toHaveLength(5);
    }
  });
});

/** A bridge that is told of comments, at a port that is known before. */
async function hooked(stage: Stage, changes: Changes = {}) {
  const port = await freePort();
  const found = await stage.bridged({ mode: "webhook", ...seldom, listen: { port }, ...changes });
  return { ...found, port };
}
