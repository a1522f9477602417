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
    const hasChanged = async () => pass < passes && (await inputs(state, context)) !== used;
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

async function applyPhases(
  all: readonly Steps[],
  { sights, piece }: Context,
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
    if (phase === "seal") for (const steps of all) await steps.verify?.();
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

/** A digest of all host files that the piece reads: as they were judged, else as they are. */
async function inputs(
  { resources }: DesiredState,
  { world }: Context,
  judged = new JudgedFiles(),
): Promise<string> {
  const parts: string[] = [];
  for (const resource of resources) {
    if (resource.kind !== "host-file") continue;
    const isFile = (await world.files.look(resource.path))?.isFile ?? false;
    const content = isFile ? await judged.read(resource.path, world.files) : undefined;
    parts.push(content === undefined ? "none" : sha256(content));
  }
  return parts.join(" ");
}
