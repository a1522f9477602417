import type { Resource, ResourceOf } from "../../services/converge/desired-state.ts";
import type { Reasoned } from "./reasoned.ts";
import type { HostSnapshot } from "./snapshot.ts";

/** The piece that deploys Drone's server. */
const serverPiece = "drone";

/** How long Docker waits for a container to stop, in seconds; a recipe may set a longer grace. */
const stopSeconds = 10;

/** All that is wanted of Drone on a host. */
interface Drone {
  readonly stack: ResourceOf<"stack">;
  readonly repository: ResourceOf<"drone-repository">;
  /** Those with a login on the forge. */
  readonly accounts: readonly ResourceOf<"drone-account">[];
  readonly runner: ResourceOf<"drained-service"> | undefined;
  readonly pipeline: string | undefined;
}

/** What the next switch changes for builds in Drone, in sentences. Pure. */
export function buildChanges(change: {
  readonly before: HostSnapshot;
  readonly after: HostSnapshot;
  readonly redeploys: readonly Reasoned[];
  /** Pieces that do not run. */
  readonly blocked: readonly Reasoned[];
}): readonly string[] {
  const [old, wanted] = [droneOf(change.before), droneOf(change.after)];
  if (wanted === undefined) {
    return old === undefined
      ? []
      : [
          "the host takes no more of them: the switch is refused as long as one runs, and names its run",
        ];
  }
  if (change.blocked.some(({ name }) => name === serverPiece)) return [];
  if (old === undefined) {
    return [`the host takes those of ${wanted.repository.repository}`, ...owed(wanted, [])];
  }
  const { server, forge, repository } = wanted.repository;
  const isMoved = old.stack.stack !== wanted.stack.stack;
  const isElsewhere = old.repository.forge !== forge;
  const isDeployed = change.redeploys.some(({ name }) => name === wanted.stack.stack);
  const away = stopSeconds + wanted.stack.deploySeconds;
  return [
    ...(isMoved
      ? [
          `Drone moves to ${server} and starts with nothing: accounts and settings are made again, older builds stay behind in its volume, and the OAuth client on the forge must lead to ${server}/login`,
        ]
      : []),
    ...(isDeployed && !isMoved
      ? [
          `Drone is deployed again, and away for ${away} s at the most: logins, settings and builds that wait stay; those that run go on, and one that ends meanwhile may be shown as killed`,
        ]
      : []),
    ...(isElsewhere ? [`the forge is another: Drone's logins of ${old.repository.forge} end`] : []),
    ...(old.runner?.settings === wanted.runner?.settings
      ? []
      : [
          "the runner starts anew with its new settings once those that run are through, and takes none meanwhile",
        ]),
    ...(old.pipeline === wanted.pipeline
      ? []
      : [
          `the pipeline changes: for those that are started once out/ is pushed to ${repository} on the forge`,
        ]),
    ...owed(wanted, isMoved || isElsewhere ? [] : old.accounts),
  ];
}

function droneOf({ pieces, pipeline }: HostSnapshot): Drone | undefined {
  const all = [...pieces.values()].flatMap(({ state }) => state.resources);
  const stack = ofKind(pieces.get(serverPiece)?.state.resources ?? [], "stack")[0];
  const repository = ofKind(all, "drone-repository")[0];
  if (stack === undefined || repository === undefined) return undefined;
  return {
    ...{ stack, repository, pipeline, runner: ofKind(all, "drained-service")[0] },
    accounts: ofKind(all, "drone-account").filter(({ account }) => account.role !== "metrics"),
  };
}

function ofKind<Kind extends Resource["kind"]>(
  resources: readonly Resource[],
  kind: Kind,
): readonly ResourceOf<Kind>[] {
  return resources.filter((each): each is ResourceOf<Kind> & Resource => each.kind === kind);
}

/** Logins that only a person can make, beside those that there are. */
function owed(
  { accounts, repository: { server } }: Drone,
  known: readonly ResourceOf<"drone-account">[],
): readonly string[] {
  return accounts
    .filter(({ account }) => account.role !== "metrics" && account.passwordFile === null)
    .filter(({ login }) => !known.some((other) => other.login === login))
    .map(({ login }) => `a person logs in once as ${login}: ${server}/login`);
}
