import { describe, expect, test } from "vitest";
import * as z from "zod";
import { sharedStage } from "./shared-stage.ts";

describe.concurrent("a command on a pull request", () => {
  const shared = sharedStage();

  test("[8] [10] [17] is seen, becomes a build of its head by the CI repository's, and has one answer", async () => {
    const { stage, bridge, repository } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    // when
    const comment = await stage.forge.ask(pull, "Please have a look.\n\n!testme\n");
    // then
    await stage.forge.reacts(repository, comment, "eyes");
    const running = await stage.forge.statusSays(pull, "running since");
    const [build, ...others] = await stage.builds.of(pull);
    expect(others).toEqual([]);
    const { params, after, number } = build ?? {};
    expect(params).toMatchObject({ CCCI_COMMIT: pull.head, CCCI_QUICK: "false" });
    expect(after).toBe(await headOf(stage.ci));
    expect(running).toContain(` at ${pull.head} `);
    expect(running).toContain(`[build ${number}](${stage.drone.server.url}/${stage.ci}/${number})`);
    // when
    stage.builds.release(pull);
    // then
    const text = await stage.forge.statusSays(pull, "✅ passed after");
    expect(text).toContain("| install | ✅ passed | 1 min 40 s |  |");
    await stage.forge.reacts(repository, comment, "+1");
    expect(await bridge.ended(comment)).toMatchObject({ build: number, outcome: "passed" });
    expect(await stage.forge.answers(pull)).toHaveLength(1);
  });

  test("that fails is answered with the stage, why, and the last lines", async () => {
    const { stage, repository } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.fail(pull, "the page said 500", "one\nthe last line\n");
    // when
    const comment = await stage.forge.ask(pull);
    // then
    const text = await stage.forge.statusSays(pull, "❌ failed after");
    expect(text).toContain("| install | ❌ failed | 1 min 40 s | the page said 500 |");
    expect(text).toContain("```text\none\nthe last line\n```");
    await stage.forge.reacts(repository, comment, "-1");
  });

  test("may ask for a quick test, which says so", async () => {
    const { stage, repository } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    // when
    await stage.forge.ask(pull, "!TESTME --quick");
    // then
    expect(await stage.forge.statusSays(pull, "passed after")).toContain(", quick");
    const [build] = await stage.builds.of(pull);
    expect(build?.params.CCCI_QUICK).toBe("true");
  });

  test("[8] that names the newest commit is followed, and one that names another is not", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    // when
    const wrong = await stage.forge.ask(pull, `!testme ${"0".repeat(40)}`);
    const right = await stage.forge.ask(pull, `!testme ${pull.head}`);
    // then
    expect(await stage.forge.repliesTo(pull, wrong)).toEqual([
      `That commit is not the newest one here, which is \`${pull.head}\`. Nothing was tested.`,
    ]);
    await stage.forge.reacts(repository, wrong, "-1");
    expect(await bridge.ended(right)).toMatchObject({ outcome: "passed", head: pull.head });
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("[16] `cancel` ends a test that goes on", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    const cancel = await stage.forge.ask(pull, "!testme cancel");
    // then
    await stage.forge.statusSays(pull, "⚪ cancelled");
    await stage.forge.reacts(repository, cancel, "+1");
    await stage.forge.reacts(repository, comment, "confused");
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "cancelled" });
    expect((await stage.builds.of(pull)).map(({ status }) => status)).toEqual(["killed"]);
    stage.builds.release(pull);
  });

  test("[16] `cancel` ends a test before it has a build", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfForge();
    const { repository, bridge } = await stage.bridged({ forge: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // The last question before a build.
    const { promise: isCancelled, resolve: letItGoOn } = Promise.withResolvers<undefined>();
    front.decide = ({ path }) => (path.includes("/branches/") ? isCancelled : undefined);
    const comment = await stage.forge.ask(pull);
    // when
    await bridge.judged(await stage.forge.ask(pull, "!testme cancel"));
    letItGoOn(undefined);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "cancelled", build: null });
    await stage.forge.statusSays(pull, "⚪ cancelled");
    await stage.forge.reacts(repository, comment, "confused");
    expect(await stage.builds.of(pull)).toEqual([]);
  });

  test("[16] `cancel` and `status` say so where nothing goes on", async () => {
    const { stage, repository } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    // when
    const cancel = await stage.forge.ask(pull, "!testme cancel");
    const status = await stage.forge.ask(pull, "!testme status");
    // then
    expect(await stage.forge.repliesTo(pull, cancel)).toEqual([
      "There is no test here that could be ended.",
    ]);
    const [said] = await stage.forge.repliesTo(pull, status);
    expect(said).toContain("Nothing was tested here yet.");
    expect(await stage.forge.status(pull)).toBeUndefined();
  });

  test("[16] `status` and `help` are answered", async () => {
    const { stage, repository } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    const status = await stage.forge.ask(pull, "!testme status");
    const help = await stage.forge.ask(pull, "!testme help");
    // then
    const [said] = await stage.forge.repliesTo(pull, status);
    expect(said).toMatch(/▶️ running since .*build \d+.*\n\n.* over all recipes\.$/s);
    const [helped] = await stage.forge.repliesTo(pull, help);
    expect(helped).toContain("`!testme cancel`");
    stage.builds.release(pull);
    await stage.forge.statusSays(pull, "passed after");
  });

  test("[16] that is one almost is helped with, once a person and pull request", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    // when
    const first = await stage.forge.ask(pull, "!tetsme");
    const second = await stage.forge.ask(pull, "!testme --fast");
    const elsewhere = await stage.forge.ask(other, "!testme --fast");
    // then
    const [text] = await stage.forge.repliesTo(pull, first);
    expect(text).toMatch(/^There is no such command\. There are `!testme`/);
    expect(await bridge.judged(second)).toMatchObject({ verdict: "ignored" });
    const [option] = await stage.forge.repliesTo(other, elsewhere);
    expect(option).toMatch(/^That is no option of `!testme`\./);
    expect(await stage.forge.answers(pull)).toHaveLength(1);
  });

  test.for([
    ["a block of code", "```\n!testme\n```"],
    ["code by its indent", "See:\n\n    !testme"],
    ["code in a line", "`!testme`"],
    ["a quote", "> !testme"],
    ["a comment of HTML", "<!--\n!testme\n-->"],
    ["a list", "- !testme"],
    ["a sentence", "You can write !testme here"],
    ["more than 4 KiB", `!testme\n\n${"long ".repeat(1000)}`],
  ])("[4] in %s is talk", async ([, text]) => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    // when
    const comment = await stage.forge.ask(pull, text);
    // then
    expect(await stage.passesOver(bridge, pull, comment)).toBe(true);
  });

  test("[13] for a commit whose test goes on is pointed to that", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const first = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    const second = await stage.forge.ask(pull);
    const quick = await stage.forge.ask(pull, "!testme --quick");
    // then
    const [build] = await stage.builds.of(pull);
    const answer = `A test of ${pull.head} goes on already: ${stage.drone.server.url}/${stage.ci}/${build?.number}.`;
    for (const comment of [second, quick]) {
      expect(await stage.forge.repliesTo(pull, comment)).toEqual([answer]);
    }
    stage.builds.release(pull);
    expect(await bridge.ended(first)).toMatchObject({ outcome: "passed" });
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("[13] for a newer commit takes the place of the test that goes on", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const old = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    const head = await stage.forge.push(pull);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(old)).toMatchObject({ outcome: "superseded" });
    await stage.forge.reacts(repository, old, "confused");
    stage.builds.release(pull);
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed", head });
    const text = await stage.forge.statusSays(pull, "✅ passed after");
    expect(text).toMatch(/Before that:\n\n- ⚪ given up for a newer request after/);
    const builds = await stage.builds.of(pull);
    expect(builds.map(({ status }) => status)).toEqual(["killed", "success"]);
  });

  test("[13] for the whole test takes the place of a quick one", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const quick = await stage.forge.ask(pull, "!testme --quick");
    await stage.forge.statusSays(pull, "running since");
    // when
    const whole = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(quick)).toMatchObject({ outcome: "superseded" });
    stage.builds.release(pull);
    expect(await bridge.ended(whole)).toMatchObject({ outcome: "passed" });
  });

  test("[24] leaves word of who asked, for what, and what came of it", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    const { id: author } = await stage.forge.member.done(z.object({ id: z.int() }), "GET", "user");
    const where = { repository, pull: pull.number, author };
    // when
    const comment = await stage.forge.ask(pull);
    const wrong = await stage.forge.ask(pull, `!testme ${"0".repeat(40)}`);
    await bridge.ended(comment);
    // then
    const [build] = await stage.builds.of(pull);
    const { CCCI_ID: id } = build?.params ?? {};
    const linesOf = (of: number) =>
      bridge.wholeLog.filter((entry) => entry.comment === of && entry.msg !== "took in");
    expect(linesOf(comment)).toMatchObject([
      { ...where, msg: "judged", login: "member", verdict: "accepted", why: `${id} ${pull.head}` },
      { ...where, msg: "ended", id, head: pull.head, build: build?.number, outcome: "passed" },
    ]);
    expect(linesOf(wrong)).toMatchObject([
      { ...where, msg: "judged", login: "member", verdict: "refused", why: "other-head" },
    ]);
    const acts = bridge.acts.filter(({ target }) => target === id);
    expect(acts.map(({ act }) => act)).toEqual(["build start"]);
    for (const { time } of bridge.wholeLog) expect(Date.parse(time)).not.toBeNaN();
    expect(bridge.leaks).toEqual([]);
  });

  async function headOf(slug: string): Promise<string> {
    const schema = z.object({ commit: z.object({ id: z.string() }) });
    const { admin } = shared().stage.forge;
    return (await admin.done(schema, "GET", `repos/${slug}/branches/main`)).commit.id;
  }
});
