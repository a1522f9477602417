import { describe, expect, test } from "vitest";
import { organisation } from "./forge.ts";
import { sharedStage } from "./shared-stage.ts";

describe.concurrent("tests", () => {
  const shared = sharedStage();

  test("[14] that one person may ask for are limited", async () => {
    const { stage } = shared();
    // given
    const limits = { perPersonAndHour: 1 };
    const { bridge, repository } = await stage.bridged({ limits });
    await using _ = bridge;
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    const { person } = await stage.forge.colleague("colleague");
    // when
    const comments = [
      ...[await stage.forge.ask(pull), await stage.forge.ask(other)],
      await stage.forge.comment(person, other, "!testme"),
    ];
    // then
    const verdicts = await Promise.all(comments.map((each) => bridge.judged(each)));
    expect(verdicts).toMatchObject([
      { verdict: "accepted" },
      { verdict: "refused", why: "too-many-of-person" },
      { verdict: "accepted" },
    ]);
    expect(await stage.forge.repliesTo(other, comments[1] ?? 0)).toEqual([
      expect.stringMatching(/^You have asked for as many tests as one person may.*\(1\)/),
    ]);
  });

  test("[14] of one pull request are limited", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged({ limits: { perPullAndHour: 1 } });
    await using _ = bridge;
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    await bridge.ended(await stage.forge.ask(pull));
    // when
    const comments = [await stage.forge.ask(pull), await stage.forge.ask(other)];
    // then
    const verdicts = await Promise.all(comments.map((each) => bridge.judged(each)));
    expect(verdicts).toMatchObject([
      { verdict: "refused", why: "too-many-of-pull" },
      { verdict: "accepted" },
    ]);
    const [reply] = await stage.forge.repliesTo(pull, comments[0] ?? 0);
    expect(reply).toContain("tests were asked for here as may be within an hour (1)");
  });

  test("[14] that wait are limited", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged({ limits: { waiting: 1 } });
    await using _ = bridge;
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    stage.builds.hold(pull);
    const first = await stage.forge.ask(pull);
    await bridge.judged(first);
    // when
    const second = await stage.forge.ask(other);
    // then
    const [reply] = await stage.forge.repliesTo(other, second);
    expect(reply).toContain("tests wait or run as may at once (1)");
    // when
    stage.builds.release(pull);
    await bridge.ended(first);
    // then
    expect(await bridge.judged(await stage.forge.ask(other))).toMatchObject({
      verdict: "accepted",
    });
  });

  test("[25] are not taken while the operator says so, with `help` and `status` answered", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged();
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    bridge.close("Docker is being updated, ask @owner");
    // when
    const comments = [
      ...[await stage.forge.ask(pull), await stage.forge.ask(pull, "!testme help")],
      await stage.forge.ask(pull, "!testme status"),
    ];
    // then
    const [refused, help, status] = await Promise.all(
      comments.map(async (each) => (await stage.forge.repliesTo(pull, each))[0]),
    );
    expect(refused).toContain("No tests are taken at the moment: Docker is being updated");
    expect(refused).not.toContain("@owner");
    expect(help).toContain("What can be written here");
    expect(status).toContain("No tests are taken at the moment");
    // when
    bridge.reopen();
    // then
    expect(await bridge.ended(await stage.forge.ask(pull))).toMatchObject({ outcome: "passed" });
  });

  test("[25] that were taken and have no build yet are ended when the operator says so", async () => {
    const { stage } = shared();
    // given
    const { repository, bridge } = await stage.frozen();
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    const comment = await stage.forge.ask(pull);
    await bridge.freezes();
    // when
    bridge.close("");
    bridge.goOn();
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "refused", build: null });
    await stage.forge.statusSays(pull, "No tests are taken at the moment");
  });

  test("that wait for a place say at which they are", async () => {
    const { stage } = shared();
    // given
    const ci = await stage.otherCi(stage.builds.pipeline({ labels: { nobody: "takes" } }));
    const { bridge, repository } = await stage.bridged({ drone: { repository: ci } });
    await using _ = bridge;
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    // when
    const first = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "queued, at place 1 of 1");
    await stage.forge.ask(other);
    // then
    await stage.forge.statusSays(other, "queued, at place 2 of 2");
    // when
    await stage.forge.ask(pull, "!testme cancel");
    // then
    expect(await bridge.ended(first)).toMatchObject({ outcome: "cancelled" });
    await stage.forge.statusSays(other, "queued, at place 1 of 1");
    const [build] = await stage.builds.of(pull, ci);
    expect(build?.status).toBe("killed");
  });

  test("[19] that wait for too long are ended", async () => {
    const { stage } = shared();
    // given
    const ci = await stage.otherCi(stage.builds.pipeline({ labels: { nobody: "takes" } }));
    const changes = { drone: { repository: ci }, queueSeconds: 1 };
    const { bridge, repository } = await stage.bridged(changes);
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "not-reached" });
    await stage.forge.statusSays(pull, "⚠️ never began");
    await stage.forge.reacts(repository, comment, "confused");
  });

  test("[19] that go on for too long are ended", async () => {
    const { stage } = shared();
    // given
    const { bridge, repository } = await stage.bridged({ buildSeconds: 1 });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "timed-out" });
    await stage.forge.statusSays(pull, "❌ took too long");
    await stage.forge.reacts(repository, comment, "-1");
    expect((await stage.builds.of(pull)).map(({ status }) => status)).toEqual(["killed"]);
    stage.builds.release(pull);
  });

  test("of two recipes go on beside each other", async () => {
    const { stage } = shared();
    // given
    const recipes = [await stage.forge.recipe(), await stage.forge.recipe()];
    const bridge = stage.bridge(recipes, { dashboard: "https://ci.example.org/recipes" });
    await using _ = bridge;
    await bridge.start();
    await bridge.looks();
    const pulls = [
      await stage.forge.pull(recipes[0] ?? ""),
      await stage.forge.pull(recipes[1] ?? ""),
    ];
    for (const pull of pulls) stage.builds.hold(pull);
    // when
    for (const pull of pulls) await stage.forge.ask(pull);
    // then
    for (const pull of pulls) await stage.forge.statusSays(pull, "running since");
    for (const pull of pulls) stage.builds.release(pull);
    for (const pull of pulls) {
      const text = await stage.forge.statusSays(pull, "passed after");
      const recipe = pull.repository.slice(organisation.length + 1);
      expect(text).toContain(`**${recipe}** at`);
      expect(text).toContain(`(https://ci.example.org/recipes/${recipe})`);
    }
  });
});
