import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parametersOf,
  type RunRequest,
  requestIn,
  runRequestSchema,
  runResultsSchema,
} from "../../../services/lib/run.ts";

const request: RunRequest = {
  ...{ id: "0123456789abcdef", recipe: "wiki", repository: "recipes/wiki", pull: 7 },
  ...{ commit: "0123456789abcdef0123456789abcdef01234567", quick: false },
};

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });

const anyRequest: fc.Arbitrary<RunRequest> = fc.record({
  id: digits(16),
  recipe: fc.constantFrom("wiki", "backup-bot-two", "a", "x1"),
  repository: fc.constantFrom("recipes/wiki", "Org.Name/re_po-1.x", "a/b"),
  pull: fc.option(fc.integer({ min: 1, max: 2_147_483_647 })),
  commit: digits(40),
  quick: fc.boolean(),
});

describe("a request for a run", () => {
  test("comes out of the parameters of its build as it went in", () => {
    fc.assert(
      fc.property(anyRequest, (wanted) => {
        const environment = { PATH: "/bin", DRONE_BRANCH: "main", ...parametersOf(wanted) };
        expect(requestIn(environment)).toEqual(wanted);
      }),
    );
  });

  test("is given as text, with nothing for no pull request", () => {
    expect(parametersOf({ ...request, pull: null })).toEqual({
      ...{ CCCI_ID: request.id, CCCI_RECIPE: "wiki", CCCI_REPOSITORY: "recipes/wiki" },
      ...{ CCCI_PULL: "", CCCI_COMMIT: request.commit, CCCI_QUICK: "false" },
    });
  });

  test.for<[string, Partial<Record<keyof RunRequest, unknown>>]>([
    ["an id of capitals", { id: "0123456789ABCDEF" }],
    ["an id with a line break", { id: "0123456789abcdef\n" }],
    ["a recipe that is a path", { recipe: "../wiki" }],
    ["a recipe with a quote", { recipe: 'wi"ki' }],
    ["a repository without an owner", { repository: "wiki" }],
    ["a repository of three parts", { repository: "a/b/c" }],
    ["a repository that climbs", { repository: "../wiki" }],
    ["a repository that is an option", { repository: "--upload-pack/x" }],
    ["a repository of hidden folders", { repository: ".git/config" }],
    ["a branch for a commit", { commit: "main" }],
    ["a short commit", { commit: "0123456" }],
    ["the pull request 0", { pull: 0 }],
    ["half a pull request", { pull: 1.5 }],
    ["quick as text", { quick: "true" }],
    ["a member that nobody knows", { extra: 1 } as never],
  ])("cannot have %s", ([, change]) => {
    expect(runRequestSchema.safeParse({ ...request, ...change }).success).toBe(false);
  });

  test("is refused with all that is wrong, and with none of the values", () => {
    const { CCCI_COMMIT: _, ...rest } = parametersOf(request);
    const secret = "${IFS}hunter2";
    const environment = { ...rest, CCCI_RECIPE: secret, CCCI_QUICK: "yes", CCCI_EXTRA: "1" };
    let message = "";
    try {
      requestIn(environment);
    } catch (error) {
      message = (error as Error).message;
    }
    for (const part of [
      "CCCI_RECIPE: must be the name of a recipe",
      "CCCI_COMMIT: missing",
      "CCCI_QUICK: ",
      "CCCI_EXTRA: unknown",
    ]) {
      expect(message).toContain(part);
    }
    expect(message).not.toContain("hunter2");
  });

  test("is not made of a number that is no whole one", () => {
    const parameters = parametersOf(request);
    for (const CCCI_PULL of ["07", "1e3", "-1", " 7", "0", "99999999999"]) {
      expect(() => requestIn({ ...parameters, CCCI_PULL })).toThrow("CCCI_PULL");
    }
  });
});

describe("the results of a run", () => {
  const time = "2026-11-28T20:00:00.000Z";
  const stage = { name: "deploy", status: "passed", reason: null, startedAt: time, endedAt: time };
  const results = {
    ...{ version: 1, request, outcome: "failed", reason: "the upgrade timed out" },
    ...{ startedAt: time, endedAt: time },
    stages: [stage, { ...stage, name: "upgrade", status: "failed", reason: "no answer in 300 s" }],
  };

  test("say of each stage how it came out, and why where it did not pass", () => {
    expect(runResultsSchema.parse(results)).toEqual(results);
    const aborted = { ...stage, status: "aborted", reason: "cancelled", endedAt: null };
    const cut = { ...results, outcome: "aborted", reason: "cancelled", stages: [aborted] };
    expect(runResultsSchema.parse(cut)).toEqual(cut);
  });

  test.for<[string, object]>([
    ["another version, which this reader would misread", { version: 2 }],
    ["an outcome that nobody knows", { outcome: "green" }],
    ["a time without a zone", { endedAt: "2026-11-28T20:00:00" }],
    ["a stage whose name is a path", { stages: [{ ...stage, name: "../deploy" }] }],
    ["a reason of a megabyte", { reason: "x".repeat(1 << 20) }],
    ["a member that nobody knows", { passed: true }],
  ])("cannot have %s", ([, change]) => {
    expect(runResultsSchema.safeParse({ ...results, ...change }).success).toBe(false);
  });
});
