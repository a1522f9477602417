import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { runPlaces } from "../../../services/lib/run.ts";
import { idleHost } from "../library/idle-host.ts";
import { sharedHost } from "../library/shared-host.ts";
import { asRunner, requestFor, runnerAccount, TestRuns, withRuns } from "../library/test-runs.ts";
import { until } from "../machine/processes.ts";

/** JavaScript that every client below begins with. */
const prelude = `
const net = require("node:net");
const connect = (then = () => undefined) => new Promise((resolve) => {
  let heard = "";
  const socket = net.createConnection(${JSON.stringify(runPlaces.socket)});
  socket.setEncoding("utf8").on("data", (text) => { heard += text; });
  socket.on("error", () => undefined).on("connect", () => then(socket));
  socket.on("close", () => resolve(heard));
});
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
`;

describe("on the socket of test runs", () => {
  const shared = sharedHost(idleHost(withRuns()), async (host) => {
    // given something that nobody but root may see
    host.write("/var/lib/cc-ci/secrets/token", "a secret of the host", 0o600);
    await host.exec(["chmod", "700", "/var/lib/cc-ci/secrets"]);
    new TestRuns(host).script({
      slow: { acts: [{ say: "begun" }, { sleepSeconds: 600 }] },
      loud: { acts: [{ floodBytes: 20_000_000 }] },
      forger: {
        acts: [{ say: '{"kind":"end","passed":true,"text":"passed"}' }],
        outcome: "failed",
      },
    });
  });
  const runs = () => new TestRuns(shared());
  const line = (change: object = {}) => `${JSON.stringify({ ...requestFor(), ...change })}\n`;

  /** What the builds' user hears who does this, and what became of the socket. */
  async function hear(then: string): Promise<string> {
    const { printed } = await asRunner(
      shared(),
      `${prelude}connect((socket) => { ${then} }).then((heard) => process.stdout.write(heard));`,
    );
    return printed;
  }

  test.for<[string, () => string, string]>([
    ["garbage", () => 'socket.write("GET / HTTP/1.1\\r\\n\\r\\n")', "[request-wrong]"],
    ["zeros", () => "socket.write(Buffer.alloc(3000))", "[request-late]"],
    ["an answer of its own", () => 'socket.write(\'{"kind":"taken"}\\n\')', "[request-wrong]"],
    [
      "a path for a recipe",
      () => `socket.write(${JSON.stringify(line({ recipe: "../../etc/passwd" }))})`,
      "[request-wrong]",
    ],
    [
      "more than is asked for",
      () => `socket.write(${JSON.stringify(line({ command: "reboot" }))})`,
      "[request-wrong]",
    ],
    ["nothing", () => "", "[request-late]"],
    [
      "a letter at a time",
      () => 'let at = 0; setInterval(() => socket.write("x{"[at++ % 2]), 500).unref()',
      "[request-late]",
    ],
    ["half of it", () => 'socket.end("{")', "[request-missing]"],
  ])("%s is refused, harmless, and the next one is served", async ([, then, id]) => {
    const before = runs().folders();
    expect(await hear(then())).toContain(id);
    await runs().none();
    expect(runs().folders()).toEqual(before);
    expect(await runs().serves()).toBe(true);
  });

  test("megabytes are refused, and take no memory", async () => {
    const before = runs().folders();
    await hear(
      "const more = () => { while (socket.write(Buffer.alloc(65536, 120))); }; socket.on('drain', more); more();",
    );
    await runs().none();
    expect(runs().folders()).toEqual(before);
    expect(await runs().serves()).toBe(true);
  });

  test("who reads nothing holds no run up", async () => {
    const request = requestFor("loud");
    const { status } = await asRunner(
      shared(),
      `${prelude}connect((socket) => { socket.pause(); socket.write(${JSON.stringify(`${JSON.stringify(request)}\n`)}); });
wait(20).then(() => process.exit(0));`,
    );
    expect(status).toBe(0);
    await runs().none();
    expect(runs().resultsOf(request.id)?.outcome).toBe("passed");
    expect(runs().logOf(request.id).length).toBeGreaterThan(20_000_000);
  });

  test("an end that a run prints is no end", async () => {
    const { status, printed } = await runs().run(requestFor("forger"));
    expect(printed).toContain('{"kind":"end","passed":true,"text":"passed"}\n');
    expect(printed).toContain("[run-not-passed]");
    expect(status).toBe(1);
  });

  test("an id that was used gets no second run, be it over or not", async () => {
    const over = requestFor();
    expect((await runs().run(over)).status).toBe(0);
    const again = await runs().run(over);
    expect(again.status).toBe(1);
    expect(again.printed).toContain("[run-id-used]");
    // Each of these has a place until its service has ended.
    await runs().none();
    const build = runs().start(requestFor("slow"));
    await runs().unitOf(build.id, "begun");
    const heard = await hear(
      `socket.write(${JSON.stringify(`${JSON.stringify({ ...over, id: build.id })}\n`)})`,
    );
    expect(heard).toContain("[run-id-used]");
    // then the one that goes on is untouched
    expect(await runs().list()).toMatchObject([{ id: build.id, recipe: "slow" }]);
    expect(runs().tearDownsOf(build.id)).toBe(0);
    expect(runs().resultsOf(over.id)?.outcome).toBe("passed");
    await build.cancel();
    await runs().none();
  });

  test("a storm of connections ends neither the socket nor the host", async () => {
    const storm = `${prelude}
const one = () => connect((socket) => socket.write("storm\\n"));
(async () => {
  for (let round = 0; round < 7; round += 1) await Promise.all(Array.from({ length: 300 }, one));
})();`;
    expect((await asRunner(shared(), storm)).status).toBe(0);
    await runs().none();
    expect(await runs().serves()).toBe(true);
    expect((await shared().unit("cc-ci-run.socket")).state).toBe("active");
  });

  test("a build waits for places that others hold, and gets one", async () => {
    await runs().none();
    const holders = asRunner(
      shared(),
      `${prelude}for (const _ of [1, 2]) connect().then(() => connect());`,
    );
    await until("the services of both", 30, async () =>
      (await runs().units()).length === 2 ? true : undefined,
    );
    const { status, printed } = await runs().run();
    expect(printed).toContain("waits for a place: all places of the host are taken");
    expect(status).toBe(0);
    await holders;
  });

  test("a build is told when there is a place, and nothing behind it", async () => {
    const host = shared();
    const unit = "/run/systemd/system/cc-ci-run@.service.d/broken.conf";
    const broken = "[Service]\nExecStart=\nExecStart=/nix/store/gone\nExecStopPost=\n";
    await host.exec(["mkdir", "-p", dirname(unit)]);
    await host.exec(["tee", unit], { input: broken });
    await host.exec(["systemctl", "daemon-reload"]);
    const build = runs().start();
    await until("two tries", 60, async () => {
      const { stdout } = await host.exec(["journalctl", "--boot", "--output=cat", "--grep=EXEC"], {
        mayFail: true,
      });
      return stdout.split("\n").length > 2 ? true : undefined;
    });
    // when it is mended
    await host.exec(["rm", "-r", dirname(unit)]);
    await host.exec(["systemctl", "daemon-reload"]);
    // then
    const { status, printed } = await build.end;
    expect(printed).toContain("waits for a place: the host has a place, and its service");
    expect(printed).not.toContain("all places");
    expect(status).toBe(0);
    await runs().none();
  });

  test("another user is not even connected", async () => {
    const command = ["/usr/bin/cc-ci-run", "ask"];
    const set = Object.entries({
      CCCI_ID: "0".repeat(16),
      CCCI_RECIPE: "wiki",
      CCCI_QUICK: "true",
    });
    const others = { CCCI_REPOSITORY: "a/b", CCCI_PULL: "", CCCI_COMMIT: "0".repeat(40) };
    const variables = [...set, ...Object.entries(others)].map(([k, v]) => `Environment=${k}=${v}`);
    const { exitCode, stderr } = await shared().machine.runInUnit(
      command,
      ["User=nobody", ...variables],
      { mayFail: true },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain("[run-not-allowed]");
  });

  test.for<[string, string]>([
    ["start a unit", "systemctl --no-ask-password start cc-ci-runs.service"],
    ["stop a run", "systemctl --no-ask-password stop cc-ci-run.socket"],
    ["reload systemd", "systemctl --no-ask-password daemon-reload"],
    ["start a unit of its own", "systemd-run --no-ask-password true"],
    ["read the host's secrets", "cat /var/lib/cc-ci/secrets/token"],
    ["see the runs", `ls ${runPlaces.runs}`],
    ["make a run", `mkdir ${runPlaces.runs}/ffffffffffffffff`],
    ["read what runs do", "cat /var/lib/cc-ci/rehearsal.json"],
    ["say what runs do", "touch /var/lib/cc-ci/rehearsal.json"],
    ["list runs", "cc-ci-run list"],
    ["serve", "cc-ci-run serve /bin/true"],
    ["sweep", "cc-ci-run sweep /bin/true --keep-days 1 --keep-runs 1 --keep-gib 1"],
    ["take the socket's place", `rm -f ${runPlaces.socket}`],
    ["become root", "setpriv --reuid=0 true"],
  ])("the builds' user cannot %s", async ([, command]) => {
    const { exitCode, stdout } = await shared().machine.runInUnit(
      ["sh", "-c", `(${command}) 2>&1`],
      [`User=${runnerAccount}`],
      { mayFail: true },
    );
    expect({ exitCode, stdout }).not.toMatchObject({ exitCode: 0 });
    expect(stdout).not.toContain("a secret of the host");
  });

  test("the builds' user is in no other group", async () => {
    const { stdout } = await shared().exec(["id", "--name", "--groups", runnerAccount]);
    expect(stdout).toBe(`${runnerAccount}\n`);
  });
});
