import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, type Host } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import { killEverywhere, killsToTry, startsNothing } from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { placesOf, putPassword, withEverything, withWebs } from "../library/web-app.ts";
import { Witnesses } from "../library/witnesses.ts";
import { buildSystem, type System } from "../system/system.ts";

const [web, page] = [placesOf("web"), placesOf("page")];

/** The app `web` at this domain. */
function webAt(domain: string) {
  return startsNothing(withWebs({ web: { domain, keys: withEverything } }).app);
}

describe("an app whose domain changes", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())("survives a kill (%s) %s every call", async ([kill, moment]) => {
    const prepare = (_root: string, host: Host) => putPassword(host);
    await using host = await bootHost({ configuration: webAt(web.domain), prepare });
    await runAsPlanned(host);
    const witnesses = await Witnesses.put(host);
    const [one, other] = [host.system, await buildSystem(webAt(page.domain))];
    // Without the folder that was there before: each move is a first deploy.
    const to = (system: System) => ({
      ...{ piece: "app-web", turn: "move" },
      begin: async () => {
        await host.install(system);
        await host.exec(["rm", "-rf", system === one ? web.directory : page.directory]);
      },
    });
    const ways = [to(other), to(one)];
    const killed = await killEverywhere(host, ways, { kill, moment, witnesses });
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-moved"]);
  });
});
