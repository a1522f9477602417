import type { Service } from "../../adapters/docker-schemas.ts";
import { readEnvText } from "../../adapters/env-text.ts";
import type { ResourceOf } from "../../desired-state.ts";
import { sha256, stableJson } from "../../engine/stable-json.ts";
import type { OverlayFile } from "../checkout/overlay.ts";

/**
 * The label on each service that was seen to work. Every deploy takes it off again, so that as long
 * as it fits nobody deployed and nobody changed the service by hand.
 */
export const sealLabel = "cc-ci.seal";

/** Digits of a SHA-256 that make each half of a seal. */
const digits = 32;

/** What a stack is made of: what of it changes, is to be deployed. */
export interface Desired {
  readonly resource: Pick<
    ResourceOf<"stack">,
    "stack" | "domain" | "recipe" | "chaos" | "composeFiles"
  >;
  readonly version: string;
  /** The commit whose files are deployed. */
  readonly commit: string;
  /** Files of ours that are laid over those. */
  readonly overlay: readonly OverlayFile[];
  /** The text of the app's `.env`, its slots filled. */
  readonly env: string;
}

/**
 * Bounds, credentials and folders are left out, and so are comments of the `.env`: another value of
 * those is no other stack.
 */
export function desiredDigest({ resource, version, commit, overlay, env }: Desired): string {
  const { stack, domain, recipe, chaos, composeFiles } = resource;
  const { TYPE: _, ...variables } = readEnvText(env);
  const made = { stack, domain, recipe, chaos, composeFiles, version, commit, overlay, variables };
  return sha256(stableJson(made)).slice(0, digits);
}

/** Of all that Docker has of the service but the seal. */
export function specDigest({ Spec }: Service): string {
  const spec = withoutEmpty({ ...Spec, Labels: withoutSeal(Spec.Labels) });
  return sha256(stableJson(spec)).slice(0, digits);
}

function sealOf(desired: string, service: Service): string {
  return `${desired}.${specDigest(service)}`;
}

/** Why a service does not count as sealed; undefined when its seal fits. */
export function whyUnsealed(desired: string, service: Service): string | undefined {
  const seal = service.Spec.Labels[sealLabel];
  if (seal === undefined) return "was deployed and not yet seen to work";
  const [theirs, spec] = seal.split(".");
  if (theirs !== desired) return "was deployed from other files or settings";
  return spec === specDigest(service) ? undefined : "was changed by hand";
}

/** The labels of a service as it is to be once sealed. */
export function sealedLabels(desired: string, service: Service): Readonly<Record<string, string>> {
  return { ...service.Spec.Labels, [sealLabel]: sealOf(desired, service) };
}

function withoutSeal(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { [sealLabel]: _, ...others } = labels;
  return others;
}

/** Docker does not always say what is empty: no list, an empty one and none at all are the same. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(withoutEmpty);
  if (value === null || value === "" || value === 0 || value === false) return undefined;
  if (typeof value !== "object") return value;
  const members = Object.entries(value)
    .map(([key, inner]) => [key, withoutEmpty(inner)] as const)
    .filter(([, inner]) => inner !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
