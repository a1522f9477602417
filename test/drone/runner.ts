import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Background } from "../background.ts";
import { answers, freePort } from "../forge/gitea.ts";
import { until } from "../host/machine/processes.ts";
import type { Variables } from "./server.ts";

const startSeconds = 30;

/** An exec runner of a Drone server, with a folder of its own. */
export class DroneRunner {
  readonly url: string;
  /** Its workspaces are made there. */
  readonly root: string;
  readonly program: Background;

  private constructor(url: string, root: string, program: Background) {
    this.url = url;
    this.root = root;
    this.program = program;
  }

  /**
   * @param server the address of the server
   * @param settings what its file of settings says beside addresses and folders
   * @param own its environment beside them
   */
  static async start(
    command: readonly string[],
    folder: string,
    server: string,
    settings: Variables,
    own: Variables = {},
  ): Promise<DroneRunner> {
    const root = join(folder, "workspaces");
    mkdirSync(root, { recursive: true });
    const address = `127.0.0.1:${await freePort()}`;
    const file = join(folder, "runner.env");
    const all = {
      DRONE_RPC_PROTO: "http",
      DRONE_RPC_HOST: new URL(server).host,
      DRONE_RUNNER_ROOT: root,
      DRONE_HTTP_BIND: address,
      DRONE_UI_DISABLE: "true",
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    const env = { PATH: process.env.PATH ?? "", USER: "runner", HOME: folder, ...own };
    const program = new Background([...command, "daemon", file], { env, cwd: folder });
    const url = `http://${address}`;
    await until(
      "an answer of the runner",
      startSeconds,
      () => answers(new URL("/healthz", url)),
      100,
    );
    return new DroneRunner(url, root, program);
  }

  /** Names of the workspaces that are there. */
  get workspaces(): readonly string[] {
    return readdirSync(this.root);
  }
}
