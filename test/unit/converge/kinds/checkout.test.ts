import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../../services/converge/adapters/clock.ts";
import { Files } from "../../../../services/converge/adapters/files.ts";
import { Git } from "../../../../services/converge/adapters/git.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { Slots } from "../../../../services/converge/engine/slots.ts";
import type { Steps } from "../../../../services/converge/engine/steps.ts";
import { checkoutSteps, wantedRevision } from "../../../../services/converge/kinds/checkout.ts";
import { type Upstream, upstream } from "../adapters/recipe-upstream.ts";
import { contextOf } from "../fake-context.ts";

type Checkout = ResourceOf<"checkout">;

const world = { git: new Git({ protocols: ["file"] }), files: new Files(), clock: systemClock };

/** A piece with one checkout of that repository. */
function checkoutOf(
  source: Upstream,
  revision: Checkout["revision"],
  parts: Partial<Checkout> = {},
) {
  const resource: Checkout = {
    ...{ kind: "checkout", recipe: "web", repository: source.address, revision },
    directory: join(source.scratch, "recipes", "web"),
    ...{ version: { slot: "recipe-version" }, fetchSeconds: 60 },
    ...parts,
  };
  const slots = new Slots({});
  const steps = checkoutSteps(resource, contextOf({ world, slots }));
  return {
    resource,
    directory: resource.directory,
    steps,
    version: () => slots.find(resource.version),
    slot: (name: string) => slots.find({ slot: name }),
  };
}

const planned = async (steps: Steps) => (await steps.plan()).map(({ verb }) => verb);

async function converge(steps: Steps): Promise<readonly string[]> {
  const calls = await steps.plan();
  for (const call of calls) await call.perform();
  return calls.map(({ verb }) => verb);
}

/** One with the releases 1.0.0+1.0.0 and, at a later commit, 1.1.0+1.0.0. */
function recipe(): Upstream {
  const source = upstream();
  source.git("tag", "--annotate", "--message=x", "1.0.0+1.0.0");
  source.commit({ "compose.yml": "services: {app: {}}\n" });
  source.git("tag", "1.1.0+1.0.0");
  return source;
}

describe("a checkout", () => {
  test("is cloned at its release, and then there is nothing to do", async () => {
    using source = recipe();
    const { steps, version, directory } = checkoutOf(source, { release: "1.0.0" });
    expect(await planned(steps)).toEqual(["checkout clone", "checkout reset"]);
    expect(version()).toBeUndefined();
    expect(await converge(steps)).toEqual(["checkout clone", "checkout reset"]);
    expect(version()).toBe("1.0.0+1.0.0");
    expect(await planned(steps)).toEqual([]);
    const head = source.git("rev-parse", "1.0.0+1.0.0^{commit}");
    expect(await world.git.files(directory)).toEqual({ head, changes: [] });
  });

  test("at a commit has its first digits as version", async () => {
    using source = recipe();
    const commit = source.git("rev-parse", "HEAD~1");
    const { steps, version, resource } = checkoutOf(source, { commit });
    await converge(steps);
    expect(version()).toBe(commit.slice(0, 8));
    const revision = await wantedRevision(resource, contextOf({ world }));
    expect(revision).toEqual({ commit, version: commit.slice(0, 8) });
  });

  test("has files of ours laid over it, whatever becomes of them", async () => {
    // given a recipe, and a file of ours that is to lie beside its own
    using source = recipe();
    const ours = join(source.scratch, "overlay.yml");
    writeFileSync(ours, "services: {app: {command: x}}\n");
    const files = [{ file: "compose.ccci.yml", content: ours }];
    const overlay = { version: { slot: "overlay-version" }, files };
    const { steps, directory, slot } = checkoutOf(source, { release: "1.0.0" }, { overlay });
    const laid = () => readFileSync(join(directory, "compose.ccci.yml"), "utf8");
    // when it is cloned, then the file is there, and nothing is left to do
    expect(await converge(steps)).toEqual(["checkout clone", "checkout reset"]);
    expect(laid()).toBe("services: {app: {command: x}}\n");
    expect(await planned(steps)).toEqual([]);
    const version = slot("overlay-version");
    expect(version).toMatch(/^[0-9a-f]{12}$/);
    // when it is changed there, removed there, or to be another, then it is brought back
    for (const harm of [
      () => appendFileSync(join(directory, "compose.ccci.yml"), "# by hand\n"),
      () => rmSync(join(directory, "compose.ccci.yml")),
      () => writeFileSync(ours, "services: {app: {command: y}}\n"),
    ]) {
      harm();
      const [call] = await steps.plan();
      expect(call?.why).toBe("other files of ours are to lie there: compose.ccci.yml");
      await call?.perform();
      expect(laid()).toBe(readFileSync(ours, "utf8"));
      expect(await planned(steps)).toEqual([]);
    }
    // and has another version of its own, which follows its content
    expect(slot("overlay-version")).not.toBe(version);
    // and a file of a stranger beside it is none of ours
    writeFileSync(join(directory, "stranger"), "");
    expect((await steps.plan()).map(({ why }) => why)).toEqual(["changed by hand: stranger"]);
  });

  test("has compose files of ours say the version of the format that its own say", async () => {
    using source = recipe();
    source.commit({ "compose.yml": 'version: "3.8"\nservices: {app: {}}\n' });
    const commit = source.git("rev-parse", "HEAD");
    const ours = join(source.scratch, "overlay");
    writeFileSync(ours, "services: {}\n");
    const files = ["compose.ccci.yml", "ccci.env.tmpl"].map((file) => ({ file, content: ours }));
    const overlay = { version: { slot: "overlay-version" }, files };
    const { steps, directory } = checkoutOf(source, { commit }, { overlay });
    await converge(steps);
    const laid = files.map(({ file }) => readFileSync(join(directory, file), "utf8"));
    expect(laid).toEqual(['version: "3.8"\nservices: {}\n', "services: {}\n"]);
    expect(await planned(steps)).toEqual([]);
  });

  test("says under which names the recipe takes the versions of its secrets", async () => {
    // given a recipe that names a variable in an overlay of its own
    using source = recipe();
    const name = "${STACK_NAME}_rpc_secret_${RPC_SECRET_VERSION}";
    source.commit({
      "compose.gitea.yml": `secrets: {rpc_secret: {external: true, name: "${name}"}}\n`,
    });
    const commit = source.git("rev-parse", "HEAD");
    const composeFiles = ["compose.yml", "compose.gitea.yml"];
    const slots = { rpc_secret: { slot: "rpc-variable" } };
    const { steps, slot } = checkoutOf(
      source,
      { commit },
      { secretVariables: { composeFiles, slots } },
    );
    // when nothing is there yet, then the name is not known
    expect(await planned(steps)).toEqual(["checkout clone", "checkout reset"]);
    expect(slot("rpc-variable")).toBeUndefined();
    // when it was cloned, then it is
    await converge(steps);
    expect(slot("rpc-variable")).toBe("RPC_SECRET_VERSION");
  });

  test("goes to another release that is here already without its upstream", async () => {
    using source = recipe();
    await converge(checkoutOf(source, { release: "1.0.0" }).steps);
    rmSync(source.folder, { recursive: true });
    const { steps, version } = checkoutOf(source, { release: "1.1.0" });
    expect(await converge(steps)).toEqual(["checkout reset"]);
    expect(version()).toBe("1.1.0+1.0.0");
  });

  test("fetches a release that came later, also when an older tag was moved", async () => {
    using source = recipe();
    await converge(checkoutOf(source, { release: "1.0.0" }).steps);
    source.commit({ "compose.yml": "newer\n" });
    source.git("tag", "--force", "1.0.0+1.0.0");
    source.git("tag", "1.2.0+1.0.0");
    const { steps, version } = checkoutOf(source, { release: "1.2.0" });
    expect(await converge(steps)).toEqual(["checkout fetch", "checkout reset"]);
    expect(version()).toBe("1.2.0+1.0.0");
  });

  test("fetches a commit that no branch leads to any more", async () => {
    using source = recipe();
    await converge(checkoutOf(source, { release: "1.0.0" }).steps);
    source.git("config", "uploadpack.allowAnySHA1InWant", "true");
    const commit = source.commit({ "compose.yml": "lost\n" });
    source.git("reset", "--quiet", "--hard", "HEAD~1");
    const { steps } = checkoutOf(source, { commit });
    expect(await converge(steps)).toEqual(["checkout fetch", "checkout reset"]);
    expect(await planned(steps)).toEqual([]);
  });
});

describe("damage is mended", () => {
  const repair = "checkout repair";
  const clone = "checkout clone";
  const reset = "checkout reset";

  test.for<[string, (directory: string) => void, readonly string[]]>([
    ["dirty", (directory) => appendFileSync(join(directory, "compose.yml"), "x"), [reset]],
    ["with a file more", (directory) => writeFileSync(join(directory, "x"), ""), [reset]],
    ["without its index", (directory) => rmSync(join(directory, ".git/index")), [reset]],
    ["a broken index", (directory) => truncateSync(join(directory, ".git/index"), 9), [reset]],
    ["locked", (directory) => writeFileSync(join(directory, ".git/index.lock"), ""), [repair]],
    ["deleted", (directory) => rmSync(directory, { recursive: true }), [clone, reset]],
    ["a file", fileInstead, [clone, reset]],
    ["without HEAD", (directory) => truncateSync(join(directory, ".git/HEAD"), 0), [clone, reset]],
    ["emptied", (directory) => emptyPacks(directory), [clone, reset]],
  ])("when it is %s", async ([, damage, calls]) => {
    using source = recipe();
    const { steps, directory } = checkoutOf(source, { release: "1.0.0" });
    await converge(steps);
    damage(directory);
    expect(await converge(steps)).toEqual(calls);
    expect(await planned(steps)).toEqual([]);
  });

  test("when somebody checked out another state, or a clone of another repository lies there", async () => {
    using source = recipe();
    const { steps, directory } = checkoutOf(source, { release: "1.0.0" });
    await converge(steps);
    source.git("-C", directory, "checkout", "--quiet", "1.1.0+1.0.0");
    expect(await converge(steps)).toEqual([reset]);
    source.git("-C", directory, "remote", "set-url", "origin", "https://git.example.org/b.git");
    expect(await converge(steps)).toEqual([clone, reset]);
    expect(await planned(steps)).toEqual([]);
  });

  test("when a clone was killed", async () => {
    using source = recipe();
    const { steps, directory } = checkoutOf(source, { release: "1.0.0" });
    const half = join(directory, "..", ".web.new", ".git", "objects");
    mkdirSync(half, { recursive: true });
    expect(await converge(steps)).toEqual([clone, reset]);
    expect(readdirSync(join(directory, ".."))).toEqual(["web"]);
  });

  function fileInstead(directory: string): void {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, "");
  }

  function emptyPacks(directory: string): void {
    const folder = join(directory, ".git/objects/pack");
    for (const name of readdirSync(folder)) truncateSync(join(folder, name), 0);
  }
});

describe("a person is told", () => {
  const stopOf = async (steps: Steps) => {
    const error = await converge(steps).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return (error as { readonly line: unknown }).line;
  };

  test("which releases there are, when the wanted one is not", async () => {
    using source = recipe();
    const line = await stopOf(checkoutOf(source, { release: "1.0.7" }).steps);
    const text = expect.stringContaining("the nearest are 1.0.0+1.0.0, 1.1.0+1.0.0");
    expect(line).toMatchObject({ id: "recipe-without-release", as: "failed", text });
  });

  test("which tags match, when several do", async () => {
    using source = recipe();
    source.git("tag", "1.0.0+1.0.1");
    const line = await stopOf(checkoutOf(source, { release: "1.0.0" }).steps);
    const text = expect.stringContaining("1.0.0+1.0.0, 1.0.0+1.0.1");
    expect(line).toMatchObject({ id: "recipe-release-ambiguous", as: "failed", text });
  });

  test("of both commits, when a tag does not lead to the pinned one", async () => {
    using source = recipe();
    const pinned = source.git("rev-parse", "HEAD");
    const found = source.git("rev-parse", "HEAD~1");
    const { steps } = checkoutOf(source, { release: "1.0.0+1.0.0", commit: pinned });
    const text = expect.stringMatching(new RegExp(`commit ${found},.* pins ${pinned}`));
    const line = { id: "recipe-tag-moved", as: "refused", text };
    expect(await stopOf(steps)).toMatchObject(line);
    expect(await stopOf(steps)).toMatchObject(line);
  });

  test("of a secret that the recipe does not have", async () => {
    using source = recipe();
    const secretVariables = {
      composeFiles: ["compose.yml"],
      slots: { rpc_secret: { slot: "rpc-variable" } },
    };
    const { steps } = checkoutOf(source, { release: "1.0.0" }, { secretVariables });
    const text = expect.stringContaining("its secret rpc_secret in compose.yml");
    expect(await stopOf(steps)).toMatchObject({ id: "recipe-without-secret", as: "failed", text });
  });

  test("of a commit that is nowhere", async () => {
    using source = recipe();
    const { steps } = checkoutOf(source, { commit: "0".repeat(40) });
    expect(await stopOf(steps)).toMatchObject({ id: "recipe-without-commit", as: "failed" });
  });

  test("of a repository that is none", async () => {
    using source = recipe();
    const parts = { repository: `file://${source.scratch}` };
    const { steps } = checkoutOf(source, { release: "1.0.0" }, parts);
    expect(await stopOf(steps)).toMatchObject({ id: "recipe-not-given", as: "failed" });
  });

  test("to wait, when the upstream cannot be asked", async () => {
    using source = recipe();
    const { steps } = checkoutOf(source, { release: "1.0.0" }, { fetchSeconds: 0 });
    const slow = new Git({
      run: async () => ({
        status: null,
        signal: "SIGTERM",
        stdout: "",
        stderr: "",
        timedOut: true,
      }),
    });
    const asked = Object.assign(Object.create(world.git), { clone: slow.clone.bind(slow) });
    const context = contextOf({ world: { ...world, git: asked } });
    const { resource } = checkoutOf(source, { release: "1.0.0" });
    const line = await stopOf(checkoutSteps(resource, context));
    expect(line).toMatchObject({ id: "recipe-unreachable", as: "pending" });
    expect(await planned(steps)).toEqual(["checkout clone", "checkout reset"]);
  });
});
