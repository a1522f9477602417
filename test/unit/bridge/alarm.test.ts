import { describe, expect, test } from "vitest";
import { Alarm } from "../../../services/bridge/pacing/alarm.ts";

describe("a sleep", () => {
  const isOver = async (sleep: Promise<void>, milliseconds: number): Promise<boolean> =>
    await Promise.race([
      sleep.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), milliseconds)),
    ]);

  test("ends by itself", async () => {
    await new Alarm().sleep(5);
  });

  test.each([0, -1, Number.NEGATIVE_INFINITY, Number.NaN])("of %d is none", async (time) => {
    await new Alarm().sleep(time);
  });

  test("ends when the alarm rings", async () => {
    const alarm = new Alarm();
    const sleep = alarm.sleep(3_600_000);
    expect(await isOver(sleep, 20)).toBe(false);
    alarm.ring();
    await sleep;
  });

  test("does not begin where the alarm rang before, however often, and the next one does", async () => {
    const alarm = new Alarm();
    alarm.ring();
    alarm.ring();
    await alarm.sleep(3_600_000);
    const next = alarm.sleep(3_600_000);
    expect(await isOver(next, 20)).toBe(false);
    alarm.ring();
    await next;
  });

  test("that would have been none takes the ringing along", async () => {
    const alarm = new Alarm();
    alarm.ring();
    await alarm.sleep(0);
    const next = alarm.sleep(3_600_000);
    expect(await isOver(next, 20)).toBe(false);
    alarm.ring();
    await next;
  });

  test("of more than a timer can hold is a long one", async () => {
    const alarm = new Alarm();
    const sleep = alarm.sleep(Number.POSITIVE_INFINITY);
    expect(await isOver(sleep, 20)).toBe(false);
    alarm.ring();
    await sleep;
  });
});
