import { serviceLabel, stackLabel } from "../../adapters/docker.ts";
import type { SealedFile, Service } from "../../adapters/docker-schemas.ts";
import { DockerRefusal } from "../../adapters/docker-socket.ts";
import { pullReference } from "../../adapters/image-reference.ts";
import type { StackModel } from "../../adapters/stack-model.ts";
import { ownershipConfig } from "../../desired-state.ts";
import { ownLabels, pieceLabel, triedLabel, worksLabel } from "../../engine/ownership.ts";
import type { Context, Steps } from "../../engine/steps.ts";
import { stacksToReplace } from "../retired/stack.ts";
import { oldTraefiks, shutsOut, traefikApi } from "./api-floor.ts";
import type { Deployment, Wanted } from "./deployment.ts";
import { isAiling, lastWordsOf } from "./health.ts";
import { stackLines } from "./lines.ts";
import {
  findLostPort,
  forgetRestart,
  type LostPort,
  restartDocker,
  waitForRuns,
  wasDockerRestarted,
} from "./lost-port.ts";
import { brokenUpdate, planStack, type StackSight, type StackWork, whyDeploy } from "./plan.ts";
import { refuseForeign, refuseTakenPort } from "./refusals.ts";
import { sealedLabels } from "./seal.ts";
import { type DeployTimes, refuseBrokenUpdate, waitUntilUp } from "./verify.ts";

/** What was seen to work. */
interface Verified {
  /** Of the state that was wanted. */
  readonly digest: string;
  /** Of the services, by their ids. */
  readonly versions: ReadonlyMap<string, number>;
}

/** What makes a stack true, whoever deploys it. */
export function stepsBy(deployment: Deployment, context: Context): Steps {
  const run = new StackRun(deployment, context);
  return { require: () => run.require(), plan: () => run.plan(), verify: () => run.verify() };
}

/** One run over a stack, with what it has to remember from one step to the next. */
class StackRun {
  readonly #deployment: Deployment;
  readonly #context: Context;
  readonly #stack: string;
  #deploy: DeployTimes | undefined;
  #verified: Verified | undefined;

  constructor(deployment: Deployment, context: Context) {
    this.#deployment = deployment;
    this.#context = context;
    this.#stack = deployment.manner.stack;
  }

  async require(): Promise<void> {
    const { docker } = this.#context.world;
    this.#refuseForeign(await docker.services(this.#stack), await this.#ownership());
  }

  async plan() {
    const { docker } = this.#context.world;
    const services = await docker.services(this.#stack);
    const ownership = await this.#ownership();
    this.#refuseForeign(services, ownership);
    const wanted = await this.#deployment.wanted();
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
      before: await this.#deployment.before(),
      superseded: await this.#deployment.superseded(wanted),
      isDeployed: this.#deploy !== undefined,
    };
    const broken = brokenUpdate(this.#stack, sight);
    if (broken !== undefined) {
      refuseBrokenUpdate(broken, lastWordsOf(await docker.tasks(broken.ID)));
    }
    if (wanted !== undefined && whyDeploy(this.#stack, sight).length > 0) {
      await this.#refuseMissing(wanted.model, sight.networks);
      await this.#refuseTakenPort(wanted.model);
    }
    return planStack(this.#deployment.manner, sight, this.#work);
  }

  async verify(): Promise<void> {
    const { model, digest } = await this.#demanded();
    const stack = { stack: this.#stack, ...this.#bounds };
    const versions = await waitUntilUp(stack, this.#context, model, this.#deploy);
    this.#verified = { digest, versions };
    await forgetRestart(this.#context);
  }

  get #bounds() {
    const { deploySeconds, stableSeconds } = this.#deployment;
    return { deploySeconds, stableSeconds };
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
    const name = ownershipConfig(this.#stack);
    return (await this.#context.world.docker.configs()).find(({ Spec }) => Spec.Name === name);
  }

  #refuseForeign(services: readonly Service[], ownership: SealedFile | undefined): void {
    const { host, piece } = this.#context;
    refuseForeign({ stack: this.#stack, host, piece }, services, ownership);
  }

  /** @throws {Stop} when it is not known, with why */
  async #demanded(): Promise<Wanted> {
    return (await this.#deployment.wanted()) ?? (await this.#deployment.refuseUnknown());
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
    const { source: recipe } = this.#deployment;
    const stack = this.#stack;
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

  async #refuseTakenPort(model: StackModel): Promise<void> {
    const { host, piece, foreseen, world } = this.#context;
    const leaving = await stacksToReplace(this.#context);
    const stays = (labels: Readonly<Record<string, string>>, name = ""): boolean =>
      !leaving.has(labels[stackLabel] ?? "") &&
      !foreseen.has(`app undeploy ${labels[stackLabel] ?? ""}`) &&
      !foreseen.has(`service remove ${name}`);
    const services = await world.docker.services();
    const all = services.filter(({ Spec }) => stays(Spec.Labels, Spec.Name));
    const containers = (await world.docker.containers()).filter(({ Labels }) =>
      stays(Labels, Labels[serviceLabel]),
    );
    refuseTakenPort({ stack: this.#stack, host, piece }, model, all, containers);
  }

  readonly #work: StackWork = {
    getImage: async (image) => {
      await this.#demanded();
      await this.#deployment.getImage(image);
    },
    restartDocker: (lost) => restartDocker(lost, this.#context),
    own: async () => {
      const { host, world } = this.#context;
      // Docker takes none without content.
      const content = Buffer.from(`${host}\n`);
      const name = ownershipConfig(this.#stack);
      const { digest } = await this.#demanded();
      const labels = this.#noted(triedLabel, digest);
      await world.docker.makeSealed("configs", name, content, labels);
    },
    noteTried: async () => this.#note(triedLabel, (await this.#demanded()).digest),
    noteWorks: async () => this.#note(worksLabel, this.#seenToWork().digest),
    deploy: async () => {
      const { clock } = this.#context.world;
      await this.#demanded();
      const [at, begun] = [clock.now(), clock.monotonic()];
      // Half a deploy may look whole: what was not got through is not judged, but done again.
      await this.#deployment.deploy();
      this.#deploy = { at, begun, ended: clock.monotonic() };
    },
    seal: (name) => this.#seal(name),
    remove: async (name) => {
      const { docker } = this.#context.world;
      this.#seenToWork();
      const services = await docker.services(this.#stack);
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
    const services = await docker.services(this.#stack);
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
