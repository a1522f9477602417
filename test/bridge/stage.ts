import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type BridgeSettings, bridgePlaces } from "../../services/lib/bridge-settings.ts";
import type { Front } from "../drone/front.ts";
import type { Gate } from "../drone/gate.ts";
import { type Drone, Scene } from "../drone/scene.ts";
import { Builds, nameOf } from "./builds.ts";
import { type Bot, type OpenPull, organisation, RecipesForge } from "./forge.ts";
import { BridgeProcess } from "./process.ts";

/** What a hook is signed with. */
export const hookKey = "key-of-the-hook-0123456789";

/** What is otherwise than with the bridge that most cases have. */
export interface Changes
  extends Partial<Omit<BridgeSettings, "forge" | "drone" | "limits" | "listen">> {
  readonly forge?: Partial<BridgeSettings["forge"]>;
  readonly drone?: Partial<BridgeSettings["drone"]>;
  readonly limits?: Partial<BridgeSettings["limits"]>;
  readonly listen?: Partial<BridgeSettings["listen"]>;
}

/** A forge with recipes, a Drone that builds, and the bridges between them. */
export class Stage {
  readonly scene: Scene;
  readonly drone: Drone;
  readonly forge: RecipesForge;
  readonly builds: Builds;
  readonly ci: string;
  readonly #scratch: string;
  readonly #bridges: BridgeProcess[] = [];

  private constructor(
    scratch: string,
    scene: Scene,
    drone: Drone,
    forge: RecipesForge,
    ci: string,
  ) {
    this.#scratch = scratch;
    this.scene = scene;
    this.drone = drone;
    this.forge = forge;
    this.ci = ci;
    this.builds = new Builds(scratch, drone, ci);
  }

  static async start(scratch: string): Promise<Stage> {
    const scene = await Scene.start(scratch);
    const { owner, stranger, gitea } = scene;
    const forge = await RecipesForge.on({ scratch, gitea, owner, stranger });
    const drone = await scene.shared();
    const ci = await scene.enabled();
    const stage = new Stage(scratch, scene, drone, forge, ci);
    await owner.commitFile(ci, "main", "out/host/drone.yml", stage.builds.pipeline());
    return stage;
  }

  /** @throws {Error} when a bridge has put a secret into its log */
  async stop(): Promise<void> {
    for (const bridge of this.#bridges) await bridge.kill();
    await this.scene.stop();
    const leaks = this.#bridges.flatMap((bridge) => bridge.leaks);
    if (leaks.length > 0) throw new Error(`secrets in the log: ${leaks.join("\n")}`);
  }

  /**
   * Waits until a bridge has read all that was written on a pull request so far.
   *
   * @returns whether it passed over that comment
   */
  async passesOver(bridge: BridgeProcess, pull: OpenPull, comment: number): Promise<boolean> {
    await bridge.judged(await this.forge.ask(pull, "!testme help"));
    return !bridge.wholeLog.some((entry) => entry.comment === comment);
  }

  /** Another CI repository. @param text its pipeline; none: it has none */
  async otherCi(text: string | undefined): Promise<string> {
    const ci = await this.forge.inTurn(async () => await this.scene.enabled());
    if (text !== undefined) {
      await this.forge.inTurn(
        async () => await this.forge.admin.commitFile(ci, "main", "out/host/drone.yml", text),
      );
    }
    return ci;
  }

  /** A way to the forge that can be shut, as part of a bridge's settings. */
  async gateToForge(): Promise<{ readonly gate: Gate; readonly server: string }> {
    const gate = await this.scene.gate();
    return { gate, server: `http://127.0.0.1:${gate.port}` };
  }

  async gateToDrone(): Promise<{ readonly gate: Gate; readonly server: string }> {
    const gate = await this.scene.gate(Number(new URL(this.drone.server.url).port));
    return { gate, server: `http://127.0.0.1:${gate.port}` };
  }

  async frontOfForge(): Promise<Front> {
    return await this.scene.frontOf(this.scene.gitea.url);
  }

  async frontOfDrone(): Promise<Front> {
    return await this.scene.frontOf(this.drone.server.url);
  }

  /** A bridge for these recipes, with a root of its own, not started. */
  bridge(
    repositories: readonly string[],
    changes: Changes = {},
    bot: Bot = this.forge.bot,
  ): BridgeProcess {
    const root = join(this.#scratch, `bridge-${this.#bridges.length}`);
    const bridge = new BridgeProcess(root, this.settings(repositories, changes), {
      forgeToken: bot.token,
      droneToken: this.drone.token,
      webhookKey: hookKey,
    });
    this.#bridges.push(bridge);
    rmSync(bridge.at(bridgePlaces.runs), { recursive: true });
    // Where builds leave theirs.
    symlinkSync(this.builds.runs, bridge.at(bridgePlaces.runs));
    return bridge;
  }

  /** A recipe with a bridge that listens for it alone, from now on. */
  async bridged(changes: Changes = {}, bot: Bot = this.forge.bot) {
    const repository = await this.forge.recipe();
    const bridge = this.bridge([repository], changes, bot);
    await bridge.start();
    await bridge.looks();
    return { repository, bridge };
  }

  /** The same, with a bridge that stands still once it has given its first reaction. */
  async frozen() {
    const repository = await this.forge.recipe();
    const bridge = this.bridge([repository]);
    await bridge.start("bridge:1:after");
    await bridge.looks();
    return { repository, bridge };
  }

  settings(repositories: readonly string[], changes: Changes = {}): BridgeSettings {
    const { forge, drone, limits, listen, ...others } = changes;
    return {
      ...{ version: 1, mode: "poll", forks: "with-commit" },
      listen: { port: 0, metricsPort: 0, ...listen },
      forge: {
        ...{ server: this.forge.url.replace(/\/$/, ""), organisation, team: null },
        ...{ only: [], ignore: [], ...forge },
      },
      recipes: repositories.map((repository) => ({ recipe: nameOf(repository), repository })),
      drone: {
        ...{ server: this.drone.server.url, repository: this.ci, branch: "main" },
        ...{ answerSeconds: 3, lookSeconds: 1, ...drone },
      },
      ...{ dashboard: null, isLogPublic: true, pollSeconds: 2, sweepSeconds: 3600 },
      limits: { perPersonAndHour: 100, perPullAndHour: 100, waiting: 100, ...limits },
      ...{ buildSeconds: 600, queueSeconds: 600 },
      ...others,
    };
  }
}
