import { isDeepStrictEqual } from "node:util";
import type { Repository } from "../../lib/drone/schemas.ts";
import { DroneRefusal } from "../../lib/drone/trouble.ts";
import type { Hook } from "../../lib/forge/schemas.ts";
import { ForgeRefusal } from "../../lib/forge/trouble.ts";
import type { ResourceOf } from "../desired-state.ts";
import { type Call, notYetKnown } from "../engine/call.ts";
import { defineLines, Stop } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";
import {
  droneAnswer,
  forgeAnswer,
  forgeStop,
  isRenewedBefore,
  isToBeDeployed,
  tokenIn,
} from "./drone/answers.ts";

export const droneRepositoryLines = defineLines({
  "drone-repository-otherwise": {
    as: "failed",
    says: "{repository} in Drone is not as it was set ({what}): see who changes it there (the owner's account is the only one that may); the next run sets it again",
  },
});

type DroneRepository = ResourceOf<"drone-repository">;
type Settings = DroneRepository["settings"];

/** What is seen of the repository in Drone and on the forge. */
export interface RepositorySight {
  /** Undefined where Drone does not know it. */
  readonly repository: Repository | undefined;
  /** Of the owner's account. */
  readonly ownerId: number;
  /** Those of Drone, on the forge. */
  readonly hooks: readonly Hook[];
}

/** What each call does. */
export interface RepositoryWork {
  readonly enable: () => Promise<void>;
  readonly own: () => Promise<void>;
  readonly set: (settings: Partial<Settings>) => Promise<void>;
  readonly removeHooks: () => Promise<void>;
}

/**
 * The calls that make the repository what it should be.
 *
 * @param sight or what comes first, where Drone can say something only then
 */
export function planRepository(
  { repository: slug, settings }: DroneRepository,
  sight: RepositorySight | string,
  work: RepositoryWork,
): readonly Call[] {
  const apply = (
    verb: Call["verb"],
    target: string,
    why: string,
    perform: Call["perform"],
  ): Call => {
    return { phase: "apply", verb, target, why, perform };
  };
  if (typeof sight === "string") {
    const why = sight;
    return [
      apply("repository enable", notYetKnown, why, work.enable),
      apply("repository own", notYetKnown, why, work.own),
      apply("repository set", notYetKnown, why, () => work.set(settings)),
      apply("hook remove", notYetKnown, why, work.removeHooks),
    ];
  }
  const { repository, ownerId, hooks } = sight;
  const isEnabled = repository?.active === true;
  const differing = repository === undefined ? settings : differingSettings(settings, repository);
  const names = Object.keys(differing);
  const isForeign = repository !== undefined && repository.user_id !== ownerId;
  return [
    // Whoever enables it owns it.
    ...(isEnabled ? [] : [apply("repository enable", slug, "it is not enabled", work.enable)]),
    ...(isEnabled && isForeign
      ? [apply("repository own", slug, "another account owns it in Drone", work.own)]
      : []),
    ...(names.length === 0
      ? []
      : [
          apply("repository set", slug, `it differs in ${names.join(", ")}`, () =>
            work.set(differing),
          ),
        ]),
    ...(hooks.length > 0 || !isEnabled
      ? [
          apply(
            "hook remove",
            slug,
            hooks.length > 0 ? "Drone made one" : "enabling it makes one",
            work.removeHooks,
          ),
        ]
      : []),
  ];
}

function differingSettings(settings: Settings, actual: Repository): Partial<Settings> {
  const differing = Object.entries(settings).filter(
    ([name, value]) => !isDeepStrictEqual(actual[name as keyof Settings], value),
  );
  return Object.fromEntries(differing);
}

export function droneRepositorySteps(resource: DroneRepository, context: Context): Steps {
  const { server, forge, repository: slug, ownerTokenFile, forgeTokenFile } = resource;
  const { world } = context;
  const owner = async () => {
    const token = await tokenIn(ownerTokenFile, "the token of Drone's owner account", context);
    return world.drone({ server, token });
  };
  const onForge = async () => {
    const token = await tokenIn(forgeTokenFile, "a token of the forge", context);
    return world.forge({ server: forge, token });
  };
  const ask = <Answer>(work: () => Promise<Answer>) => droneAnswer(resource, context, work);

  const hooks = async (): Promise<readonly Hook[]> => {
    const client = await onForge();
    const all = await forgeAnswer(resource, () => client.hooks(slug));
    return all.filter(({ config }) => isOf(server, config.url));
  };

  const see = async (): Promise<RepositorySight> => {
    const client = await owner();
    const { id: ownerId } = await ask(() => client.user());
    const repository = await ask(async () => {
      try {
        return await client.repository(slug);
      } catch (error) {
        if (error instanceof DroneRefusal && error.trouble === "not-found") return undefined;
        throw error;
      }
    });
    return { repository, ownerId, hooks: await hooks() };
  };

  const work: RepositoryWork = {
    enable: async () => {
      const client = await owner();
      await ask(() => client.enable(slug));
    },
    own: async () => {
      const client = await owner();
      await ask(() => client.own(slug));
    },
    set: async (settings) => {
      const client = await owner();
      await ask(() => client.change(slug, settings));
    },
    removeHooks: async () => {
      const client = await onForge();
      for (const { id } of await hooks()) {
        await forgeAnswer(resource, () => client.removeHook(slug, id));
      }
    },
  };

  /**
   * Whether a plan looks at what only a login of the owner makes out, which comes before: Drone reads each hour
   * anew what an account has, and finds nothing for one whose login is dead; and what the forge refuses, that
   * account may lack the right for.
   */
  const isLoggedInFirst = async (): Promise<boolean> => {
    if (context.mayWait) return false;
    const client = await owner();
    try {
      await ask(() => client.permissions(slug));
      return false;
    } catch (error) {
      if (error instanceof DroneRefusal && error.trouble === "login-dead") return true;
      throw error;
    }
  };

  return {
    phases: ["apply"],
    // Before the owner's account is touched, whatever that needs. What its token may do shows after that.
    require: async () => {
      const client = await onForge();
      try {
        await client.hooks(slug);
      } catch (error) {
        const isOfNobody = error instanceof ForgeRefusal && error.trouble === "token-refused";
        if (isOfNobody) throw forgeStop(resource, error);
      }
    },
    plan: async () => {
      try {
        const sight = await see();
        if (sight.repository !== undefined || !(await isLoggedInFirst())) {
          return planRepository(resource, sight, work);
        }
        return planRepository(resource, afterLogin, work);
      } catch (error) {
        if (isRenewedBefore(error, ownerTokenFile, context)) return [];
        const isRefused = error instanceof Stop && error.line.id === "forge-refused";
        if (isRefused && (await isLoggedInFirst())) {
          return planRepository(resource, afterLogin, work);
        }
        if (context.mayWait || !isToBeDeployed(server, context)) throw error;
        return planRepository(resource, "Drone is deployed first", work);
      }
    },
    verify: async () => {
      const left = planRepository(resource, await see(), work);
      if (left.length > 0) throw otherwise(resource, left);
    },
  };
}

const afterLogin = "its owner is logged in first";

function otherwise({ repository }: DroneRepository, left: readonly Call[]): Stop {
  const what = left.map(({ why }) => why).join("; ");
  return droneRepositoryLines.stop("drone-repository-otherwise", { repository, what });
}

/** Whether an address is one of that server. */
function isOf(server: string, address: string): boolean {
  return URL.canParse(address) && new URL(address).host === new URL(server).host;
}
