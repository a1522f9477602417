import { describe, expect, test } from "vitest";
import { Recipe } from "../../../constructs/coop-cloud/recipe.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const problems = (recipe: Recipe): readonly string[] => recipe.problems();

test("a recipe without a repository is the public one of its name", () => {
  expect(Recipe.release("wiki", "1.2.3").repository).toBe(
    "https://git.coopcloud.tech/coop-cloud/wiki.git",
  );
});

test("a commit is deployed as it is, a release is not", () => {
  expect(Recipe.commit("wiki", commit).chaos).toBe(true);
  expect(Recipe.release("wiki", "1.2.3").chaos).toBe(false);
});

describe("the name of a recipe", () => {
  test.each(["a", "wiki", "hedge-doc", "1a"])("may be %s", (name) => {
    expect(problems(Recipe.release(name, "1.2.3"))).toEqual([]);
  });

  test.each(["Wiki", "-a", "a-", "a_b", "a.b", "a b", "a%b", "a\n"])("may not be %j", (name) => {
    expect(problems(Recipe.release(name, "1.2.3", "https://a.b/c"))).toEqual([
      `recipe: ${JSON.stringify(name)} is no name of a recipe: use lower-case letters, digits and inner dashes`,
    ]);
  });
});

describe("a release", () => {
  test.each(["0.0.1", "5.1.1", "5.1.1+v3.6.15", "10.20.30+2024-01-01_a"])(
    "may be %s",
    (release) => {
      expect(problems(Recipe.release("wiki", release))).toEqual([]);
    },
  );

  test.each([
    "",
    "latest",
    "main",
    "v5.1.1",
    "5.1",
    "5.1.1+",
    "5.1.1 ",
    "5.1.1+a b",
    "5.1.1-rc1",
    "5.1.1+$(x)",
  ])("may not be %j", (release) => {
    expect(problems(Recipe.release("wiki", release))).toEqual([
      `release: ${JSON.stringify(release)} is no release: write it as in 5.1.1 or 5.1.1+v3.6.15`,
    ]);
  });
});

describe("a commit", () => {
  test("has all its 40 digits", () => {
    expect(problems(Recipe.commit("wiki", commit))).toEqual([]);
  });

  test.each(["", "main", commit.slice(1), `${commit}0`, commit.toUpperCase(), `${commit}\n`])(
    "may not be %j",
    (wrong) => {
      expect(problems(Recipe.commit("wiki", wrong))).toEqual([
        `commit: ${JSON.stringify(wrong)} must be all 40 hex digits of the commit: a shorter one, a branch or a tag can move`,
      ]);
    },
  );
});

test("a release may name the commit that its tag must lead to, all of it", () => {
  expect(problems(Recipe.release("wiki", "1.2.3", undefined, commit))).toEqual([]);
  expect(problems(Recipe.release("wiki", "1.2.3", undefined, "main"))).toEqual([
    'commit: "main" must be all 40 hex digits of the commit: a shorter one, a branch or a tag can move',
  ]);
});

describe("a repository", () => {
  test.each(["https://a.b/c", "https://a.b:8443/c/d.git", "https://a/~b/c_d-e.git"])(
    "may be %s",
    (url) => {
      expect(problems(Recipe.release("wiki", "1.2.3", url))).toEqual([]);
    },
  );

  test.each([
    ...["http://a.b/c", "git@a.b:c", "ssh://a.b/c", "file:///a", "https://a.b", "https://a.b/"],
    ...[
      "https://u:p@a.b/c",
      "https://a.b/c?x=1",
      "https://a.b/c#x",
      "https://a.b/c d",
      "--upload-pack=x",
      "",
    ],
  ])("may not be %j", (url) => {
    expect(problems(Recipe.release("wiki", "1.2.3", url))).toEqual([
      `repository: ${JSON.stringify(url)} must be an https address without user, password or query, as in https://git.coopcloud.tech/coop-cloud/traefik.git`,
    ]);
  });
});

test("all that is wrong with a recipe is named at once", () => {
  expect(problems(Recipe.commit("A", "main", "x"))).toHaveLength(3);
});
