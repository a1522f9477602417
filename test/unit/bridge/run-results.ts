import type { RunResults } from "../../../services/lib/run.ts";

export const id = "0011223344556677";
const head = "0123456789abcdef0123456789abcdef01234567";

export const results: RunResults = {
  version: 1,
  request: {
    ...{ id, recipe: "wiki", repository: "recipes/wiki", pull: 3, commit: head, quick: false },
  },
  ...{ outcome: "failed", reason: "the page said 500" },
  ...{ startedAt: "2026-01-05T10:01:00.000Z", endedAt: "2026-01-05T10:04:12.000Z" },
  stages: [
    {
      ...{ name: "install", status: "failed", reason: "the page said 500" },
      ...{ startedAt: "2026-01-05T10:01:00.000Z", endedAt: "2026-01-05T10:01:40.000Z" },
    },
  ],
};
