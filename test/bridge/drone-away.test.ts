import { describe, expect, test } from "vitest";
import { until } from "../host/machine/processes.ts";
import { sharedStage } from "./shared-stage.ts";

describe.concurrent("Drone", () => {
  const shared = sharedStage();

  test("that is away has tests wait for it, which they say", async () => {
    const { stage } = shared();
    // given
    const { gate, server } = await stage.gateToDrone();
    const { bridge, repository } = await stage.bridged({ drone: { server } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    await gate.stop();
    // when
    const comment = await stage.forge.ask(pull);
    // then
    await stage.forge.reacts(repository, comment, "eyes");
    const text = await stage.forge.statusSays(pull, "It waits: ");
    expect(text).toContain("🕐 accepted");
    expect(await bridge.health()).toMatchObject({ ok: true });
    // when
    await gate.open();
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await stage.forge.reacts(repository, comment, "+1");
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("that goes away while it builds has what came of that told when it is back", async () => {
    const { stage } = shared();
    // given
    const { gate, server } = await stage.gateToDrone();
    const { bridge, repository } = await stage.bridged({ drone: { server } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    await gate.stop();
    stage.builds.release(pull);
    await stage.forge.statusSays(pull, "It waits: ");
    await gate.open();
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    await stage.forge.statusSays(pull, "✅ passed after");
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("that lets a start in and does not answer it has comments answered meanwhile, and begins no second build", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfDrone();
    const { bridge, repository } = await stage.bridged({ drone: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    front.decide = ({ method }) => (method === "POST" ? new Promise(() => {}) : undefined);
    const comment = await stage.forge.ask(pull);
    await until("a start that hangs", 90, () =>
      bridge.acts.some(({ act }) => act === "build start") ? true : undefined,
    );
    // when
    const help = await stage.forge.ask(pull, "!testme help");
    // then
    expect(await stage.forge.repliesTo(pull, help)).toHaveLength(1);
    // when
    front.decide = undefined;
    front.cut();
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test.for([
    ["nothing but 502, of a proxy's", 502],
    ["nothing but 500", 500],
    ["nothing but 404, of another program's", 404],
  ] as const)("of which there comes %s has tests wait for it", async ([, status]) => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfDrone();
    const { bridge, repository } = await stage.bridged({ drone: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    front.answer = status;
    const comment = await stage.forge.ask(pull);
    await until("a look for the build that may be there", 90, () =>
      bridge.wholeLog.some(({ duty }) => duty === "begin") ? true : undefined,
    );
    // when
    front.answer = undefined;
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("[12] whose answer to a start is lost is not asked for a second build", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfDrone();
    const { bridge, repository } = await stage.bridged({ drone: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    front.decide = ({ method }) => (method === "POST" ? { as: "lost" } : undefined);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    expect(front.questions.filter(({ method }) => method === "POST")).toHaveLength(1);
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test("[12] that never got a start is asked again", async () => {
    const { stage } = shared();
    // given
    const front = await stage.frontOfDrone();
    const { bridge, repository } = await stage.bridged({ drone: { server: front.url } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    let starts = 0;
    front.decide = ({ method }) => {
      if (method !== "POST") return undefined;
      starts += 1;
      return starts === 1 ? { as: "answered", status: 504 } : undefined;
    };
    // when
    const comment = await stage.forge.ask(pull);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "passed" });
    expect(starts).toBe(2);
    expect(await stage.builds.of(pull)).toHaveLength(1);
  });

  test.for([
    ["cannot be read", "cannot be read: ", "kind: pipeline\n\tsteps: ]"],
    ["is for pushes alone", "is not for builds that are asked for", undefined],
  ] as const)(
    "[19] that finds a pipeline which %s is not asked again, and the operator is named",
    async ([, words, text]) => {
      const { stage } = shared();
      // given
      const ci = await stage.otherCi(text ?? stage.builds.pipeline({ event: "push" }));
      const { bridge, repository } = await stage.bridged({ drone: { repository: ci } });
      await using _ = bridge;
      const pull = await stage.forge.pull(repository);
      // when
      const comment = await stage.forge.ask(pull);
      // then
      const { outcome, reason } = await bridge.ended(comment);
      expect(outcome).toBe("broken");
      expect(reason).toContain(words);
      await stage.forge.statusSays(pull, "This is for whoever runs this CI");
      await stage.forge.reacts(repository, comment, "confused");
      expect(bridge.acts.filter(({ act }) => act === "build start")).toHaveLength(1);
    },
  );

  test("[12] [19] that looks for a pipeline which is not there for most of a minute is waited for", async () => {
    const { stage } = shared();
    // given
    const ci = await stage.otherCi(undefined);
    const { bridge, repository } = await stage.bridged({ drone: { repository: ci } });
    await using _ = bridge;
    const pull = await stage.forge.pull(repository);
    // when
    const comment = await stage.forge.ask(pull);
    // then
    const { outcome, reason } = await bridge.ended(comment, 120);
    expect(outcome).toBe("broken");
    expect(reason).toContain("is not there");
    await stage.forge.statusSays(pull, "⚠️ could not be tested");
  });

  test("in which somebody ends a build has that told", async () => {
    const { stage, repository, bridge } = shared();
    // given
    const pull = await stage.forge.pull(repository);
    stage.builds.hold(pull);
    const comment = await stage.forge.ask(pull);
    await stage.forge.statusSays(pull, "running since");
    // when
    const [build] = await stage.builds.of(pull);
    await stage.drone.client.cancel(stage.ci, build?.number ?? 0);
    // then
    expect(await bridge.ended(comment)).toMatchObject({ outcome: "cancelled" });
    const text = await stage.forge.statusSays(pull, "⚪ cancelled");
    expect(text).toContain("It was ended in Drone, or lost there");
    stage.builds.release(pull);
  });
});
