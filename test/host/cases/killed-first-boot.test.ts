import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { CcCi } from "../../../constructs/app.ts";
import { Host } from "../../../constructs/nixos/host.ts";
import { OverlayNetwork } from "../../../constructs/swarm/overlay-network.ts";
import { Swarm } from "../../../constructs/swarm/swarm.ts";
import { requireHosts } from "../../tools.ts";
import { type Host as Booted, bootHost } from "../host.ts";
import { killEverywhere, killsToTry, startsNothing } from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { Witnesses } from "../library/witnesses.ts";

/** A host of which nothing is configured but its swarm and the network of the proxy. */
function swarmAlone(): CcCi {
  const app = new CcCi();
  const host = new Host(app, "cc-ci", { domain: "ci.example.org" });
  new OverlayNetwork(new Swarm(host, "swarm"), "proxy", { subnet: "10.80.0.0/16" });
  return app;
}

/** Makes it a machine that was never in a swarm. */
async function leaveSwarm(host: Booted): Promise<void> {
  await host.exec(["docker", "swarm", "leave", "--force"], { mayFail: true });
  await host.exec(["rm", "-rf", "/var/lib/cc-ci/state"]);
}

async function removeNetwork(host: Booted): Promise<void> {
  await host.exec(["docker", "network", "rm", "proxy"]);
}

describe("the first boot of swarm and network", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())("survives a kill (%s) %s every call", async ([kill, moment]) => {
    const configuration = startsNothing(swarmAlone());
    await using host = await bootHost({ configuration });
    const witnesses = await Witnesses.put(host, { inSwarm: false });
    const options = { kill, moment, witnesses };
    const swarm = {
      ...{ piece: "swarm", turn: "swarm", takesOthersAlong: true },
      begin: leaveSwarm,
    };
    const network = { piece: "network-proxy", turn: "network", begin: removeNetwork };
    const killed = [
      ...(await killEverywhere(host, [swarm], options)),
      ...(await killEverywhere(host, [network], options)),
    ];
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-first-boot"]);
  });
});
