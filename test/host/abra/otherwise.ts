import type { Settings } from "./settings.ts";

const onEachHost = {
  exposesEnvTo: "every-service",
  exposesRecipeVersions: false,
  labels: "every-service",
  lintStops: false,
} as const satisfies Partial<Settings>;

/**
 * Answers other than the contract's, by what is said of the host whose abra gives them: there the
 * units go through all of their life, see cases/abra-otherwise.test.ts. There are two such hosts
 * because an abra that never rewrites an `.env` spoils none, and one that fetches needs the clone.
 */
export const otherwise = {
  "spoils the .env, fetches for an undeploy and does not wait for its end": {
    ...onEachHost,
    rewritesType: "deploy",
    keepsOtherLines: false,
    waitsForRemoval: false,
    undeployFetches: true,
  },
  "leaves the .env alone and undeploys without a recipe": {
    ...onEachHost,
    rewritesType: "never",
    undeployNeedsRecipe: false,
  },
} as const satisfies Readonly<Record<string, Partial<Settings>>>;
