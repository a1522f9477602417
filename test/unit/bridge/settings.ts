import type { BridgeSettings } from "../../../services/lib/bridge-settings.ts";

/** Settings of a bridge for one recipe. */
export const bridgeSettings: BridgeSettings = {
  ...{ version: 1, listen: { port: 0, metricsPort: 0 }, mode: "poll" },
  forge: {
    ...{ server: "https://git.example.org", organisation: "recipes", team: null },
    ...{ only: [], ignore: [] },
  },
  recipes: [{ recipe: "wiki", repository: "recipes/wiki" }],
  forks: "with-commit",
  drone: {
    ...{ server: "https://drone.example.org", repository: "ci/cc-ci", branch: "main" },
    ...{ answerSeconds: 60, lookSeconds: 10 },
  },
  ...{ dashboard: null, isLogPublic: true, pollSeconds: 15, sweepSeconds: 900 },
  limits: { perPersonAndHour: 10, perPullAndHour: 10, waiting: 20 },
  ...{ buildSeconds: 3600, queueSeconds: 7200 },
};
