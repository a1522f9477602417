import { DockerRefusal, DockerSilence } from "../../adapters/docker-socket.ts";
import { readable } from "../../adapters/program.ts";
import { registryAuthentication } from "../../adapters/registry-credentials.ts";
import type { ResourceOf } from "../../desired-state.ts";
import { surpriseLines } from "../../engine/surprise.ts";
import type { World } from "../../engine/world.ts";
import { stackLines } from "./lines.ts";
import { isRegistryAway } from "./pull-trouble.ts";

/** The pulls of one stack, which all together take no longer than its bound. */
export class ImagePulls {
  readonly #credentials: string | null;
  readonly #world: World;
  #seconds: number;

  constructor({ registryCredentials, pullSeconds }: ResourceOf<"stack">, world: World) {
    this.#credentials = registryCredentials;
    this.#seconds = pullSeconds;
    this.#world = world;
  }

  /** @throws {Stop} when it cannot be had */
  async pull(image: string): Promise<void> {
    const { docker, files, clock } = this.#world;
    const config = this.#credentials === null ? undefined : await files.read(this.#credentials);
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
