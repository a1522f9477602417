import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../tools.ts";
import { runAll } from "./as-planned.ts";
import { bootHost, usualConfiguration } from "./host.ts";
import { killEverywhere, killsOfBothKinds, removeStack, startsNothing } from "./kill-everywhere.ts";
import { Witnesses } from "./witnesses.ts";

describe("the first deploy of Traefik", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsOfBothKinds("unit"))(
    "survives a kill of the %s %s every call",
    async ([kill, moment]) => {
      const configuration = startsNothing(usualConfiguration());
      await using host = await bootHost({ configuration });
      await runAll(host);
      const witnesses = await Witnesses.put(host);
      const deploy = {
        ...{ piece: "traefik", turn: "first deploy" },
        begin: () => removeStack(host, "traefik.ci.example.org", "traefik"),
      };
      const killed = await killEverywhere(host, [deploy], { kill, moment, witnesses });
      // Fetch, secrets, .env, deploy, seals.
      expect(killed).toBeGreaterThanOrEqual(9);
    },
  );
});
