import { describe, expect, test } from "vitest";
import { until } from "../host/machine/processes.ts";
import { sharedStage } from "./shared-stage.ts";

describe.concurrent("the forge", () => {
  const shared = sharedStage();

  test("that is away has no comment lost", async () => {
    const { stage } = shared();
    // given
    const { gate, server } = await stage.gateToForge();
    const { bridge, repository } = await stage.bridged({ forge: { server } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    await gate.stop();
    await bridge.says("not now");
    const comments = [await stage.forge.ask(pull), await stage.forge.ask(pull, "!testme help")];
    // when
    await gate.open();
    // then
    expect(await bridge.ended(comments[0] ?? 0)).toMatchObject({ outcome: "passed" });
    await stage.forge.statusSays(pull, "✅ passed after");
    expect(await stage.forge.repliesTo(pull, comments[1] ?? 0)).toHaveLength(1);
    expect(await stage.forge.answers(pull)).toHaveLength(2);
  });

  test("that goes away while a test goes on has its end told when it is back", async () => {
    const { stage } = shared();
    // given
    const { gate, server } = await stage.gateToForge();
    const { bridge, repository } = await stage.bridged({ forge: { server } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    await gate.stop();
    stage.builds.release(pull);
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await gate.open();
    // then
    await stage.forge.statusSays(pull, "✅ passed after");
    await stage.forge.reacts(repository, comment, "+1");
    expect(await stage.forge.answers(pull)).toHaveLength(1);
  });

  test("that lets everybody in and answers nobody for a while has no comment lost", async () => {
    const { stage } = shared();
    // given
    const { gate, server } = await stage.gateToForge();
    const { bridge, repository } = await stage.bridged({ forge: { server } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    gate.isHanging = true;
    const comment = await stage.forge.ask(pull);
    // Those that keep their connection are answered still.
    await gate.stop();
    await gate.open();
    const { trouble } = await bridge.says("not now");
    expect(trouble).toMatch(/no answer within|ECONN|socket|other side|terminated/);
    // when
    gate.isHanging = false;
    await gate.stop();
    await gate.open();
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test.for([["an answer"], ["a reaction"]] as const)(
    "that took %s, and whose word of it is lost, is given it once",
    async ([what]) => {
      const { stage } = shared();
      // given
      const front = await stage.frontOfForge();
      const { bridge, repository } = await stage.bridged({ forge: { server: front.url } });
      await using _ = bridge;
      const pull = await stage.forge.pull(repository);
      const lost = new Set<string>();
      front.decide = ({ method, path }) => {
        const isIt = method === "POST" && (what === "a reaction") === path.endsWith("/reactions");
        if (!isIt || lost.has(path)) return undefined;
        lost.add(path);
        return { as: "lost" };
      };
      // when
      const [help, comment] = [
        await stage.forge.ask(pull, "!testme help"),
        await stage.forge.ask(pull),
      ];
      // then
      expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
      await stage.forge.statusSays(pull, "✅ passed after");
      await stage.forge.reacts(repository, comment, "+1");
      expect(await stage.forge.repliesTo(pull, help)).toHaveLength(1);
      expect(await stage.forge.answers(pull)).toHaveLength(2);
      expect(lost.size).toBeGreaterThan(0);
    },
  );

  test("[22] that says no to one comment again and again has that given up, counted, and no other kept waiting", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfForge();
    const { bridge, repository } = await stage.bridged({ forge: { server: front.url } });
    await using _ = bridge;
    const [pull, other] = [await stage.forge.pull(repository), await stage.forge.pull(repository)];
    const comment = await stage.forge.ask(other, "!testme help");
    front.decide = ({ path }) =>
      path.endsWith(`/issues/comments/${comment}`)
        ? { as: "answered", status: 422, body: '{"message":"no"}' }
        : undefined;
    await bridge.says("not now");
    // when
    expect(await bridge.ended(await stage.forge.ask(pull))).toMatchObject({ outcome: "passed" });
    await bridge.stop();
    bridge.remember(`UPDATE attempts SET noes = 29, next_at = 0 WHERE item = '${comment}'`);
    await bridge.start();
    // then
    expect(await bridge.says("given up")).toMatchObject({ duty: "judge", item: String(comment) });
    expect(await bridge.metric("cc_ci_bridge_parked")).toBe(1);
    front.decide = undefined;
    expect(await stage.passesOver(bridge, pull, comment)).toBe(false);
    expect(await stage.forge.answers(other)).toEqual([]);
  });

  test("that has trouble with one repository keeps no other one waiting, and has that read once it is over", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfForge();
    const [sick, well] = [await stage.forge.recipe(), await stage.forge.recipe()];
    await using bridge = stage.bridge([sick, well], { forge: { server: front.url } });
    await bridge.start();
    await bridge.looks();
    const [one, other] = [await stage.forge.pull(sick), await stage.forge.pull(well)];
    const path = `/api/v1/repos/${sick}/issues/comments`;
    front.decide = (question) =>
      question.path.startsWith(path)
        ? { as: "answered", status: 422, body: '{"message":"no"}' }
        : undefined;
    // when
    const late = await stage.forge.ask(one, "!testme help");
    const asked = await stage.forge.ask(other, "!testme help");
    // then
    expect(await bridge.judged(asked)).toMatchObject({ verdict: "answered" });
    expect(bridge.wholeLog.filter(({ comment }) => comment === late)).toEqual([]);
    front.decide = undefined;
    expect(await bridge.judged(late)).toMatchObject({ verdict: "answered" });
  });

  test("that wants to be left in peace is asked for nothing until then", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfForge();
    const { bridge, repository } = await stage.bridged({ forge: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    await bridge.judged(await stage.forge.ask(pull, "!testme help"));
    // when
    const times: number[] = [];
    front.decide = () => {
      times.push(Date.now());
      return times.length === 1
        ? { as: "answered", status: 429, headers: { "Retry-After": "5" } }
        : undefined;
    };
    const comment = await stage.forge.ask(pull, "!testme help");
    // then
    expect(await stage.forge.repliesTo(pull, comment)).toHaveLength(1);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThan(4900);
  });

  test("that has trouble of its own is asked again after longer and longer pauses", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfForge();
    const { bridge } = await stage.bridged({ forge: { server: front.url } });
    await using _ = bridge;
    // when
    front.answer = 503;
    // then
    const notes = await until("three tries", 90, () => {
      const found = bridge.log.filter(({ msg }) => msg === "not now");
      return found.length >= 3 ? found.slice(0, 3) : undefined;
    });
    expect(notes.map(({ tries }) => tries)).toEqual([1, 2, 3]);
    const pauses = notes.map(({ time, again }) => Date.parse(String(again)) - Date.parse(time));
    for (const [index, pause] of pauses.entries()) {
      const longest = 2000 * 2 ** index;
      expect(pause).toBeGreaterThan(longest / 2 - 100);
      expect(pause).toBeLessThanOrEqual(longest);
    }
  });

  test.for([[1], [30]] as const)(
    "is asked one question a tick while nothing happens in recipes, of which there are %s",
    async ([count]) => {
      const { stage } = shared();
      // given
      const recipes: string[] = [];
      while (recipes.length < count) recipes.push(await stage.forge.recipe());
      const pull = await stage.forge.pull(recipes[0] ?? "");
      const front = await stage.frontOfForge();
      const bridge = stage.bridge(recipes, { forge: { server: front.url } });
      await using _ = bridge;
      await bridge.start();
      await bridge.looks();
      await bridge.ended(await stage.forge.ask(pull));
      await stage.forge.statusSays(pull, "passed after");
      const isTick = ({ path }: { readonly path: string }) =>
        path.startsWith("/api/v1/repos/issues/search?");
      // What happened is read again until its second is over for sure.
      await until("an idle tick", 90, () => {
        const last = front.questions.slice(-3);
        return last.length === 3 && last.every(isTick) ? true : undefined;
      });
      // when
      const before = front.asked;
      const busy = await bridge.metric("process_cpu_seconds_total");
      await until("ten ticks", 90, () => (front.asked >= before + 10 ? true : undefined));
      // then
      const asked = front.questions.slice(before, before + 10);
      // Others' recipes have things happen to them meanwhile, which makes no difference.
      expect(asked.filter((question) => !isTick(question))).toEqual([]);
      // It sleeps in between: ten ticks are ten seconds.
      expect((await bridge.metric("process_cpu_seconds_total")) - busy).toBeLessThan(5);
    },
  );
});
