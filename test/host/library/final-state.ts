import * as z from "zod";
import type { Service } from "../../../services/converge/adapters/docker-schemas.ts";
import { sealLabel, whyUnsealed } from "../../../services/converge/kinds/stack/seal.ts";
import type { Host } from "../host.ts";
import { planOf } from "./as-planned.ts";

const labels = z.record(z.string(), z.string()).nullish();
const service = z.looseObject({
  ID: z.string(),
  Spec: z.looseObject({ Name: z.string(), Labels: labels }),
});
const sealed = z.array(
  z.looseObject({
    Spec: z.looseObject({ Name: z.string(), Labels: labels, Data: z.string().optional() }),
  }),
);
const network = z.looseObject({
  Name: z.string(),
  Id: z.string(),
  Driver: z.string(),
  Scope: z.string(),
  Attachable: z.boolean(),
  Internal: z.boolean(),
  Labels: labels,
  Options: z.record(z.string(), z.string()).nullish(),
  IPAM: z.looseObject({ Config: z.array(z.looseObject({ Subnet: z.string() })).nullish() }),
});

/**
 * All that runs of ours leave on a host, without what is another in each of them: ids, versions and
 * times. Two hosts that were brought to the same have equal ones.
 */
export interface FinalState {
  /** The specs of the swarm's services, each with whether its seal fits. */
  readonly services: Readonly<Record<string, unknown>>;
  /** Labels, by name. */
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: readonly string[];
  /** Every file and folder of ours with its mode, but for what git keeps to itself. */
  readonly files: readonly string[];
  /** Every `.env`, whole. */
  readonly environment: string;
  /** Each checkout: its commit, what is not as in it, and whatever git may have left half done. */
  readonly checkouts: string;
  /** What anybody left in the folders for temporary files. */
  readonly scratch: string;
  /** What `plan` says is still to do: of the piece that was asked for, or of all. */
  readonly plan: Readonly<Record<string, readonly string[]>>;
}

/** Looks at a host that has settled. */
export async function finalState(host: Host, piece?: string): Promise<FinalState> {
  const networks = z.array(network).parse(await host.docker.get("/networks"));
  const isManager = await host.docker.isManager();
  const list = async (kind: string): Promise<unknown> =>
    isManager ? await host.docker.get(`/${kind}`) : [];
  const nameOf = new Map(networks.map(({ Id, Name }) => [Id, Name]));
  const services = z.array(service).parse(await list("services"));
  const [files = "", environment = "", checkouts = "", scratch = ""] = (
    await host.exec(["sh", "-c", lookAtFiles])
  ).stdout.split(`${separator}\n`);
  const volumes = z.object({ Volumes: z.array(z.object({ Name: z.string() })).nullish() });
  return {
    services: Object.fromEntries(
      services.map((each) => [each.Spec.Name, withoutIds(each, nameOf)]),
    ),
    secrets: byName(sealed.parse(await list("secrets"))),
    configs: byName(sealed.parse(await list("configs"))),
    networks: Object.fromEntries(networks.map((each) => [each.Name, shapeOf(each)])),
    volumes: (volumes.parse(await host.docker.get("/volumes")).Volumes ?? [])
      .map(({ Name }) => Name)
      .sort(),
    files: files.trim().split("\n"),
    ...{ environment, checkouts, scratch },
    plan: mapValues(await planOf(host, piece), ({ calls, stop }) => [
      ...calls,
      ...(stop === null ? [] : [`[${stop.id}]`]),
    ]),
  };
}

/** Stands alone on a line between the parts of what the script prints. */
const separator = "----8<----";

/** A unit's own /tmp goes with the unit, after a power cut at the next boot; runc is Docker's, for health checks. */
const lookAtFiles = `
cd /var/lib/cc-ci 2>/dev/null || exit 0
find . -path '*/.git/*' -prune -o -printf '%p %y %m\\n' | sort
echo '${separator}'
find . -name '*.env' -path '*/servers/*' | sort | xargs -r tail -n +1 --
echo '${separator}'
for git in $(find . -name .git -type d | sort); do
  checkout=$(dirname $git)
  echo "$checkout $(git -c safe.directory='*' -C $checkout rev-parse HEAD)"
  git -c safe.directory='*' -c core.fileMode=true -C $checkout status --porcelain --ignored
  find $git -name '*.lock' -o -name 'tmp_*'
done
echo '${separator}'
find /tmp /var/tmp -mindepth 1 -maxdepth 1 -not -name 'systemd-private-*' -not -name 'runc-process*' -not -name '.*' | sort
`;

function withoutIds(
  each: z.infer<typeof service>,
  networkNames: ReadonlyMap<string, string>,
): unknown {
  const seal = each.Spec.Labels?.[sealLabel];
  const [desired = ""] = (seal ?? "").split(".");
  const Spec = JSON.parse(
    JSON.stringify({ ...each.Spec, Labels: { ...each.Spec.Labels, [sealLabel]: undefined } }),
    (key, value: unknown) => {
      if (key === "SecretID" || key === "ConfigID") return undefined;
      return key === "Target" && typeof value === "string"
        ? (networkNames.get(value) ?? value)
        : value;
    },
  ) as unknown;
  // The seal's other half is a digest over ids too.
  const isSealed = seal !== undefined && whyUnsealed(desired, each as unknown as Service);
  return { Spec, seal: isSealed === undefined ? `fits ${desired}` : isSealed || "none" };
}

function shapeOf({ Driver, Scope, Attachable, Internal, Labels, Options, IPAM }: Network): unknown {
  const options = Object.entries(Options ?? {}).filter(([key]) => !key.endsWith("vxlanid_list"));
  // The stacks' own networks get whichever subnet is free.
  const isOfStack = Labels?.["com.docker.stack.namespace"] !== undefined;
  const subnets = isOfStack ? [] : (IPAM.Config ?? []).map(({ Subnet }) => Subnet);
  return { Driver, Scope, Attachable, Internal, Labels, options, subnets };
}

type Network = z.infer<typeof network>;

function byName(all: z.infer<typeof sealed>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    all.map(({ Spec: { Name, Labels, Data } }) => [Name, { Labels, Data }]),
  );
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
