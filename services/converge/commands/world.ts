import { DroneClient } from "../../lib/drone/client.ts";
import { logIn } from "../../lib/drone/login.ts";
import { ForgeClient } from "../../lib/forge/client.ts";
import { Abra } from "../adapters/abra.ts";
import { systemClock } from "../adapters/clock.ts";
import { Compose } from "../adapters/compose.ts";
import { Docker } from "../adapters/docker.ts";
import { Files } from "../adapters/files.ts";
import { Git } from "../adapters/git.ts";
import { Https } from "../adapters/https.ts";
import { KeptModels } from "../adapters/kept-models.ts";
import { runProgram } from "../adapters/program.ts";
import { Systemd } from "../adapters/systemd.ts";
import type { World } from "../engine/world.ts";

/** The real one. @param mayKeep whether what was rendered may be kept for the next run */
export function realWorld({ mayKeep = false } = {}): World {
  return {
    docker: new Docker(),
    files: new Files(),
    git: new Git(),
    compose: new Compose({ kept: new KeptModels({ mayWrite: mayKeep }) }),
    abra: new Abra(),
    https: new Https(),
    systemd: new Systemd(),
    run: runProgram,
    clock: systemClock,
    drone: (options) => new DroneClient(options),
    forge: (options) => new ForgeClient(options),
    logIn,
  };
}
