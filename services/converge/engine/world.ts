import type { DroneClient, DroneOptions } from "../../lib/drone/client.ts";
import type { Credentials } from "../../lib/drone/login.ts";
import type { ForgeClient, ForgeOptions } from "../../lib/forge/client.ts";
import type { Abra } from "../adapters/abra.ts";
import type { Clock } from "../adapters/clock.ts";
import type { Compose } from "../adapters/compose.ts";
import type { Docker } from "../adapters/docker.ts";
import type { Files } from "../adapters/files.ts";
import type { Git } from "../adapters/git.ts";
import type { Https } from "../adapters/https.ts";
import type { Run } from "../adapters/program.ts";
import type { Systemd } from "../adapters/systemd.ts";

/** Everything outside of this process that converge looks at or changes: one adapter for each. */
export interface World {
  readonly docker: Docker;
  readonly files: Files;
  readonly git: Git;
  readonly compose: Compose;
  readonly abra: Abra;
  readonly https: Https;
  readonly systemd: Systemd;
  /** For a program that comes with the host, and has no adapter of its own. */
  readonly run: Run;
  readonly clock: Clock;
  /** Whoever asks says with whose token. */
  readonly drone: (options: DroneOptions) => DroneClient;
  readonly forge: (options: ForgeOptions) => ForgeClient;
  /** As a browser does it. */
  readonly logIn: (credentials: Credentials) => Promise<void>;
}
