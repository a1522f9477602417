import type { Service } from "../../adapters/docker-schemas.ts";
import type { ModelService, StackModel } from "../../adapters/stack-model.ts";
import { ownershipConfig } from "../../desired-state.ts";
import { type Call, notYetKnown } from "../../engine/call.ts";
import { dockerUnit, type LostPort } from "./lost-port.ts";
import { whyUnsealed } from "./seal.ts";

/** Whom to tell, and what, to have a stack deployed. */
export interface Manner {
  readonly stack: string;
  readonly deploy: Extract<Call["verb"], "app deploy" | "stack deploy">;
  /** What that is told to deploy. */
  readonly target: string;
  readonly getImage: Extract<Call["verb"], "image pull" | "image load">;
}

/** What is seen of a stack. */
export interface StackSight {
  /** The stack's own. */
  readonly services: readonly Service[];
  /** The swarm config that says that the stack is ours; undefined when there is none. */
  readonly ownership: Ownership | undefined;
  /** What should run; undefined as long as not all is known that it is made from. */
  readonly wanted: { readonly model: StackModel; readonly digest: string } | undefined;
  /** Images of the model that this machine has not. */
  readonly missingImages: readonly string[];
  /** Whether fewer tasks run than should. */
  readonly isAiling: boolean;
  /** What one of them waits for in vain; undefined where none does. */
  readonly lostPort: LostPort | undefined;
  /** Ids of the swarm's networks, by name. */
  readonly networks: ReadonlyMap<string, string>;
  /** What comes right before a deploy, where there is one. */
  readonly before: readonly Call[];
  /** What is left of earlier states, and goes once this one works. */
  readonly superseded: readonly Call[];
  /** Whether this run has deployed it. */
  readonly isDeployed: boolean;
}

/** What is noted of a stack of ours, as digests of desired states. */
interface Ownership {
  /** About to be deployed, and never seen to work. */
  readonly tried: string | undefined;
  /** Seen to work. */
  readonly works: string | undefined;
  /** When that was noted, as RFC 3339. */
  readonly since: string;
}

/** What each call of this kind does. */
export interface StackWork {
  readonly getImage: (image: string) => Promise<void>;
  readonly restartDocker: (lost: LostPort) => Promise<void>;
  readonly own: () => Promise<void>;
  readonly noteTried: () => Promise<void>;
  readonly noteWorks: () => Promise<void>;
  readonly deploy: () => Promise<void>;
  readonly seal: (service: string) => Promise<void>;
  readonly remove: (service: string) => Promise<void>;
}

export function planStack(manner: Manner, sight: StackSight, work: StackWork): readonly Call[] {
  const { wanted, services, isDeployed } = sight;
  if (wanted === undefined) return planUnknown(manner, sight, work);
  const { stack } = manner;
  const reasons = whyDeploy(stack, sight);
  const isDue = reasons.length > 0;
  const names = wanted.model.services.map(({ name }) => `${stack}_${name}`);
  const unsealed = names.filter((name) => {
    const service = services.find(({ Spec }) => Spec.Name === name);
    return service === undefined || whyUnsealed(wanted.digest, service) !== undefined;
  });
  const toSeal = isDeployed ? unsealed : isDue ? names : [];
  const leftovers = services.map(({ Spec }) => Spec.Name).filter((name) => !names.includes(name));
  return [
    ...(sight.lostPort === undefined ? [] : [planRestart(sight.lostPort, work)]),
    // Without its image a task that ends now would not start again; else one may miss unnoticed.
    ...(isDue || sight.isAiling ? sight.missingImages : []).map(
      (image): Call => ({
        ...{ phase: "prepare", verb: manner.getImage, target: image },
        why: "this machine does not have it",
        perform: () => work.getImage(image),
      }),
    ),
    ...(isDue ? planDeploy(manner, sight, work, manner.target, reasons.join("; ")) : []),
    ...toSeal.map(
      (name): Call => ({
        ...{ phase: "seal", verb: "service seal", target: name },
        why: "seen to work as deployed",
        perform: () => work.seal(name),
      }),
    ),
    ...leftovers.toSorted().map(
      (name): Call => ({
        ...{ phase: "seal", verb: "service remove", target: name },
        why: "what was deployed does not name it",
        perform: () => work.remove(name),
      }),
    ),
    ...sight.superseded,
    ...(sight.ownership?.works === wanted.digest ? [] : [noteWorks(manner, work)]),
  ];
}

function planRestart(lost: LostPort, work: StackWork): Call {
  return {
    ...{ phase: "prepare", verb: "docker restart", target: dockerUnit },
    why: `it gives ${lost.service} no port ${lost.port}, which no container has`,
    perform: () => work.restartDocker(lost),
  };
}

/**
 * The service whose update to the very state that is wanted Docker took back, or stopped half-way in: to
 * deploy the same again would take down once more what runs.
 */
export function brokenUpdate(
  stack: string,
  { ownership, wanted, services }: StackSight,
): Service | undefined {
  if (wanted === undefined || ownership?.tried !== wanted.digest) return undefined;
  const names = wanted.model.services.map(({ name }) => `${stack}_${name}`);
  return services.find(
    ({ Spec, UpdateStatus }) =>
      names.includes(Spec.Name) &&
      isTakenBack(UpdateStatus?.State ?? "") &&
      // One of before tells of another state, when the deploy of this one did not come to pass.
      Date.parse(UpdateStatus?.StartedAt ?? "") >= Date.parse(ownership.since),
  );
}

function isTakenBack(state: string): boolean {
  return /^rollback_|^paused$/.test(state);
}

function noteWorks({ stack }: Manner, { noteWorks: perform }: StackWork): Call {
  const why = "this state was seen to work";
  return { phase: "seal", verb: "config mark", target: ownershipConfig(stack), why, perform };
}

/** Why the stack is to be deployed; empty when it is as it should be, and seen to be so. */
export function whyDeploy(stack: string, sight: StackSight): readonly string[] {
  const { wanted, services, networks } = sight;
  if (wanted === undefined) return [];
  return wanted.model.services.flatMap((model) => {
    const name = `${stack}_${model.name}`;
    const service = services.find(({ Spec }) => Spec.Name === name);
    if (service === undefined) return [`${name} is not there`];
    const state = service.UpdateStatus?.State ?? "";
    const why =
      whyUnsealed(wanted.digest, service) ??
      (isTakenBack(state) ? `its last update is ${state}` : undefined) ??
      otherNetwork(model, service, networks);
    return why === undefined ? [] : [`${name}: ${why}`];
  });
}

/** A network of the same name that was made anew has another id, and no task of the service reaches it. */
function otherNetwork(
  { networks: wanted }: ModelService,
  { Spec }: Service,
  networks: ReadonlyMap<string, string>,
): string | undefined {
  const targets = new Set(Spec.TaskTemplate.Networks.map(({ Target }) => Target));
  const other = wanted.find((name) => !targets.has(name) && !targets.has(networks.get(name) ?? ""));
  return other === undefined ? undefined : `the network ${other} is not the one that it is on`;
}

function planDeploy(
  { stack, deploy: verb }: Manner,
  { ownership, wanted, before }: StackSight,
  work: StackWork,
  target: string,
  why: string,
): readonly Call[] {
  const calls: Call[] = [];
  const config = ownershipConfig(stack);
  if (ownership === undefined) {
    calls.push({
      ...{ phase: "apply", verb: "config create", target: config },
      why: "it says that the stack is ours, before there is any",
      perform: work.own,
    });
  } else if (wanted === undefined || ![ownership.tried, ownership.works].includes(wanted.digest)) {
    calls.push({
      ...{ phase: "apply", verb: "config mark" },
      target: wanted === undefined ? notYetKnown : config,
      why: "another state is about to be deployed",
      perform: work.noteTried,
    });
  }
  return [...calls, ...before, { phase: "apply", verb, target, why, perform: work.deploy }];
}

/** What can be told before the recipe and all versions are there. */
function planUnknown(manner: Manner, sight: StackSight, work: StackWork): readonly Call[] {
  const isThere = sight.services.length > 0;
  const [target, why] = isThere
    ? [notYetKnown, "what it is deployed from is not here yet"]
    : [manner.target, "nothing of it is there"];
  const unknown = (phase: Call["phase"], verb: Call["verb"], perform: Call["perform"]): Call => {
    return {
      phase,
      verb,
      target: notYetKnown,
      why: "what it is made from is not here yet",
      perform,
    };
  };
  return [
    unknown("prepare", manner.getImage, () => work.getImage(notYetKnown)),
    ...planDeploy(manner, sight, work, target, why),
    unknown("seal", "service seal", () => work.seal(notYetKnown)),
    ...(isThere ? [unknown("seal", "service remove", () => work.remove(notYetKnown))] : []),
    unknown("seal", "config mark", work.noteWorks),
  ];
}
