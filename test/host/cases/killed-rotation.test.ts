import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, type Host, usualConfiguration } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import { finalState } from "../library/final-state.ts";
import { forgetOtherReleases } from "../library/forget-releases.ts";
import { killEverywhere, killsToTry, startsNothing } from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { placesOf } from "../library/web-app.ts";
import { Witnesses } from "../library/witnesses.ts";
import { buildSystem, type Configuration, type System } from "../system/system.ts";

const { checkout, stack } = placesOf("traefik");

function withRelease(release: string): Configuration {
  return startsNothing(usualConfiguration("", `release: ${release}`));
}

describe("a new certificate together with a new release", {
  timeout: 1_800_000,
  concurrent: true,
}, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())("survive a kill (%s) %s every call", async ([kill, moment]) => {
    await using host = await bootHost({ configuration: withRelease("5.1.0") });
    const [one, other] = [host.system, await buildSystem(withRelease("5.1.1"))];
    const pairs = new Map([one, other].map((system) => [system, host.authority.pair()]));
    const change = async (system: System) => {
      await host.install(system);
      const pair = pairs.get(system);
      if (pair !== undefined) host.putCertificate(pair);
    };
    await change(one);
    await runAsPlanned(host);
    const witnesses = await Witnesses.put(host);
    const to = (system: System) => ({
      ...{ piece: "traefik", turn: "rotation" },
      begin: async (host: Host) => {
        await change(system);
        await forgetOtherReleases(host, checkout);
      },
    });
    // There, and back again: the same calls with other names.
    const killed = await killEverywhere(host, [to(other), to(one)], { kill, moment, witnesses });
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-rotation"]);
    const { secrets } = await finalState(host);
    const bases = Object.keys(secrets).map((name) => name.replace(/_[0-9a-f]{12}$/, ""));
    expect(bases.sort()).toEqual([`${stack}_ssl_cert`, `${stack}_ssl_key`, "witness"]);
  });
});
