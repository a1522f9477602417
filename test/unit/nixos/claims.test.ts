import { expect, test } from "vitest";
import { addApp, bareHost, problemsOf, wholeHost } from "./tree.ts";

test("a name that is taken twice is the mistake of who comes second", () => {
  const host = bareHost();
  const [first, second] = [bareHost(), bareHost()];
  host.claims.take("the domain", "a.b", first, "domain");
  host.claims.take("the domain", "a.b", second, "domain");
  expect(first.node.validate()).toEqual([]);
  expect(second.node.validate()).toEqual([
    "domain: the domain a.b is taken by one already: choose another",
  ]);
});

test("names of different kinds do not meet", () => {
  const [host, other] = [bareHost(), bareHost()];
  host.claims.take("the domain", "a", other, "domain");
  host.claims.take("the network", "a", other, "name");
  host.claims.take("the domain", "b", other, "domain");
  expect(other.node.validate()).toEqual([]);
});

test("two apps at one domain are refused, with who was first", () => {
  const tree = wholeHost();
  addApp(tree, {}, "wiki");
  addApp(tree, { domain: "wiki.ci.example.org" }, "other");
  expect(problemsOf(tree.host)).toEqual([
    "one/other: domain: the domain wiki.ci.example.org is taken by one/wiki already: choose another",
  ]);
});

test("an app at the proxy's domain is refused", () => {
  const tree = wholeHost();
  addApp(tree, { domain: "traefik.ci.example.org" });
  expect(problemsOf(tree.host)).toEqual([
    "one/wiki: domain: the domain traefik.ci.example.org is taken by one/traefik already: choose another",
  ]);
});
