import { existsSync, readFileSync } from "node:fs";
import * as z from "zod";

/** Where a test puts other answers, as JSON. */
export const settingsFile = "/etc/abra-stand-in.json";

/**
 * What nobody has seen a real abra do: each is a guess with an answer that can be turned round, so
 * that a unit can be shown to survive both: see otherwise.ts. The defaults are the answers of the
 * contract.
 */
const settingsSchema = z.strictObject({
  /** Whether ABRA_DIR moves the state folder; else it is ~/.abra. */
  honoursStateFolder: z.boolean().default(true),
  /** Whether the name of a stack ends after 45 characters. */
  cutsStackNames: z.boolean().default(true),
  /** Whether STACK_NAME in the `.env` is the name of the stack. */
  takesStackNameFromEnv: z.boolean().default(false),
  /** When the TYPE line is rewritten. */
  rewritesType: z.enum(["deploy-and-undeploy", "deploy", "never"]).default("deploy-and-undeploy"),
  /** Whether all other lines of the `.env` stay; else it is sorted and has no comments any more. */
  keepsOtherLines: z.boolean().default(true),
  /** Which services get the variables of the `.env`. */
  exposesEnvTo: z.enum(["app", "every-service"]).default("app"),
  /** Whether the version variables of abra.sh are among them. */
  exposesRecipeVersions: z.boolean().default(true),
  /** Which services get the labels. */
  labels: z.enum(["app", "every-service"]).default("app"),
  /** Whether a lint rule of level error stops a deploy. */
  lintStops: z.boolean().default(true),
  /** Whether undeploy returns after everything is gone; else as soon as the removal has begun. */
  waitsForRemoval: z.boolean().default(true),
  /** Whether undeploy fetches the recipe, and so fails without its upstream. */
  undeployFetches: z.boolean().default(false),
  /** Whether an undeploy needs the clone of the recipe. */
  undeployNeedsRecipe: z.boolean().default(true),
});

export type Settings = z.infer<typeof settingsSchema>;

export const defaultSettings: Settings = settingsSchema.parse({});

export function readSettings(): Settings {
  if (!existsSync(settingsFile)) return defaultSettings;
  return settingsSchema.parse(JSON.parse(readFileSync(settingsFile, "utf8")));
}
