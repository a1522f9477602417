import { isDeepStrictEqual } from "node:util";
import type { Resource } from "../../services/converge/desired-state.ts";

/** One change of one resource, in words. */
export interface ResourceChange {
  readonly text: string;
  /** Applied; refused with exit 2, because a person must decide; or kept as it is, with a warning. */
  readonly outcome: "applied" | "refused" | "kept";
}

/**
 * What Docker can set only when the thing is made, by kind and member. A network of another shape is
 * refused: what is wanted of it would not hold. A swarm goes on as it is: its pools are for networks
 * to come.
 */
const fixedMembers: Readonly<
  Partial<Record<Resource["kind"], Readonly<Record<string, "refused" | "kept">>>>
> = {
  swarm: {
    addressPools: "kept",
    subnetSize: "kept",
    advertiseAddress: "kept",
    listenAddress: "kept",
  },
  network: {
    driver: "refused",
    attachable: "refused",
    internal: "refused",
    subnet: "refused",
    options: "refused",
  },
};

/** What comes of a member that is a digest, which says nothing to a person. */
const effects: Readonly<
  Partial<Record<Resource["kind"], Readonly<Partial<Record<string, string>>>>>
> = {
  "drained-service": {
    settings: "starts anew with other settings once what it has begun is through",
  },
};

/** Members that are only words for an operator. */
const words = ["purpose", "remedy"];

/** Members that only bound a wait: nothing on the host differs because of them. */
const isBound = (member: string): boolean =>
  member.endsWith("Seconds") && member !== "nodeCertificateSeconds";

/** The changes from one list of resources to another. Pure. */
export function resourceChanges(
  before: readonly Resource[],
  after: readonly Resource[],
): readonly ResourceChange[] {
  const old = new Map(before.map((resource) => [nameOf(resource), resource]));
  const wanted = new Map(after.map((resource) => [nameOf(resource), resource]));
  const changes: ResourceChange[] = [];
  for (const [name, resource] of wanted) {
    const previous = old.get(name);
    if (previous === undefined) changes.push({ text: `${name} is new`, outcome: "applied" });
    else changes.push(...memberChanges(name, previous, resource));
  }
  for (const name of old.keys()) {
    if (!wanted.has(name)) changes.push({ text: `${name} is gone`, outcome: "applied" });
  }
  return changes;
}

function memberChanges(name: string, before: Resource, after: Resource): readonly ResourceChange[] {
  const [old, wanted] = [asRecord(before), asRecord(after)];
  const members = [...new Set([...Object.keys(old), ...Object.keys(wanted)])].sort();
  return members
    .filter((member) => !isBound(member) && !words.includes(member))
    .filter((member) => !isDeepStrictEqual(old[member], wanted[member]))
    .flatMap((member) => {
      const outcome = fixedMembers[after.kind]?.[member] ?? "applied";
      const effect = effects[after.kind]?.[member];
      if (effect !== undefined) return [{ text: `${name}: ${effect}`, outcome }];
      return leafChanges(member, old[member], wanted[member]).map((change) => ({
        text: `${name}: ${change}`,
        outcome,
      }));
    });
}

/** What changes in the settings that something reads when it starts. */
export function settingChanges(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) =>
    leafChanges(name, before[name], after[name]).map((change) => `the setting ${change}`),
  );
}

/** The changes of a member, or of the members of it where there are the same before and after. */
function leafChanges(path: string, before: unknown, after: unknown): readonly string[] {
  const [old, wanted] = [asRecord(before), asRecord(after)];
  const members = Object.keys(wanted).sort();
  const isWhole =
    Array.isArray(after) ||
    members.length < 2 ||
    typeof wanted.what === "string" ||
    !isDeepStrictEqual(Object.keys(old).sort(), members);
  if (isWhole) {
    return isDeepStrictEqual(before, after) ? [] : [`${path} ${show(before)} → ${show(after)}`];
  }
  return members.flatMap((member) => leafChanges(`${path}.${member}`, old[member], wanted[member]));
}

/** What a resource is called, the same before and after a change of it. */
function nameOf(resource: Resource): string {
  switch (resource.kind) {
    case "swarm":
      return "the swarm";
    case "network":
      return `the network ${resource.name}`;
    case "host-file":
      return `the file ${resource.path}`;
    case "secret":
      return `the secret ${resource.stack}_${resource.name}`;
    case "checkout":
      return `the recipe ${resource.recipe}`;
    case "env":
      return `the environment ${resource.path}`;
    case "stack":
    case "docker-stack":
      return `the stack ${resource.stack}`;
    case "served-certificate":
      return `the certificate of ${resource.serverName}`;
    case "retired":
      return "what is retired";
    case "drone-account":
      return `Drone's account ${resource.login}`;
    case "drone-repository":
      return `${resource.repository} in Drone`;
    case "drone-builds":
      return `the watch on builds of ${resource.repository}`;
    case "runner-secret":
      return `the runner's secret ${resource.file}`;
    case "drained-service":
      return `the service ${resource.unit}`;
  }
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "string") return value;
  const record = asRecord(value);
  // `{ what: "file", path: "/c" }`: which kind it is goes without saying.
  if (typeof record.what === "string") return String(record.path ?? record.what);
  const [only, ...others] = Object.entries(record);
  // `{ release: "5.1.1" }` reads better as "release 5.1.1".
  if (
    !Array.isArray(value) &&
    only !== undefined &&
    others.length === 0 &&
    typeof only[1] === "string"
  ) {
    return `${only[0]} ${only[1]}`;
  }
  return JSON.stringify(value);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
