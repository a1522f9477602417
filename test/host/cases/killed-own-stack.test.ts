import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import { stopsOf } from "../library/at-rest.ts";
import { removeBridgeImages } from "../library/bridge-host.ts";
import { killEverywhere, killsToTry, removeStack } from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { ownStack, putOwnStack, withOwnStack } from "../library/own-stack.ts";
import { Witnesses } from "../library/witnesses.ts";
import { buildSystem, type System } from "../system/system.ts";

describe("a stack of our own", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())("survives a kill (%s) %s every call", async ([kill, moment]) => {
    await using host = await bootHost({
      configuration: withOwnStack("one", 60),
      prepare: putOwnStack,
    });
    const [one, other] = [host.system, await buildSystem(withOwnStack("other", 90))];
    expect(stopsOf(await runAsPlanned(host))).toEqual({});
    const witnesses = await Witnesses.put(host);
    const ways = { kill, moment, witnesses };
    const first = {
      ...{ piece: ownStack.piece, turn: "first deploy" },
      begin: async () => {
        await removeStack(host, ownStack.stack, ownStack.piece);
        await removeBridgeImages(host);
      },
    };
    const killed = [...(await killEverywhere(host, [first], ways))];
    const tokens = new Map([
      [one, host.read(ownStack.token)],
      [other, randomBytes(20).toString("hex")],
    ]);
    const to = (system: System) => ({
      ...{ piece: ownStack.piece, turn: "another image, token and setting" },
      begin: async () => {
        await host.install(system);
        host.write(ownStack.token, tokens.get(system) ?? "", 0o600);
      },
    });
    // There, and back again: the same calls with other names.
    killed.push(...(await killEverywhere(host, [to(other), to(one)], ways)));
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-own-stack"]);
  });
});
