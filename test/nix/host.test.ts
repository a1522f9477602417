import { join } from "node:path";
import { expect, test } from "vitest";
import { requireTool } from "../tools.ts";
import { evaluateFile } from "./evaluate.ts";

const root = join(import.meta.dirname, "../..");

test("a host is its machine, what every host has, and what was generated for it", async (context) => {
  requireTool(context, "nix-instantiate");
  const imports = await evaluateFile("host.nix", {
    host: join(root, "nix/host.nix"),
    name: "cc-ci",
  });
  expect(imports).toEqual(
    ["nix/hosts/cc-ci", "nix/modules/cc-ci.nix", "out/cc-ci"].map((path) => join(root, path)),
  );
});

test("a host of another name is another machine with other generated modules", async (context) => {
  requireTool(context, "nix-instantiate");
  const imports = await evaluateFile("host.nix", { host: join(root, "nix/host.nix"), name: "two" });
  expect(imports).toEqual(
    ["nix/hosts/two", "nix/modules/cc-ci.nix", "out/two"].map((path) => join(root, path)),
  );
});
