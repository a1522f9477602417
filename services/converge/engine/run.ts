import type { DesiredState, Resource } from "../desired-state.ts";
import { type Call, type Phase, phases } from "./call.ts";
import type { Gate } from "./gate.ts";
import { JudgedFiles } from "./judged-files.ts";
import { sha256 } from "./stable-json.ts";
import type { Context, Steps } from "./steps.ts";

/** How a resource is made into steps: the table of kinds. */
export type StepsOf = (resource: Resource, context: Context) => Steps;

/** How often a run may start over because its host files changed under it; then the timer goes on. */
const passes = 2;

/**
 * Makes a desired state true. When a host file that it read is another one at the end, it goes over
 * everything once more: a path unit does not see what changes while its service runs.
 *
 * @throws {Stop} with the one line that a person needs
 */
export async function apply(
  state: DesiredState,
  context: Context,
  stepsOf: StepsOf,
  gate: Gate,
): Promise<void> {
  for (let pass = 1; ; pass += 1) {
    context.sights.forget();
    let used = await inputs(state, context);
    const hasChanged = async () =>
      pass < passes && isAnother(used, await inputs(state, context), state);
    const all = state.resources.map((resource) => stepsOf(resource, context));
    try {
      for (const steps of all) await steps.require?.();
      // A pair that was waited for is another one now: what counts is what was judged good.
      used = await inputs(state, context, context.judged);
      await applyPhases(all, context, gate);
      if (!(await hasChanged())) return;
    } catch (error) {
      // What it stopped at may have been mended meanwhile.
      if (!(await hasChanged())) throw error;
    }
  }
}

/** A verification that is quicker has waited for nothing; shorter than the pause between two looks. */
const standstillSeconds = 0.4;

async function applyPhases(
  all: readonly Steps[],
  { sights, piece, world: { clock } }: Context,
  gate: Gate,
): Promise<void> {
  const perform = async (call: Call): Promise<void> => {
    sights.forget();
    await gate.perform(call, piece);
    sights.forget();
  };
  for (const phase of phases) {
    // What is superseded goes in the order opposite to that in which it came: a secret after the
    // services that used it.
    const ordered = phase === "seal" ? all.toReversed() : all;
    if (phase === "seal") {
      const begun = clock.monotonic();
      for (const steps of all) await steps.verify?.();
      // What was waited for is not what was seen before.
      if (clock.monotonic() - begun >= standstillSeconds) sights.forget();
    }
    for (const steps of ordered.filter((each) => hasCallsIn(each, phase))) {
      const plan = await sights.of(steps, () => planOf(steps));
      for (const call of plan.filter((each) => each.phase === phase)) await perform(call);
    }
  }
}

const hasCallsIn = ({ phases }: Steps, phase: Phase): boolean => phases?.includes(phase) ?? true;

/** @throws {Error} with a call that would never be made */
async function planOf(steps: Steps): Promise<readonly Call[]> {
  const calls = await steps.plan();
  const stray = calls.find(({ phase }) => !hasCallsIn(steps, phase));
  if (stray === undefined) return calls;
  const { verb, target, phase } = stray;
  throw new Error(`${verb} ${target}: its resource says that it has no calls to ${phase}`);
}

/**
 * The calls that `apply` would make, in its order.
 *
 * @throws {Stop} where apply would stop before it changed anything
 */
export async function plan(
  state: DesiredState,
  context: Context,
  stepsOf: StepsOf,
): Promise<readonly Call[]> {
  const all = state.resources.map((resource) => stepsOf(resource, context));
  for (const steps of all) await steps.require?.();
  const calls: (readonly Call[])[] = [];
  for (const steps of all) calls.push(await planOf(steps));
  return phases.flatMap((phase) =>
    (phase === "seal" ? calls.toReversed() : calls).flatMap((some) =>
      some.filter((call) => call.phase === phase),
    ),
  );
}

/** Digests of host files, by path; undefined for one that cannot be read. */
type Inputs = ReadonlyMap<string, string | undefined>;

/** All host files that the piece reads: as they were judged, else as they are. */
async function inputs(
  { resources }: DesiredState,
  { world }: Context,
  judged = new JudgedFiles(),
): Promise<Inputs> {
  const found = new Map<string, string | undefined>();
  for (const resource of resources) {
    if (resource.kind !== "host-file") continue;
    const { path } = resource;
    try {
      const isFile = (await world.files.look(path))?.isFile ?? false;
      const content = isFile ? await judged.read(path, world.files) : undefined;
      found.set(path, content === undefined ? undefined : sha256(content));
    } catch {
      // Whoever judges it says what is wrong with it.
      found.set(path, undefined);
    }
  }
  return found;
}

/** Whether one of them changed, but for those that the run itself has made. */
function isAnother(before: Inputs, now: Inputs, { resources }: DesiredState): boolean {
  return resources.some((resource) => {
    if (resource.kind !== "host-file") return false;
    const { path, origin } = resource;
    if (origin.by === "host" && before.get(path) === undefined) return false;
    return before.get(path) !== now.get(path);
  });
}
