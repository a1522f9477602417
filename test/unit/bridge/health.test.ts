import { describe, expect, test } from "vitest";
import { Health } from "../../../services/bridge/telemetry/health.ts";
import { bridgeSettings } from "./settings.ts";

describe("health", () => {
  const begun = Date.UTC(2026, 0, 5, 10);
  let now = begun;
  let unreadable = 0;

  const healthIn = (mode: "poll" | "webhook"): Health => {
    now = begun;
    const settings = { ...bridgeSettings, mode };
    const health = new Health({ settings, now: () => now, unreadable: () => unreadable });
    health.unfit = undefined;
    return health;
  };

  test.for<readonly ["poll" | "webhook", number]>([
    ["poll", 3 * 15 + 120],
    ["webhook", 3 * 900 + 120],
  ])("in mode %s is bad %i seconds after the forge told us anything", ([mode, seconds]) => {
    const health = healthIn(mode);
    // Of when we began, too.
    for (const lookedAt of [undefined, begun + 5_000_000]) {
      health.lookedAt = lookedAt;
      now = (lookedAt ?? begun) + seconds * 1000;
      expect(health.now()).toEqual({ problems: [] });
      now += 1000;
      expect(health.now()).toEqual({
        problems: [`the forge has told nothing for ${seconds + 1} s`],
      });
    }
    health.lookedAt = now;
    expect(health.now()).toEqual({ problems: [] });
  });

  test("is bad until the forge has said whose token it is", () => {
    const settings = { ...bridgeSettings, mode: "webhook" } as const;
    const health = new Health({ settings, now: () => now, unreadable: () => 0 });
    expect(health.now().problems).toEqual([
      "it has just begun, and does not know its own account yet",
    ]);
  });

  test("says all that is wrong", () => {
    unreadable = 1;
    const health = healthIn("poll");
    health.unfit = "the account is no member";
    now += 3_600_000;
    expect(health.now().problems).toEqual([
      ...["the account is no member", "the forge has told nothing for 3600 s"],
      `1 of ${bridgeSettings.recipes.length} repositories cannot be read: see the lines 'not now' of the log`,
    ]);
  });
});
