import { DockerRefusal, DockerSilence } from "../../adapters/docker-socket.ts";
import { readable } from "../../adapters/program.ts";
import { registryAuthentication } from "../../adapters/registry-credentials.ts";
import type { ResourceOf } from "../../desired-state.ts";
import type { Context } from "../../engine/steps.ts";
import { surpriseLines } from "../../engine/surprise.ts";
import { stackLines } from "./lines.ts";
import { isRegistryAway } from "./pull-trouble.ts";

/** The pulls of one stack, which all together take no longer than its bound. */
export class ImagePulls {
  readonly #credentials: string | null;
  readonly #context: Pick<Context, "judged" | "world">;
  #seconds: number;

  constructor(
    { registryCredentials, pullSeconds }: ResourceOf<"stack">,
    context: Pick<Context, "judged" | "world">,
  ) {
    this.#credentials = registryCredentials;
    this.#seconds = pullSeconds;
    this.#context = context;
  }

  /** @throws {Stop} when it cannot be had */
  async pull(image: string): Promise<void> {
    const { judged, world } = this.#context;
    const { docker, files, clock } = world;
    const path = this.#credentials;
    const config = path === null ? undefined : await judged.read(path, files);
    const authentication = config && registryAuthentication(config.toString("utf8"), image);
    const begun = clock.monotonic();
    try {
      await docker.pull(image, Math.max(1, this.#seconds), authentication);
    } catch (error) {
      throw stopOf(error, image);
    } finally {
      this.#seconds -= clock.monotonic() - begun;
    }
  }
}

function stopOf(error: unknown, image: string): unknown {
  if (error instanceof DockerSilence && /no answer/.test(error.message)) {
    return stackLines.stop("image-not-reached", { image, words: error.message });
  }
  if (!(error instanceof DockerRefusal)) return error;
  const words = readable(error.message);
  if (/no space left on device/i.test(words)) {
    return surpriseLines.stop("disk-full", { path: "/var/lib/docker" }, words);
  }
  return isRegistryAway(words)
    ? stackLines.stop("image-not-reached", { image, words })
    : stackLines.stop("image-not-given", { image, words });
}
