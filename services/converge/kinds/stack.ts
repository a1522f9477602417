import { ComposeFailure } from "../adapters/compose.ts";
import type { StackModel } from "../adapters/stack-model.ts";
import type { ResourceOf } from "../desired-state.ts";
import { type Call, notYetKnown } from "../engine/call.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { type OverlayFile, overlayAt } from "./checkout/overlay.ts";
import { type Revision, wantedRevision, withGit } from "./checkout.ts";
import { desiredEnv, differing, envTemplate, typeLineOf, withoutType, writeEnv } from "./env.ts";
import type { Deployment, Wanted } from "./stack/deployment.ts";
import { ImagePulls } from "./stack/image-pull.ts";
import { stackLines } from "./stack/lines.ts";
import type { Manner } from "./stack/plan.ts";
import { desiredDigest } from "./stack/seal.ts";
import { stepsBy } from "./stack/stack-run.ts";

type Stack = ResourceOf<"stack">;

export function stackSteps(resource: Stack, context: Context): Steps {
  return stepsBy(new AbraDeployment(resource, context), context);
}

/** A recipe at its wanted state, which abra deploys. */
class AbraDeployment implements Deployment {
  readonly manner: Manner;
  readonly source: string;
  readonly deploySeconds: number;
  readonly stableSeconds: number;
  readonly #resource: Stack;
  readonly #context: Context;
  readonly #env: ResourceOf<"env">;
  readonly #checkout: ResourceOf<"checkout">;
  readonly #pulls: ImagePulls;

  constructor(resource: Stack, context: Context) {
    const { stack, domain, recipe, deploySeconds, stableSeconds } = resource;
    this.manner = { stack, deploy: "app deploy", target: domain, getImage: "image pull" };
    this.source = recipe;
    this.deploySeconds = deploySeconds;
    this.stableSeconds = stableSeconds;
    this.#resource = resource;
    this.#context = context;
    this.#env = sibling("env", resource, context);
    this.#checkout = sibling("checkout", resource, context);
    this.#pulls = new ImagePulls(resource, context);
  }

  /** Undefined as long as the recipe or a version that the `.env` names is not there. */
  async wanted(): Promise<Wanted | undefined> {
    const { slots } = this.#context;
    const revision = await wantedRevision(this.#checkout, this.#context);
    const version = slots.find(this.#resource.version);
    const env = await desiredEnv(this.#env, this.#context);
    if (revision === undefined || version === undefined || env === undefined) return undefined;
    const { commit } = revision;
    const overlay = await overlayAt(commit, this.#checkout, this.#context);
    const digest = desiredDigest({ resource: this.#resource, version, commit, overlay, env });
    return { digest, model: await this.#render(revision, overlay, env) };
  }

  async refuseUnknown(): Promise<never> {
    const { recipe, stack, version } = this.#resource;
    const { slots } = this.#context;
    const named = slots.get(version, stack);
    slots.fillIn(await envTemplate(this.#env, this.#context), this.#env.path);
    throw stackLines.stop("stack-recipe-gone", { recipe, version: named });
  }

  async getImage(image: string): Promise<void> {
    await this.#pulls.pull(image);
  }

  /** The line that abra rewrites may be wrong alone. */
  async before(): Promise<readonly Call[]> {
    const { slots, world } = this.#context;
    const { path } = this.#env;
    const actual = (await world.files.read(path))?.toString("utf8");
    const template = await envTemplate(this.#env, this.#context);
    const desired = slots.findIn(withoutType(template));
    // Then all of the file is written before, for other reasons.
    if (actual === undefined || desired === undefined || differing(actual, desired).length > 0) {
      return [];
    }
    const wanted = slots.findIn(typeLineOf(template));
    if (typeLineOf(actual) === wanted) return [];
    const [target, why] =
      wanted === undefined
        ? [notYetKnown, "abra may have put another version into it"]
        : [path, "abra has put another version into it"];
    const perform = () => writeEnv(this.#env, this.#context);
    return [{ phase: "apply", verb: "env write", target, why, perform }];
  }

  async deploy(): Promise<void> {
    const { domain, chaos, abraDirectory, version } = this.#resource;
    const release = chaos ? undefined : this.#context.slots.get(version, domain);
    const app = { domain, release, directory: abraDirectory };
    await this.#context.world.abra.deploy(app, this.deploySeconds);
  }

  /** Images of a recipe are anybody's. */
  async superseded(): Promise<readonly Call[]> {
    return [];
  }

  async #render(
    { commit, version }: Revision,
    overlay: readonly OverlayFile[],
    env: string,
  ): Promise<StackModel> {
    const { stack, domain, composeFiles, recipe } = this.#resource;
    const checkout = this.#checkout.directory;
    const { compose } = this.#context.world;
    try {
      return await withGit(this.#checkout, () =>
        compose.render({ stack, domain, checkout, commit, overlay, composeFiles, env }),
      );
    } catch (error) {
      if (!(error instanceof ComposeFailure)) throw error;
      const words = error.message.split("\n").at(-1) ?? "";
      throw stackLines.stop("stack-unreadable", { recipe, version, words }, error.message);
    }
  }
}

/** The other resource that makes the stack with it. */
function sibling<Kind extends "env" | "checkout">(
  kind: Kind,
  { stack }: Stack,
  { resources, piece }: Context,
): ResourceOf<Kind> {
  const found = resources.find((each): each is ResourceOf<Kind> => each.kind === kind);
  if (found === undefined) throw stackLines.stop("stack-incomplete", { piece, what: kind, stack });
  return found;
}
