import { isDeepStrictEqual } from "node:util";
import type { Resource } from "../../services/converge/desired-state.ts";

/** One change of one resource, in words. */
export interface ResourceChange {
  readonly text: string;
  /** Whether the unit stops with exit 2 instead, because a person must decide. */
  readonly refused: boolean;
}

/**
 * What the host refuses to change, by kind and member: Docker can set it only when the thing is made,
 * and making it anew would take down what uses it.
 */
const refusedMembers: Readonly<Record<Resource["kind"], readonly string[]>> = {
  swarm: ["addressPools", "subnetSize", "advertiseAddress", "listenAddress"],
  network: ["driver", "attachable", "internal", "subnet", "options"],
  "host-file": [],
  secret: [],
  checkout: [],
  env: [],
  stack: [],
  "served-certificate": [],
  retired: [],
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
    if (previous === undefined) changes.push({ text: `${name} is new`, refused: false });
    else changes.push(...memberChanges(name, previous, resource));
  }
  for (const name of old.keys()) {
    if (!wanted.has(name)) changes.push({ text: `${name} is gone`, refused: false });
  }
  return changes;
}

function memberChanges(name: string, before: Resource, after: Resource): readonly ResourceChange[] {
  const [old, wanted] = [asRecord(before), asRecord(after)];
  const members = [...new Set([...Object.keys(old), ...Object.keys(wanted)])].sort();
  return members
    .filter((member) => !isBound(member) && !words.includes(member))
    .filter((member) => !isDeepStrictEqual(old[member], wanted[member]))
    .map((member) => ({
      text: `${name}: ${member} ${show(old[member])} → ${show(wanted[member])}`,
      refused: refusedMembers[after.kind].includes(member),
    }));
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
      return `the stack ${resource.stack}`;
    case "served-certificate":
      return `the certificate of ${resource.serverName}`;
    case "retired":
      return "what is retired";
  }
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
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
