import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requireTool } from "../tools.ts";
import { evaluateFile } from "./evaluate.ts";

const packages = join(import.meta.dirname, "../../nix/packages");
const known = /^cc-ci\.invalid\/bridge:[0-9a-f]{32}$/;

let folder = "";

beforeEach(async (context) => {
  requireTool(context, "nix-instantiate");
  folder = await mkdtemp(join(tmpdir(), "cc-ci-image-"));
});

afterEach(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

/** The name with the tag of the bridge's image, whose package says something else. */
async function referenceWith(edit: (text: string) => string = (text) => text): Promise<unknown> {
  const text = await readFile(join(packages, "bridge-image.nix"), "utf8");
  const path = join(folder, "bridge-image.nix");
  await writeFile(path, edit(text).replace("./bridge.nix", join(packages, "bridge.nix")));
  return await evaluateFile("image.nix", { package: path });
}

test("the image of the bridge has one tag as long as the same is in it", async () => {
  const reference = await referenceWith();
  expect(reference).toMatch(known);
  expect(await referenceWith((text) => `# A comment.\n${text}`)).toBe(reference);
});

test.for<[string, string, string]>([
  ["another flag", "--max-semi-space-size=4", "--max-semi-space-size=8"],
  ["another value of a variable", "ca-certificates.crt", "ca-bundle.crt"],
  ["another variable", "Env = [", 'Env = [ "A=1"'],
  ["another user", "Cmd = command;", 'Cmd = command; User = "1";'],
  ["another file", "config = {", "contents = [ docker ]; config = {"],
])("%s in it makes another tag, since a host loads none twice", async ([, from, to]) => {
  const edited = await referenceWith((text) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  });
  expect(edited).toMatch(known);
  expect(edited).not.toBe(await referenceWith());
});
