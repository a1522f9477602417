import { Abra } from "../adapters/abra.ts";
import { systemClock } from "../adapters/clock.ts";
import { Compose } from "../adapters/compose.ts";
import { Docker } from "../adapters/docker.ts";
import { Files } from "../adapters/files.ts";
import { Git } from "../adapters/git.ts";
import { Https } from "../adapters/https.ts";
import type { World } from "../engine/world.ts";

/** The real one. */
export function realWorld(): World {
  return {
    docker: new Docker(),
    files: new Files(),
    git: new Git(),
    compose: new Compose(),
    abra: new Abra(),
    https: new Https(),
    clock: systemClock,
  };
}
