import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import type { CcCi } from "../../../constructs/app.ts";
import { ConvergePiece } from "../../../constructs/nixos/converge-piece.ts";
import { HostFile } from "../../../constructs/nixos/host-file.ts";
import { appOf } from "../../synthesized.ts";
import { requireHosts } from "../../tools.ts";
import { bootHost, type Host } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import { finalState } from "../library/final-state.ts";
import {
  fromRunOf,
  killEverywhere,
  killsToTry,
  startsNothing,
} from "../library/kill-everywhere.ts";
import { killedVerbs, verbsOf } from "../library/killed-verbs.ts";
import { losePort } from "../library/lost-ports.ts";
import {
  placesOf,
  putPassword,
  type WebOptions,
  withEverything,
  withWebs,
} from "../library/web-app.ts";
import { Witnesses } from "../library/witnesses.ts";
import { buildSystem, type System } from "../system/system.ts";

const { checkout, stack } = placesOf("web");
const keys = withEverything;
const ownFile = "/var/lib/cc-ci/secrets/own";

/** A host with these apps, and a piece that is one file of the host's own making. */
function withOwnFile(apps: Readonly<Record<string, WebOptions>>): CcCi {
  const app = appOf(String(withWebs(apps).app));
  const [host] = app.hosts;
  if (host === undefined) throw new Error("no host");
  const file = new HostFile(host, "own-file", {
    ...{ path: ownFile, purpose: "the file of a test", remedy: "none" },
    origin: { by: "host", randomBytes: 32 },
  });
  new ConvergePiece(host, "own", {
    ...{ name: "own", description: "A file of the test", resources: () => [] },
    sources: [file],
  });
  return app;
}

async function systemWith(apps: Readonly<Record<string, WebOptions>>): Promise<System> {
  return await buildSystem(startsNothing(withOwnFile(apps)));
}

describe("what happens seldom", { timeout: 1_800_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test.for(killsToTry())("survives a kill (%s) %s every call", async ([kill, moment]) => {
    const configuration = startsNothing(withOwnFile({ web: { keys } }));
    const prepare = (_root: string, host: Host) => putPassword(host);
    await using host = await bootHost({ configuration, prepare });
    await runAsPlanned(host);
    const options = { kill, moment, witnesses: await Witnesses.put(host) };
    const shell = async (script: string) => void (await host.exec(["sh", "-ec", script]));
    const whole = host.system;

    const life = {
      ...{ piece: "swarm", turn: "life of certificates" },
      begin: () => shell("docker swarm update --cert-expiry 48h"),
    };
    const file = { piece: "own", turn: "own file", begin: () => shell(`rm ${ownFile}`) };
    const lock = {
      ...{ piece: "app-web", turn: "a git that died" },
      begin: () => shell(`touch ${checkout}/.git/index.lock`),
    };
    const killed = [...(await killEverywhere(host, [life, file, lock], options))];

    const lost = {
      ...{ piece: "traefik", turn: "a lost port", restartsDocker: true },
      begin: async () => {
        await losePort(host, 443);
        // A test goes on, which a restart of Docker would end.
        await shell("systemd-run --quiet --unit=cc-ci-run@1.service sleep 600");
        const waits = await host.converge("run", "traefik");
        expect(waits.stdout).toContain("[docker-restart-waits]");
        await shell("systemctl stop cc-ci-run@1.service");
      },
    };
    killed.push(...(await killEverywhere(host, [lost], options)));

    // What a power cut now and then leaves of a task. Without its clone abra does not know the app, and nobody but us the network.
    const without = await systemWith({});
    const leftover = {
      // It was, for the lost port.
      ...{ piece: "retire", turn: "an app that abra does not know", restartsDocker: true },
      begin: async () => {
        await fromRunOf(host, "app-web", [whole, without]);
        await shell(`rm -r ${checkout}
docker network create --driver overlay --label cc-ci.managed=cc-ci of-no-piece
docker container create --name left --label com.docker.stack.namespace=${stack} \\
  --label com.docker.swarm.task.id=forgotten busybox:1.37.0 true`);
      },
    };
    killed.push(...(await killEverywhere(host, [leftover], options)));

    // A release whose image cannot be had, and a clone that git cannot read. No call is after a pull
    // that fails: before each call it is for both kinds of kill.
    const missing = await systemWith({ web: { release: "0.6.0", keys } });
    const runs = async () => (await finalState(host)).services;
    await fromRunOf(host, "app-web", [whole, missing]);
    const before = await runs();
    const pull = {
      ...{ piece: "app-web", turn: "missing image", stop: "pending image-not-reached" },
      restartsDocker: true,
      begin: () => shell(`echo nonsense >${checkout}/.git/HEAD`),
    };
    killed.push(...(await killEverywhere(host, [pull], { ...options, moment: "before" })));
    expect(await runs(), "what ran before").toEqual(before);
    expect(verbsOf(killed)).toEqual(killedVerbs["killed-seldom"]);
  });
});
