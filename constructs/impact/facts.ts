import * as z from "zod";
import { digestOf } from "../core/digest.ts";
import type { JsonObject } from "../core/json.ts";
import { printNix } from "../core/nix-printer.ts";
import type { Host } from "../nixos/host.ts";
import { listOf } from "../nixos/systemd-unit.ts";

/**
 * What the manifest keeps of a host beside its files, so that two states can be compared without
 * running code of either.
 */
const factsSchema = z.object({
  /** Units of ours by full name. */
  units: z.record(
    z.string(),
    z.object({
      /** Digest of the options as they are emitted. */
      digest: z.string(),
      /** Units without which it does not start. */
      requires: z.array(z.string()),
      /** What was overridden, as Nix; absent when nothing was. */
      overrides: z.string().optional(),
    }),
  ),
  /** Long-running services of NixOS with what restarts them. */
  restarts: z.record(
    z.string(),
    z.object({ module: z.string(), settings: z.record(z.string(), z.unknown()) }),
  ),
  /** Settings whose change is explained, by what they are of. */
  settings: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

export type HostFacts = z.infer<typeof factsSchema>;

/** The facts of a host, for the manifest. */
export function hostFacts(host: Host): JsonObject {
  const units = host.units.map(({ fullName, options, overrides }) => {
    const shown =
      overrides.length === 0 ? undefined : overrides.map((one) => printNix(one)).join(" ");
    const requires = listOf(options.requires);
    return [fullName, { digest: digestOf(printNix(options)), requires, overrides: shown }] as const;
  });
  const [restarts, settings] = [host.restarts, host.settings].map(Object.fromEntries);
  return { units: Object.fromEntries(units), restarts, settings };
}

/** Reads the facts of a manifest; what an older version wrote is taken for nothing. */
export function parseFacts(facts: unknown): HostFacts {
  const parsed = factsSchema.safeParse(facts);
  return parsed.success ? parsed.data : { units: {}, restarts: {}, settings: {} };
}
