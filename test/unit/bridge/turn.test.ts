import { describe, expect, test } from "vitest";
import type { Attempted } from "../../../services/bridge/pacing/attempt.ts";
import { Turn } from "../../../services/bridge/pacing/turn.ts";

describe("a turn", () => {
  const done: Attempted = { as: "done" };
  const givenUp: Attempted = { as: "given-up" };
  const later = (at: number, isSilence = false): Attempted => ({ as: "later", at, isSilence });

  /** Which of these it came to. */
  async function over(turn: Turn, all: readonly Attempted[]): Promise<readonly number[]> {
    const tried: number[] = [];
    await turn.over([...all.keys()], async (index) => {
      tried.push(index);
      return all[index] ?? done;
    });
    return tried;
  }

  test("goes over all that is due", async () => {
    const turn = new Turn(1000);
    expect(await over(turn, [done, later(700), givenUp, later(900), done])).toEqual([
      ...[0, 1, 2, 3, 4],
    ]);
    expect(turn.isOver).toBe(false);
    expect(turn.next).toBe(700);
  });

  test("ends with the second silence in a row, and stays ended", async () => {
    const turn = new Turn(1000);
    expect(await over(turn, [later(900, true), later(800, true), done])).toEqual([0, 1]);
    expect(turn.isOver).toBe(true);
    expect(turn.next).toBe(800);
    expect(await over(turn, [done])).toEqual([]);
  });

  test("counts silences over all that it goes over", async () => {
    const turn = new Turn(1000);
    await over(turn, [later(900, true)]);
    expect(await over(turn, [later(900, true), done])).toEqual([0]);
  });

  test("takes an answer between two silences for one", async () => {
    const turn = new Turn(1000);
    expect(await over(turn, [later(900, true), done, later(900, true), done])).toEqual([
      ...[0, 1, 2, 3],
    ]);
    expect(turn.isOver).toBe(false);
  });

  test("is over at once where the other side wants its peace", async () => {
    let isQuiet = false;
    const turn = new Turn(1000, () => isQuiet);
    const tried: number[] = [];
    await turn.over([0, 1], async (index) => {
      tried.push(index);
      isQuiet = true;
      return later(600, true);
    });
    expect(tried).toEqual([0]);
    expect(turn.isOver).toBe(true);
  });

  test("comes again at the earliest time that anybody named", () => {
    const turn = new Turn(1000);
    turn.againAt(undefined);
    expect(turn.next).toBe(1000);
    turn.againAt(2000);
    expect(turn.next).toBe(1000);
    turn.againAt(500);
    turn.againAt(600);
    expect(turn.next).toBe(500);
  });
});
