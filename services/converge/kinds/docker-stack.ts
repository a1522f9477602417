import { ComposeFailure } from "../adapters/compose.ts";
import { stackLabel } from "../adapters/docker.ts";
import { parseImage } from "../adapters/image-reference.ts";
import { endedHow, lastWords } from "../adapters/program.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import { defineLines } from "../engine/line.ts";
import { sha256, stableJson } from "../engine/stable-json.ts";
import type { Context, Steps } from "../engine/steps.ts";
import type { Deployment, Wanted } from "./stack/deployment.ts";
import type { Manner } from "./stack/plan.ts";
import { stepsBy } from "./stack/stack-run.ts";

export const dockerStackLines = defineLines({
  "stack-file-missing": {
    as: "failed",
    says: "{source}, which the stack {stack} is made from, is not there: run 'nixos-rebuild switch' again",
  },
  "stack-shown-missing": {
    as: "failed",
    says: "{path}, which the stack {stack} is shown, is not there: see what should make it on this host; what runs was left alone",
  },
  "stack-file-wrong": {
    as: "failed",
    says: "the compose file of {stack} makes no stack ({words}): this is a defect, please report it; what runs was left alone",
  },
  "stack-not-deployed": {
    as: "failed",
    says: "Docker did not deploy {stack} ({words}): see 'journalctl -u docker'; the next run tries again",
  },
  "image-not-loaded": {
    as: "failed",
    says: "the image {image} comes with this host and could not be loaded ({words}): see 'journalctl -u docker', and whether there is room in /var/lib/docker; what runs goes on running",
  },
});

type DockerStack = ResourceOf<"docker-stack">;

/** Digits of a SHA-256, as many as half a seal has. */
const digits = 32;

export function dockerStackSteps(resource: DockerStack, context: Context): Steps {
  const steps = stepsBy(new OwnDeployment(resource, context), context);
  return {
    ...steps,
    require: async () => {
      await requireFiles(resource, context);
      await steps.require?.();
    },
  };
}

/** Docker would start one task after the other, and say it of each. */
async function requireFiles({ stack, files }: DockerStack, { world }: Context): Promise<void> {
  for (const path of files) {
    if (await world.files.exists(path)) continue;
    throw dockerStackLines.stop("stack-shown-missing", { path, stack });
  }
}

/** A compose file of ours at its wanted state, which Docker's own client deploys. */
class OwnDeployment implements Deployment {
  readonly manner: Manner;
  readonly source: string;
  readonly deploySeconds: number;
  readonly stableSeconds: number;
  readonly #resource: DockerStack;
  readonly #context: Context;

  constructor(resource: DockerStack, context: Context) {
    const { stack, deploySeconds, stableSeconds } = resource;
    this.manner = { stack, deploy: "stack deploy", target: stack, getImage: "image load" };
    this.source = context.piece;
    this.deploySeconds = deploySeconds;
    this.stableSeconds = stableSeconds;
    this.#resource = resource;
    this.#context = context;
  }

  /** Undefined as long as a version that the file names is not there. */
  async wanted(): Promise<Wanted | undefined> {
    const text = this.#context.slots.findIn(await this.#template());
    if (text === undefined) return undefined;
    const { stack } = this.#resource;
    const digest = sha256(stableJson({ stack, text: withoutComments(text) })).slice(0, digits);
    try {
      return { digest, model: await this.#context.world.compose.renderText(stack, text) };
    } catch (error) {
      if (!(error instanceof ComposeFailure)) throw error;
      const words = error.message.split("\n").at(-1) ?? "";
      throw dockerStackLines.stop("stack-file-wrong", { stack, words }, error.message);
    }
  }

  async refuseUnknown(): Promise<never> {
    const { slots } = this.#context;
    const { stack } = this.#resource;
    slots.fillIn(await this.#template(), stack);
    throw new Error(`all is known of ${stack}`);
  }

  async getImage(image: string): Promise<void> {
    const { slots, world } = this.#context;
    const { loadSeconds, stack } = this.#resource;
    const program = slots.get(this.#resource.image.loader, stack);
    const env = { PATH: process.env.PATH ?? "" };
    const ending = await world.run({ program, args: [], env, seconds: loadSeconds });
    const words = ending.status === 0 ? "" : lastWords(ending) || endedHow(ending, loadSeconds);
    if (words === "" && (await world.docker.hasImage(image))) return;
    const why = words.split("\n").at(-1) || "it was loaded under another name";
    throw dockerStackLines.stop("image-not-loaded", { image, words: why }, words);
  }

  /** All of it is in the one file. */
  async before(): Promise<readonly Call[]> {
    return [];
  }

  async deploy(): Promise<void> {
    const { slots, world } = this.#context;
    const { stack } = this.#resource;
    const text = slots.fillIn(await this.#template(), stack);
    try {
      await world.compose.deployText(stack, text, this.deploySeconds);
    } catch (error) {
      if (!(error instanceof ComposeFailure)) throw error;
      const words = error.message.split("\n").at(-1) ?? "";
      throw dockerStackLines.stop("stack-not-deployed", { stack, words }, error.message);
    }
  }

  async superseded(wanted: Wanted | undefined): Promise<readonly Call[]> {
    return [...(await this.#oldConfigs(wanted)), ...(await this.#oldImages())];
  }

  /** What it read when it started has another name with another content. */
  async #oldConfigs(wanted: Wanted | undefined): Promise<readonly Call[]> {
    const { docker } = this.#context.world;
    const { stack } = this.#resource;
    const named = wanted?.model.services.flatMap(({ configs }) => configs);
    const old = (await docker.configs()).filter(
      ({ Spec }) =>
        Spec.Labels[stackLabel] === stack && named !== undefined && !named.includes(Spec.Name),
    );
    return old
      .map(({ ID, Spec: { Name } }) => ({
        ...({ phase: "seal", verb: "config remove", target: Name } as const),
        why: "nothing reads it any more",
        perform: () => docker.removeSealed("configs", ID),
      }))
      .toSorted((left, right) => (left.target < right.target ? -1 : 1));
  }

  /** Each switch that brings another content brings another tag, and Docker would keep them all. */
  async #oldImages(): Promise<readonly Call[]> {
    const { slots, world } = this.#context;
    const reference = slots.get(this.#resource.image.reference, this.#resource.stack);
    const { registry, repository } = parseImage(reference);
    const all = await world.docker.imagesOf(`${registry}/${repository}`);
    return all
      .filter((each) => each !== reference)
      .map((each) => ({
        ...{ phase: "seal", verb: "image remove", target: each },
        why: `${reference} has taken its place`,
        perform: () => world.docker.removeImage(each),
      }));
  }

  /** The text with its slots, as the generator wrote it. */
  async #template(): Promise<string> {
    const { slots, world } = this.#context;
    const { stack, composeFile } = this.#resource;
    const source = slots.get(composeFile, stack);
    const text = await world.files.read(source);
    if (text === undefined) throw dockerStackLines.stop("stack-file-missing", { source, stack });
    return text.toString("utf8");
  }
}

/** What a file says of where it comes from is no other stack. */
function withoutComments(text: string): string {
  return text.replaceAll(/^#.*\n/gm, "");
}
