import { GitFailure } from "../adapters/git.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import { defineLines, type Stop } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { surpriseLines } from "../engine/surprise.ts";
import type { World } from "../engine/world.ts";
import { type Differences, differences, fillOverlayVersion, layOver } from "./checkout/overlay.ts";
import { chooseTag } from "./checkout/release-tag.ts";
import { secretVariablesOf } from "./checkout/secret-variables.ts";
import { isUnreachable } from "./checkout/upstream-trouble.ts";

export const checkoutLines = defineLines({
  "recipe-unreachable": {
    as: "pending",
    says: "{repository} cannot be reached, and {wanted} of the recipe {recipe} is not on this host yet ({words}): what runs goes on running; the next run asks again",
  },
  "recipe-not-given": {
    as: "failed",
    says: "{repository} does not give out the recipe {recipe} ({words}): check the recipe's repository in cc-ci.yaml, and whether this host may read it",
  },
  "recipe-without-release": {
    as: "failed",
    says: "{repository} has no release {release}: the nearest are {nearest}; set one of its releases in cc-ci.yaml",
  },
  "recipe-release-ambiguous": {
    as: "failed",
    says: "{repository} has several releases {release}: {tags}; set one of them, with its '+', in cc-ci.yaml",
  },
  "recipe-without-commit": {
    as: "failed",
    says: "{repository} has no commit {commit} that it gives out: set one of its commits in cc-ci.yaml",
  },
  "recipe-tag-moved": {
    as: "refused",
    says: "the tag {tag} of {repository} leads to commit {found}, and the configuration pins {pinned}: find out who moved it and what changed; then set the commit that you trust in cc-ci.yaml, and remove {directory} if the tag here is the older one",
  },
  "recipe-git-failed": {
    as: "failed",
    says: "git cannot work in {directory} ({words}): see whether the disk is well, then remove that folder, it holds nothing of yours: the next run clones it again",
  },
});

type Checkout = ResourceOf<"checkout">;

/** The state of the recipe that is asked for, once it is here. */
export interface Revision {
  readonly commit: string;
  /** The release with its `+upstream`, or the first digits of the commit: what abra calls it. */
  readonly version: string;
}

/** What is seen of a clone, without its files. */
type ActualClone =
  | { readonly is: "absent" }
  | { readonly is: "broken" }
  | {
      readonly is: "clone";
      readonly origin: string | undefined;
      /** The wanted one, of a clone of the right origin. */
      readonly revision: Revision | undefined;
    };

/** The same with its files. */
type ActualCheckout =
  | Exclude<ActualClone, { is: "clone" }>
  | (Extract<ActualClone, { is: "clone" }> &
      Differences & { readonly leftovers: readonly string[] });

/** What each call of this kind does. */
interface CheckoutWork {
  readonly removeLeftovers: () => Promise<void>;
  readonly clone: () => Promise<void>;
  readonly fetch: () => Promise<void>;
  readonly reset: () => Promise<void>;
}

/** How many digits of a commit stand for it in a version: as many as abra writes. */
const versionDigits = 8;

/** How many paths a reason names. */
const namedPaths = 3;

function planCheckout(
  { directory, repository, revision }: Checkout,
  actual: ActualCheckout,
  work: CheckoutWork,
): readonly Call[] {
  const call = (verb: Call["verb"], why: string, perform: () => Promise<void>): Call => {
    return { phase: "prepare", verb, target: directory, why, perform };
  };
  const fresh = (why: string) => [
    call("checkout clone", why, work.clone),
    call("checkout reset", "a new clone has no files yet", work.reset),
  ];
  if (actual.is === "absent") return fresh("there is no clone of the recipe");
  // A new one takes the place of what lies there once it is whole.
  if (actual.is === "broken") return fresh("git cannot read what lies there");
  if (actual.origin !== repository) {
    return fresh(`the clone is one of ${actual.origin ?? "nobody knows what"}`);
  }
  const calls: Call[] = [];
  if (actual.leftovers.length > 0) {
    const why = `a git that died has left ${someOf(actual.leftovers)}`;
    calls.push(call("checkout repair", why, work.removeLeftovers));
  }
  const wanted = actual.revision;
  if (wanted === undefined) {
    const why = `${named(revision)} is not here`;
    calls.push(call("checkout fetch", why, work.fetch));
    calls.push(call("checkout reset", "the files are those of another state", work.reset));
  } else if (actual.files === undefined) {
    calls.push(call("checkout reset", "git cannot tell what changed in the files", work.reset));
  } else if (actual.files.head !== wanted.commit) {
    const where = actual.files.head?.slice(0, versionDigits) ?? "nothing";
    const why = `the files are those of ${where} instead of ${wanted.version}`;
    calls.push(call("checkout reset", why, work.reset));
  } else if (actual.files.changes.length > 0) {
    const why = `changed by hand: ${someOf(actual.files.changes)}`;
    calls.push(call("checkout reset", why, work.reset));
  } else if (actual.overlay.length > 0) {
    const why = `other files of ours are to lie there: ${someOf(actual.overlay)}`;
    calls.push(call("checkout reset", why, work.reset));
  }
  return calls;
}

export function checkoutSteps(resource: Checkout, context: Context): Steps {
  const { world, slots } = context;
  const { git, clock } = world;
  const { directory, repository, fetchSeconds } = resource;
  const { slot } = resource.version;
  const guard = <Value>(work: () => Promise<Value>) => withGit(resource, work);
  let usedSeconds = 0;

  const fill = async (revision: Revision | undefined) => {
    const variables = await secretVariablesOf(resource, revision, git);
    const known = new Map([[slot, revision?.version], ...variables]);
    for (const [name, value] of known) {
      if (value === undefined) slots.clear(name);
      else slots.fill(name, value);
    }
  };

  /** What goes out of this host shares one bound. */
  async function reach(ask: (seconds: number) => Promise<void>): Promise<GitFailure | undefined> {
    const begin = clock.monotonic();
    try {
      await ask(Math.max(1, fetchSeconds - usedSeconds));
      return undefined;
    } catch (error) {
      if (error instanceof GitFailure) return error;
      throw error;
    } finally {
      usedSeconds += clock.monotonic() - begin;
    }
  }

  async function arrive(failure: GitFailure | undefined): Promise<void> {
    let trouble = failure;
    let found = await findRevision(resource, world);
    if (found === undefined && !("release" in resource.revision)) {
      // A commit that no branch and no tag leads to has to be asked for by its name.
      const { commit } = resource.revision;
      trouble = await reach((seconds) => git.fetchCommit(directory, commit, seconds));
      found = await findRevision(resource, world);
    }
    await fill(await present(found, resource, trouble, world));
  }

  const work: CheckoutWork = {
    removeLeftovers: () => git.removeLeftovers(directory),
    clone: () =>
      guard(async () => {
        const failure = await reach((seconds) => git.clone(repository, directory, seconds));
        if (failure !== undefined) throw upstreamStop(resource, failure);
        await arrive(undefined);
      }),
    fetch: () => guard(async () => arrive(await reach((seconds) => git.fetch(directory, seconds)))),
    reset: () =>
      guard(async () => {
        const found = await findRevision(resource, world);
        const revision = await present(found, resource, undefined, world);
        await git.checkout(directory, revision.commit);
        await layOver(revision.commit, resource, context);
        await fill(revision);
      }),
  };

  return {
    phases: ["prepare"],
    plan: () =>
      guard(async () => {
        await fillOverlayVersion(resource, context);
        const actual = await observe(resource, context);
        await fill(actual.is === "clone" ? actual.revision : undefined);
        return planCheckout(resource, actual, work);
      }),
  };
}

/**
 * The wanted state of the recipe, undefined as long as it is not here whole.
 *
 * @throws {Stop} when a person must decide which one it is
 */
export async function wantedRevision(
  resource: Checkout,
  context: Context,
): Promise<Revision | undefined> {
  const clone = await withGit(resource, () => seenClone(resource, context));
  return clone.is === "clone" ? clone.revision : undefined;
}

/** Asked for by what is made from the recipe too. */
async function seenClone(resource: Checkout, { sights, world }: Context): Promise<ActualClone> {
  return await sights.of(resource, () => observeClone(resource, world));
}

async function observeClone(resource: Checkout, world: World): Promise<ActualClone> {
  const { directory } = resource;
  const { git, files } = world;
  if (!(await git.isClone(directory))) {
    return { is: (await files.exists(directory)) ? "broken" : "absent" };
  }
  const origin = await git.origin(directory);
  const revision = origin === resource.repository ? await findRevision(resource, world) : undefined;
  return revision === "damaged" ? { is: "broken" } : { is: "clone", origin, revision };
}

async function observe(resource: Checkout, context: Context): Promise<ActualCheckout> {
  const { directory } = resource;
  const { git } = context.world;
  const clone = await seenClone(resource, context);
  if (clone.is !== "clone") return clone;
  const files = await git.files(directory);
  return {
    ...clone,
    leftovers: await git.leftovers(directory),
    ...(await differences(files, clone.revision?.commit, resource, context)),
  };
}

/**
 * Damaged where the clone speaks of that state and cannot give its files, as after a power cut.
 *
 * @throws {Stop} when a tag is not what the configuration takes it for, or there are several
 */
async function findRevision(
  { directory, repository, revision }: Checkout,
  { git }: World,
): Promise<Revision | "damaged" | undefined> {
  const whole = async (commit: string, version: string) =>
    (await git.isWhole(directory, commit)) ? { commit, version } : ("damaged" as const);
  if (!("release" in revision)) {
    const { commit } = revision;
    if (!(await git.hasCommit(directory, commit))) return undefined;
    return await whole(commit, commit.slice(0, versionDigits));
  }
  const { release, commit: pinned } = revision;
  const tags = await git.tags(directory);
  if (tags === undefined) return "damaged";
  const choice = chooseTag([...tags.keys()], release);
  if ("several" in choice) {
    const values = { repository, release, tags: choice.several.join(", ") };
    throw checkoutLines.stop("recipe-release-ambiguous", values);
  }
  if ("none" in choice) return undefined;
  const { tag } = choice;
  const commit = tags.get(tag);
  if (commit === undefined) return "damaged";
  if (pinned !== undefined && pinned !== commit) {
    const values = { tag, repository, found: commit, pinned, directory };
    throw checkoutLines.stop("recipe-tag-moved", values);
  }
  return await whole(commit, tag);
}

/** @throws {Stop} when it is not here whole, with why */
async function present(
  found: Revision | "damaged" | undefined,
  resource: Checkout,
  failure: GitFailure | undefined,
  world: World,
): Promise<Revision> {
  if (found === undefined) throw await whyNot(resource, failure, world);
  if (found !== "damaged") return found;
  const { directory } = resource;
  const words = `files of ${named(resource.revision)} cannot be read`;
  throw checkoutLines.stop("recipe-git-failed", { directory, words });
}

/** What a server says that was reached and does not have, or not give out, a commit. */
const noSuchCommit = /not our ref|unadvertised object|couldn't find remote ref/i;

/** Why the wanted state is not here, though it was asked for. */
async function whyNot(
  resource: Checkout,
  failure: GitFailure | undefined,
  { git }: World,
): Promise<Stop> {
  const { repository, revision, directory } = resource;
  // A tag that was moved, or a branch that is in the way of another, leaves the rest well.
  const isServed = failure === undefined || failure.status === 1;
  if (!isServed && !noSuchCommit.test(failure.words)) return upstreamStop(resource, failure);
  if (!("release" in revision)) {
    return checkoutLines.stop("recipe-without-commit", { repository, commit: revision.commit });
  }
  const { release } = revision;
  const tags = await git.tags(directory);
  const choice = chooseTag([...(tags?.keys() ?? [])], release);
  const nearest = ("nearest" in choice && choice.nearest.join(", ")) || "none at all";
  return checkoutLines.stop("recipe-without-release", { repository, release, nearest });
}

function isDiskFull({ words }: GitFailure): boolean {
  return /no space left on device/i.test(words);
}

function isOutside(failure: GitFailure): boolean {
  return failure.timedOut || isUnreachable(failure.words);
}

function upstreamStop(resource: Checkout, failure: GitFailure): Stop {
  const { recipe, repository, revision, directory } = resource;
  if (isDiskFull(failure)) {
    return surpriseLines.stop("disk-full", { path: directory }, failure.words);
  }
  const [words = "", ...more] = failure.words.split("\n").toReversed();
  const details = more.toReversed().join("\n");
  if (!isOutside(failure)) {
    return checkoutLines.stop("recipe-not-given", { repository, recipe, words }, details);
  }
  const values = { repository, recipe, words, wanted: named(revision) };
  return checkoutLines.stop("recipe-unreachable", values, details);
}

/** @throws {Stop} when git cannot do its work on this host */
export async function withGit<Value>(
  { directory }: Checkout,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    if (isDiskFull(error)) {
      throw surpriseLines.stop("disk-full", { path: directory }, error.words);
    }
    const [words = "", ...more] = error.words.split("\n").toReversed();
    const details = more.toReversed().join("\n");
    throw checkoutLines.stop("recipe-git-failed", { directory, words }, details);
  }
}

function named(revision: Checkout["revision"]): string {
  return "release" in revision
    ? `release ${revision.release}`
    : `commit ${revision.commit.slice(0, versionDigits)}`;
}

function someOf(paths: readonly string[]): string {
  const more = paths.length - namedPaths;
  const shown = paths.slice(0, namedPaths).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
