import { ComposeFailure } from "../adapters/compose.ts";
import { serviceLabel, stackLabel } from "../adapters/docker.ts";
import type { SealedFile, Service } from "../adapters/docker-schemas.ts";
import { DockerRefusal } from "../adapters/docker-socket.ts";
import { pullReference } from "../adapters/image-reference.ts";
import type { StackModel } from "../adapters/stack-model.ts";
import { ownershipConfig, type ResourceOf } from "../desired-state.ts";
import { ownLabels, pieceLabel, triedLabel, worksLabel } from "../engine/ownership.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { type OverlayFile, overlayAt } from "./checkout/overlay.ts";
import { type Revision, wantedRevision, withGit } from "./checkout.ts";
import { desiredEnv, differing, envTemplate, typeLineOf, withoutType, writeEnv } from "./env.ts";
import { stacksToReplace } from "./retired/stack.ts";
import { oldTraefiks, shutsOut, traefikApi } from "./stack/api-floor.ts";
import { isAiling, lastWordsOf } from "./stack/health.ts";
import { ImagePulls } from "./stack/image-pull.ts";
import { stackLines } from "./stack/lines.ts";
import {
  findLostPort,
  forgetRestart,
  type LostPort,
  restartDocker,
  waitForRuns,
  wasDockerRestarted,
} from "./stack/lost-port.ts";
import {
  brokenUpdate,
  planStack,
  type StackSight,
  type StackWork,
  whyDeploy,
} from "./stack/plan.ts";
import { refuseForeign, refuseTakenPort } from "./stack/refusals.ts";
import { desiredDigest, sealedLabels } from "./stack/seal.ts";
import { type DeployTimes, refuseBrokenUpdate, waitUntilUp } from "./stack/verify.ts";

type Stack = ResourceOf<"stack">;

export function stackSteps(resource: Stack, context: Context): Steps {
  const run = new StackRun(resource, context);
  return {
    require: () => run.require(),
    plan: () => run.plan(),
    verify: () => run.verify(),
  };
}

/** The recipe at its wanted state, rendered. */
interface Wanted {
  readonly model: StackModel;
  readonly digest: string;
}

/** What was seen to work. */
interface Verified {
  /** Of the state that was wanted. */
  readonly digest: string;
  /** Of the services, by their ids. */
  readonly versions: ReadonlyMap<string, number>;
}

/** One run over a stack, with what it has to remember from one step to the next. */
class StackRun {
  readonly #resource: Stack;
  readonly #context: Context;
  readonly #env: ResourceOf<"env">;
  readonly #checkout: ResourceOf<"checkout">;
  readonly #pulls: ImagePulls;
  #deploy: DeployTimes | undefined;
  #verified: Verified | undefined;

  constructor(resource: Stack, context: Context) {
    this.#resource = resource;
    this.#context = context;
    this.#env = sibling("env", resource, context);
    this.#checkout = sibling("checkout", resource, context);
    this.#pulls = new ImagePulls(resource, context);
  }

  async require(): Promise<void> {
    const { docker } = this.#context.world;
    this.#refuseForeign(await docker.services(this.#resource.stack), await this.#ownership());
  }

  async plan() {
    const { stack } = this.#resource;
    const { docker } = this.#context.world;
    const services = await docker.services(stack);
    const ownership = await this.#ownership();
    this.#refuseForeign(services, ownership);
    const wanted = await this.#wanted();
    if (wanted !== undefined) await this.#refuseOldTraefik(wanted.model);
    const found = await docker.networks();
    const isAiling = await this.#isAiling(services);
    const sight: StackSight = {
      ...{ services, wanted },
      ownership: ownership && {
        tried: ownership.Spec.Labels[triedLabel],
        works: ownership.Spec.Labels[worksLabel],
        since: ownership.UpdatedAt,
      },
      missingImages: await this.#missingImages(wanted?.model),
      isAiling,
      lostPort: isAiling ? await this.#lostPort(services) : undefined,
      networks: new Map(
        found.filter(({ Scope }) => Scope === "swarm").map(({ Name, Id }) => [Name, Id]),
      ),
      typeLine: await this.#typeLine(),
      envPath: this.#env.path,
      isDeployed: this.#deploy !== undefined,
    };
    const broken = brokenUpdate(stack, sight);
    if (broken !== undefined) {
      refuseBrokenUpdate(broken, lastWordsOf(await docker.tasks(broken.ID)));
    }
    if (wanted !== undefined && whyDeploy(stack, sight).length > 0) {
      await this.#refuseMissing(wanted.model, sight.networks);
      const { host, piece, foreseen } = this.#context;
      const leaving = await stacksToReplace(this.#context);
      const stays = (labels: Readonly<Record<string, string>>, name = ""): boolean =>
        !leaving.has(labels[stackLabel] ?? "") &&
        !foreseen.has(`app undeploy ${labels[stackLabel] ?? ""}`) &&
        !foreseen.has(`service remove ${name}`);
      const all = (await docker.services()).filter(({ Spec }) => stays(Spec.Labels, Spec.Name));
      const containers = (await docker.containers()).filter(({ Labels }) =>
        stays(Labels, Labels[serviceLabel]),
      );
      refuseTakenPort({ stack, host, piece }, wanted.model, all, containers);
    }
    return planStack(this.#resource, sight, this.#work);
  }

  async verify(): Promise<void> {
    const { model, digest } = await this.#demanded();
    const versions = await waitUntilUp(this.#resource, this.#context, model, this.#deploy);
    this.#verified = { digest, versions };
    await forgetRestart(this.#context);
  }

  #noted(label: string, digest: string): Readonly<Record<string, string>> {
    const { host, piece } = this.#context;
    return { ...ownLabels(host), [pieceLabel]: piece, [label]: digest };
  }

  async #note(label: string, digest: string): Promise<void> {
    const ownership = await this.#ownership();
    if (ownership === undefined) return;
    const { docker } = this.#context.world;
    await docker.setSealedLabels("configs", ownership, this.#noted(label, digest));
  }

  async #ownership(): Promise<SealedFile | undefined> {
    const name = ownershipConfig(this.#resource.stack);
    return (await this.#context.world.docker.configs()).find(({ Spec }) => Spec.Name === name);
  }

  #refuseForeign(services: readonly Service[], ownership: SealedFile | undefined): void {
    const { host, piece } = this.#context;
    refuseForeign({ stack: this.#resource.stack, host, piece }, services, ownership);
  }

  /** Undefined as long as the recipe or a version that the `.env` names is not there. */
  async #wanted(): Promise<Wanted | undefined> {
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

  /** @throws {Stop} when it is not known, with why */
  async #demanded(): Promise<Wanted> {
    const wanted = await this.#wanted();
    if (wanted !== undefined) return wanted;
    const { recipe, stack, version } = this.#resource;
    const { slots } = this.#context;
    const named = slots.get(version, stack);
    slots.fillIn(await envTemplate(this.#env, this.#context), this.#env.path);
    throw stackLines.stop("stack-recipe-gone", { recipe, version: named });
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

  async #missingImages(model: StackModel | undefined): Promise<readonly string[]> {
    const images = new Set((model?.services ?? []).map(({ image }) => pullReference(image)));
    const missing: string[] = [];
    for (const image of images) {
      if (!(await this.#context.world.docker.hasImage(image))) missing.push(image);
    }
    return missing;
  }

  async #isAiling(services: readonly Service[]): Promise<boolean> {
    for (const service of services) {
      if (isAiling(service, await this.#context.world.docker.tasks(service.ID))) return true;
    }
    return false;
  }

  /** @throws {Stop} when a restart of Docker did not bring it back, or has to wait */
  async #lostPort(services: readonly Service[]): Promise<LostPort | undefined> {
    const lost = await findLostPort(services, this.#context);
    if (lost !== undefined && (await wasDockerRestarted(this.#context))) {
      throw stackLines.stop("service-port-lost-again", { ...lost });
    }
    if (lost !== undefined) await waitForRuns(lost, this.#context.world.systemd);
    return lost;
  }

  async #typeLine(): Promise<StackSight["typeLine"]> {
    const { slots, world } = this.#context;
    const actual = (await world.files.read(this.#env.path))?.toString("utf8");
    const template = await envTemplate(this.#env, this.#context);
    const desired = slots.findIn(withoutType(template));
    if (actual === undefined || desired === undefined || differing(actual, desired).length > 0) {
      return "rewritten";
    }
    const wanted = slots.findIn(typeLineOf(template));
    if (wanted === undefined) return "unknown";
    return typeLineOf(actual) === wanted ? "right" : "wrong";
  }

  async #refuseOldTraefik(model: StackModel): Promise<void> {
    const [image] = oldTraefiks(model.services.map((service) => service.image));
    // For an answer the daemon starts two programs.
    if (image === undefined) return;
    const { MinAPIVersion: floor } = await this.#context.world.docker.version();
    if (!shutsOut(floor)) return;
    throw stackLines.stop("traefik-too-old", { image, asked: traefikApi, floor });
  }

  /** What Docker would miss only half-way through a deploy. */
  async #refuseMissing(
    { external }: StackModel,
    networks: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { world, resources, slots, foreseen } = this.#context;
    const secrets = new Set([
      ...(await world.docker.secrets()).map(({ Spec }) => Spec.Name),
      ...resources.flatMap((resource) =>
        resource.kind === "secret"
          ? [`${resource.stack}_${resource.name}_${slots.find(resource.version) ?? ""}`]
          : [],
      ),
    ]);
    const { stack, recipe } = this.#resource;
    const secret = external.secrets.find((name) => !secrets.has(name));
    if (secret !== undefined) {
      throw stackLines.stop("stack-needs", { stack, what: "secret", name: secret, recipe });
    }
    const network = external.networks.find(
      (name) => !networks.has(name) && !foreseen.has(`network create ${name}`),
    );
    if (network !== undefined) {
      throw stackLines.stop("stack-needs", { stack, what: "network", name: network, recipe });
    }
  }

  readonly #work: StackWork = {
    pull: async (image) => {
      await this.#demanded();
      await this.#pulls.pull(image);
    },
    restartDocker: (lost) => restartDocker(lost, this.#context),
    own: async () => {
      const { host, world } = this.#context;
      // Docker takes none without content.
      const content = Buffer.from(`${host}\n`);
      const name = ownershipConfig(this.#resource.stack);
      const { digest } = await this.#demanded();
      const labels = this.#noted(triedLabel, digest);
      await world.docker.makeSealed("configs", name, content, labels);
    },
    noteTried: async () => this.#note(triedLabel, (await this.#demanded()).digest),
    noteWorks: async () => this.#note(worksLabel, this.#seenToWork().digest),
    writeEnv: () => writeEnv(this.#env, this.#context),
    deploy: async () => {
      const { domain, chaos, abraDirectory, deploySeconds, version } = this.#resource;
      const { clock, abra } = this.#context.world;
      await this.#demanded();
      const release = chaos ? undefined : this.#context.slots.get(version, domain);
      const [at, begun] = [clock.now(), clock.monotonic()];
      // Half a deploy may look whole: what abra did not get through is not judged, but done again.
      await abra.deploy({ domain, release, directory: abraDirectory }, deploySeconds);
      this.#deploy = { at, begun, ended: clock.monotonic() };
    },
    seal: (name) => this.#seal(name),
    remove: async (name) => {
      const { docker } = this.#context.world;
      this.#seenToWork();
      const services = await docker.services(this.#resource.stack);
      const service = services.find(({ Spec }) => Spec.Name === name);
      if (service !== undefined) await docker.removeService(service.ID);
    },
  };

  /** @throws {Error} before `verify`: the phases are in another order */
  #seenToWork(): Verified {
    if (this.#verified === undefined) throw new Error("nothing was verified yet");
    return this.#verified;
  }

  async #seal(name: string): Promise<void> {
    const { docker } = this.#context.world;
    const { digest, versions } = this.#seenToWork();
    const services = await docker.services(this.#resource.stack);
    const service = services.find(({ Spec }) => Spec.Name === name);
    const changed = () => stackLines.stop("service-changed-meanwhile", { service: name });
    const isVerified = service !== undefined && versions.get(service.ID) === service.Version.Index;
    if (!isVerified || this.#deploy === undefined) throw changed();
    try {
      await docker.setServiceLabels(service, sealedLabels(digest, service));
    } catch (error) {
      const isLate = error instanceof DockerRefusal && /out of sequence/.test(error.message);
      throw isLate ? changed() : error;
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
