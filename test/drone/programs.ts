import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundleOf } from "../host/bundle.ts";

/** How Drone's two programs are started: their command lines up to their arguments. */
export interface DronePrograms {
  readonly server: readonly string[];
  readonly runner: readonly string[];
  readonly areReal: boolean;
}

/**
 * The real programs where DRONE_SERVER_BIN and DRONE_RUNNER_BIN name them, else the stand-ins for them.
 * Either speaks to its like alone.
 *
 * @param scratch the stand-ins are written there
 * @throws {Error} when one is named without the other, or is not there
 */
export function dronePrograms(scratch: string, environment = process.env): DronePrograms {
  const { DRONE_SERVER_BIN: server, DRONE_RUNNER_BIN: runner } = environment;
  if (server && runner) {
    for (const path of [server, runner]) {
      if (!existsSync(path)) throw new Error(`${path}: there is no such program`);
    }
    return { server: [resolve(server)], runner: [resolve(runner)], areReal: true };
  }
  if (server || runner) {
    throw new Error(
      "a real Drone server and a real runner go together: set DRONE_SERVER_BIN and DRONE_RUNNER_BIN, or neither",
    );
  }
  const standIn = (name: "server" | "runner"): readonly string[] => {
    const file = join(scratch, `drone-${name}.cjs`);
    writeFileSync(file, droneStandIn(name));
    // Without the dashes Node takes `--env-file` for its own.
    return [process.execPath, "--", file];
  };
  return { server: standIn("server"), runner: standIn("runner"), areReal: false };
}

/** A stand-in as one file for Node. */
function droneStandIn(name: "server" | "runner"): string {
  return bundleOf(join(import.meta.dirname, "stand-in", name, "main.ts"));
}
