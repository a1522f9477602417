import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, usualConfiguration } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import {
  killEverywhere,
  killsToTry,
  removeStack,
  startsNothing,
} from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { Witnesses } from "../library/witnesses.ts";

describe("the first deploy of Traefik", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())("survives a kill (%s) %s every call", async ([kill, moment]) => {
    const configuration = startsNothing(usualConfiguration());
    await using host = await bootHost({ configuration });
    // Of a host that has nothing yet.
    await runAsPlanned(host);
    const witnesses = await Witnesses.put(host);
    const deploy = {
      ...{ piece: "traefik", turn: "first deploy" },
      begin: () => removeStack(host, "traefik.ci.example.org", "traefik"),
    };
    const killed = await killEverywhere(host, [deploy], { kill, moment, witnesses });
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-first-deploy"]);
  });
});
