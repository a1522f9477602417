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
const any = { fingerprint: undefined, path: null, now };

describe("what a client sees is right", () => {
  test.each([
    ["when it is the wanted certificate", answer, { ...any, fingerprint: answer.fingerprint }],
    [
      "when it has expired, and is another piece's to answer for",
      { ...answer, validTo: new Date("2026-01-02T00:00:00Z") },
      any,
    ],
    [
      "when nothing answers behind the handshake, and nothing must",
      { ...answer, status: undefined },
      any,
    ],
    [
      "when the app answers, be it with an error of its own",
      { ...answer, status: 500 },
      { ...any, path: "/health" },
    ],
  ])("%s", (_, seen, wanted) => {
    expect(problemOf(seen, wanted)).toBe("");
  });
});

describe("what a client sees is wrong", () => {
  const own = { ...any, fingerprint: answer.fingerprint };
  const must = { ...any, path: "/health" };
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
      { ...own, now: new Date(now.getTime() + 1) },
      /expired/,
    ],
    [
      "it is not valid yet",
      { ...answer, validFrom: new Date("2026-01-16T00:00:00Z") },
      own,
      /not valid yet/,
    ],
    ["the proxy has no such app", { ...answer, status: 404 }, must, /\/health gives 404/],
    ["the app is down behind the proxy", { ...answer, status: 502 }, must, /\/health gives 502/],
    ["nothing answers", { ...answer, status: undefined }, must, /no answer/],
  ])("when %s", (_, seen, wanted, words) => {
    expect(problemOf(seen, wanted)).toMatch(words);
  });
});
