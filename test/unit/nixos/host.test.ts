import { expect, test } from "vitest";
import { CcCi } from "../../../constructs/app.ts";
import { Recipe } from "../../../constructs/coop-cloud/recipe.ts";
import { TraefikRecipe } from "../../../constructs/coop-cloud/traefik-recipe.ts";
import { JsonFile } from "../../../constructs/core/generated-file.ts";
import { ConvergePiece } from "../../../constructs/nixos/converge-piece.ts";
import { Host } from "../../../constructs/nixos/host.ts";
import { addApp, bareHost, problemsOf, wholeHost } from "./tree.ts";

test("pieces come after what they depend on, and those that are free of each other by name", () => {
  const tree = wholeHost();
  for (const id of ["b", "a"]) addApp(tree, {}, id);
  expect(tree.host.pieces.map(({ name }) => name)).toEqual([
    "swarm",
    "retire",
    "network-proxy",
    "traefik",
    "app-a",
    "app-b",
  ]);
});

test("the list of pieces does not depend on the order in which they were made", () => {
  const names = (ids: readonly string[]): readonly string[] => {
    const tree = wholeHost();
    for (const id of ids) addApp(tree, {}, id);
    return tree.host.pieceList.pieces.map(({ name }) => name);
  };
  expect(names(["c", "a", "b"])).toEqual(names(["a", "b", "c"]));
});

test("a path that two constructs write is refused when the second one declares it", () => {
  const host = bareHost();
  const content = (): Record<string, number> => ({ a: 1 });
  new JsonFile(host, "one", { path: "out/one/a.json", content });
  expect(() => new JsonFile(host, "two", { path: "out/one/a.json", content })).toThrow(
    "one: out/one/a.json is written by one already",
  );
});

test("two pieces of one name are refused when the second one is declared", () => {
  const host = bareHost();
  const props = { name: "a", description: "A", resources: () => [] };
  new ConvergePiece(host, "first", props);
  expect(() => new ConvergePiece(host, "second", props)).toThrow(
    "one/second: out/one/a.nix is written by one/first already",
  );
});

test.each(["/etc/a", "../a", "out/../a", "out//a", ""])("a file is refused at %j", (path) => {
  const host = bareHost();
  new JsonFile(host, "file", { path, content: () => ({}) });
  expect(problemsOf(host)).toEqual([
    `one/file: ${JSON.stringify(path)} is no path below the root of the checkout`,
  ]);
});

test("a construct outside of a host says so", () => {
  const props = { name: "a", description: "A", resources: () => [] };
  expect(() => new ConvergePiece(new CcCi(), "piece", props)).toThrow(
    "piece: must be put below a Host",
  );
});

test("everything that is wrong is thrown at once, each with its construct", () => {
  // Given mistakes in three constructs
  const tree = wholeHost("Example.org");
  addApp(tree, { recipe: Recipe.release("Wiki", "latest"), env: { "A-B": "x" } }, "a_b");
  // When the tree is collected, then all of them are named
  const problems = problemsOf(tree.host);
  expect(problems.map((problem) => problem.split(": ").slice(0, 2).join(": "))).toEqual([
    "one: domain",
    "one/traefik: domain",
    "one/a_b: recipe",
    "one/a_b: release",
    "one/a_b: domain",
    "one/a_b: env",
    'one/a_b: "a_b" cannot be the name of an app',
  ]);
});

test.each(["", "Host", "a_b", "-a", "a.b", "a".repeat(64)])("%j is no name of a host", (name) => {
  // The root of a tree has no name, and so must have none below it.
  if (name === "") {
    expect(() => new Host(new CcCi(), name, { domain: "a.b" })).toThrow();
    return;
  }
  expect(problemsOf(new Host(new CcCi(), name, { domain: "a.b" }))).toEqual([
    `${name}: ${JSON.stringify(name)} cannot be the name of a host: use up to 63 lower-case letters, digits and inner dashes`,
  ]);
});

test("a construct of another host cannot be referred to", () => {
  // given a host and the network and certificate of another one
  const { app, network, certificate } = wholeHost();
  const other = new Host(app, "two", { domain: "ci.example.org" });
  // when Traefik of the one is given them
  new TraefikRecipe(other, "traefik", {
    recipe: Recipe.release("traefik", "5.1.1"),
    network,
    certificate,
  });
  // then each of them is named
  const problems = problemsOf(other).filter((problem) => problem.includes("of another host"));
  expect(problems).toContain(
    "two/traefik/piece: refers to one/certificate, which is of another host: give it one of two",
  );
  expect(problems).toContain(
    "two/traefik/piece/unit: refers to one/swarm/proxy/piece/unit, which is of another host: give it one of two",
  );
});
