import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import { NudgeBox } from "../../../services/bridge/listen/nudge-box.ts";
import { headersFor, payload } from "./delivery.ts";
import { servedPages } from "./served-pages.ts";

const pages = servedPages();

const body = payload();

describe("what we were told of", () => {
  const told = (number: number) => ({
    ...{ repository: "recipes/wiki", kind: "comment" as const, number },
  });

  test("is all there, each once, and is written down at once", async () => {
    const together = vi.spyOn(pages().records, "together");
    const seen: number[] = [];
    const box = new NudgeBox(pages().records, () => seen.push(pages().nudges.length));
    const numbers = [...Array.from({ length: 50 }, (_, index) => index + 1), 7, 7, 50];
    await Promise.all(numbers.map((number) => box.add(told(number))));
    expect(pages().nudges.map(({ number }) => number)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
    expect(together).toHaveBeenCalledTimes(1);
    // Whoever is woken finds all of it.
    expect(seen).toEqual([50]);
    together.mockRestore();
  });

  test("while that is told of is there too", async () => {
    const more: Promise<void>[] = [];
    const box: NudgeBox = new NudgeBox(pages().records, () => {
      if (more.length < 3) more.push(box.add(told(10 + more.length)));
    });
    await box.add(told(1));
    while (more.length < 3) await Promise.all(more);
    await Promise.all(more);
    expect(pages().nudges.map(({ number }) => number)).toEqual([1, 10, 11, 12]);
  });

  test("and cannot be written down is said to each who waits, and nobody is woken", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const other = new DatabaseSync(pages().database);
    other.exec("BEGIN IMMEDIATE");
    // Given somebody else who writes
    const box = pages().box();
    const add = (number: number) => box.add(told(number));
    const came = await Promise.allSettled([add(1), add(2), add(3)]);
    expect(came.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(pages().rings).toBe(0);
    // and the forge is told so,
    expect(await pages().post(body, headersFor(body))).toEqual({
      status: 503,
      result: "not-noted",
    });
    // when they have ended, then it goes on as if nothing had been
    other.exec("COMMIT");
    other.close();
    await add(4);
    expect(await pages().post(body, headersFor(body))).toEqual({ status: 202, result: "taken" });
    expect(pages().nudges.map(({ number }) => number)).toEqual([4, 7]);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
