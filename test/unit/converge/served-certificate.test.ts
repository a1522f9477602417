import { describe, expect, test } from "vitest";
import { problemOf } from "../../../services/converge/kinds/served-certificate.ts";

const now = new Date("2026-01-15T00:00:00Z");
const answer = {
  fingerprint: "ab".repeat(32),
  validFrom: new Date("2026-01-01T00:00:00Z"),
  validTo: new Date("2026-02-01T00:00:00Z"),
  nameProblem: undefined,
  status: 200,
};
const any = { fingerprint: undefined, mustAnswer: false, now };

describe("what a client sees is right", () => {
  test.each([
    ["when it is the wanted certificate", answer, { ...any, fingerprint: answer.fingerprint }],
    [
      "when nothing answers behind the handshake, and nothing must",
      { ...answer, status: undefined },
      any,
    ],
    [
      "when the app answers, be it with an error of its own",
      { ...answer, status: 500 },
      { ...any, mustAnswer: true },
    ],
  ])("%s", (_, seen, wanted) => {
    expect(problemOf(seen, wanted)).toBe("");
  });
});

describe("what a client sees is wrong", () => {
  const must = { ...any, mustAnswer: true };
  test.each([
    [
      "another certificate is served",
      answer,
      { ...any, fingerprint: "cd".repeat(32) },
      /another certificate/,
    ],
    [
      "it is for another name",
      { ...answer, nameProblem: "not for that name." },
      any,
      /not for that name$/,
    ],
    [
      "it has expired",
      { ...answer, validTo: now },
      { ...any, now: new Date(now.getTime() + 1) },
      /expired/,
    ],
    [
      "it is not valid yet",
      { ...answer, validFrom: new Date("2026-01-16T00:00:00Z") },
      any,
      /not valid yet/,
    ],
    ["the proxy has no such app", { ...answer, status: 404 }, must, /answers 404 itself/],
    ["the app is down behind the proxy", { ...answer, status: 502 }, must, /answers 502 itself/],
    ["nothing answers", { ...answer, status: undefined }, must, /no answer/],
  ])("when %s", (_, seen, wanted, words) => {
    expect(problemOf(seen, wanted)).toMatch(words);
  });
});
