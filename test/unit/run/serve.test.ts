import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hold } from "../../../services/lib/holds.ts";
import { Stop } from "../../../services/lib/line.ts";
import { askCommand, countIn } from "../../../services/run/commands/ask.ts";
import { sweep } from "../../../services/run/commands/sweep.ts";
import { Activation, environmentFor, leaves, requestFor, tearsDown } from "./activation.ts";

/** Asks for a run as a build does: its exit status, or the line that it ends with, and what it printed. */
async function ask(activation: Activation, digit: string) {
  let printed = "";
  const print = (text: string) => {
    printed += text;
  };
  const options = { environment: environmentFor(digit), socket: activation.socket, print };
  try {
    return { status: await askCommand({ ...options, waitSeconds: 0, heldSeconds: 0 }), printed };
  } catch (error) {
    if (error instanceof Stop) return { status: 1, line: error.line.id, printed };
    throw error;
  }
}

/** What a client hears until the connection ends, who says this and then what it does. */
async function hear(
  activation: Activation,
  say: string | Buffer,
  then: (socket: Socket) => void = () => undefined,
): Promise<string> {
  const socket = createConnection({ path: activation.socket, allowHalfOpen: true });
  let heard = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
  });
  socket.on("error", () => undefined);
  socket.on("connect", () => {
    socket.write(say);
    then(socket);
  });
  await new Promise<void>((resolve) => {
    socket.on("end", () => resolve());
    socket.on("close", () => resolve());
  });
  socket.destroy();
  return heard;
}

const line = (digit: string) => `${JSON.stringify(requestFor(digit))}\n`;

describe("a build that asks for a run", { concurrent: true }, () => {
  test("sees what it prints, and passes with it", async () => {
    await using activation = await Activation.start({
      harness: `${leaves("passed")}\necho hello; echo there >&2`,
    });
    const { status, printed } = await ask(activation, "1");
    expect(printed).toMatch(/^(?:hello\nthere|there\nhello)\nthe run 1{16} has passed\n$/);
    expect(status).toBe(0);
    await activation.lastEnd();
    expect(activation.read(requestFor("1").id, "log.jsonl")).toMatch(/"stderr","text":"there\\n"/);
    expect(activation.read(requestFor("1").id, "artefacts/torn-down")).toBe("gone\n");
    expect(JSON.parse(activation.read(requestFor("1").id, "request.json"))).toEqual(
      requestFor("1"),
    );
  });

  test.for<[string, string, string, string]>([
    [
      "says that it failed",
      leaves("failed"),
      "failed",
      "[run-not-passed]: the run 1111111111111111 has not passed: a stage failed",
    ],
    [
      "says that it passed, and ends with 3",
      `${leaves("passed")}\nexit 3`,
      "aborted",
      "its results say that it passed, and its harness ended with status 3",
    ],
    [
      "says nothing, and ends well",
      `${tearsDown}\nexit 0`,
      "aborted",
      "[run-without-results]: the run 1111111111111111 left no results: its harness ended with status 0",
    ],
    ["is killed", `${tearsDown}\nkill -9 $$`, "aborted", "its harness was killed by SIGKILL"],
    [
      "forges the end",
      `${tearsDown}\nprintf '{"kind":"end","passed":true,"text":"passed"}\\n"}\\n'`,
      "aborted",
      "[run-without-results]",
    ],
    [
      "leaves results of another run",
      `${leaves("passed")}\nsed -i s/1111111111111111/2222222222222222/ "$2/results.json"`,
      "aborted",
      "[run-without-results]",
    ],
  ])("fails when the run %s", async ([, harness, outcome, said], { expect }) => {
    await using activation = await Activation.start({ harness });
    const { status, printed } = await ask(activation, "1");
    expect(printed).toContain(said);
    expect(status).toBe(1);
    await activation.lastEnd();
    expect(activation.resultsOf(requestFor("1").id)?.outcome).toBe(outcome);
    expect(activation.read(requestFor("1").id, "artefacts/torn-down")).toBe("gone\n");
  });

  test("is told that its id was used, and the run of that id stays as it is", async () => {
    await using activation = await Activation.start({ harness: leaves("passed") });
    await ask(activation, "1");
    const { status, printed } = await ask(activation, "1");
    expect(status).toBe(1);
    expect(printed).toContain("there is a run 1111111111111111 already");
    expect(printed).toContain("start a new build");
    await activation.lastEnd();
    expect(activation.resultsOf(requestFor("1").id)?.outcome).toBe("passed");
    expect(activation.read(requestFor("1").id, "artefacts/torn-down")).toBe("gone\n");
    expect(readdirSync(activation.runs)).toHaveLength(1);
  });

  test("may ask twice at once, and one of the two gets the run", async () => {
    await using activation = await Activation.start({ harness: `${leaves("passed")}\nsleep 1` });
    const answers = await Promise.all([1, 2, 3].map(() => ask(activation, "1")));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([0, 1, 1]);
    await Promise.all(activation.ends);
    expect(activation.resultsOf(requestFor("1").id)?.outcome).toBe("passed");
    expect(readdirSync(activation.runs)).toHaveLength(1);
  });

  test("is told what is wrong with its parameters, and asks nobody", async () => {
    await using activation = await Activation.start({ harness: "exit 0" });
    const options = {
      environment: { CCCI_ID: "x" },
      socket: activation.socket,
      print: () => undefined,
    };
    await expect(askCommand(options)).rejects.toThrow("CCCI_ID: must be 16 hex digits");
    expect(activation.ends).toEqual([]);
  });

  test.for<[string, readonly (number | undefined)[], string]>([
    ["there is no place", [3, 4], "all places of the host are taken"],
    ["there is a place", [3, 3], "its service of runs does not start"],
    ["nobody knows", [undefined, 4], "all places of the host are taken, or its service"],
  ])(
    "is told what a connection without a word is about, when %s",
    async ([, counts, said], { expect }) => {
      const folder = mkdtempSync(join(tmpdir(), "cc-ci-ask-"));
      const socket = join(folder, "socket");
      const server = createServer((connection) => connection.end());
      await once(server.listen(socket), "listening");
      let looks = 0;
      const asked = askCommand({
        ...{ environment: environmentFor("1"), socket, waitSeconds: 0, print: () => undefined },
        countTurnedAway: async () => counts[looks++],
      });
      await expect(asked).rejects.toThrow(said);
      server.close();
      rmSync(folder, { recursive: true });
    },
  );

  test("reads the count of systemd, and nothing else", () => {
    expect(["7\n", "0", "", "[not set]", "1 2"].map(countIn)).toEqual([
      ...[7, 0, undefined, undefined, undefined],
    ]);
  });

  test("is told after a while that nobody listens", async () => {
    await using activation = await Activation.start({ harness: "exit 0" });
    const printed: string[] = [];
    const options = {
      environment: environmentFor("1"),
      print: (text: string) => printed.push(text),
    };
    const asked = askCommand({ ...options, socket: `${activation.socket}.none`, waitSeconds: 0.1 });
    await expect(asked).rejects.toThrow("nobody listens at");
    expect(printed.join("")).toContain("waits for a place: nobody listens at");
  });
});

describe("a build that asks while no run may begin", { concurrent: true }, () => {
  test("is put off, leaves nothing, and gets its run once one may", async () => {
    await using activation = await Activation.start({ harness: leaves("passed") });
    const held = await hold(activation.holds, "runs", process.pid);
    // when
    const late = await ask(activation, "1");
    // then
    expect(late).toMatchObject({ status: 1, line: "run-not-taken" });
    expect((await activation.lastEnd()).status).toBe(0);
    expect(readdirSync(activation.runs)).toEqual([]);
    // when that is over
    await held.release();
    // then
    expect((await ask(activation, "1")).status).toBe(0);
    await Promise.all(activation.ends);
  });

  test("waits longer for that than for a place, and says who is in its way", async () => {
    await using activation = await Activation.start({ harness: leaves("passed") });
    const held = await hold(activation.holds, "runs", process.pid);
    let printed = "";
    // when
    const asked = askCommand({
      ...{ environment: environmentFor("1"), socket: activation.socket, waitSeconds: 0 },
      print: (text) => {
        printed += text;
        if (text.includes("waits")) void held.release();
      },
    });
    // then
    expect(await asked).toBe(0);
    expect(printed).toContain(`restart of Docker is over (process ${process.pid})\n`);
    await Promise.all(activation.ends);
  });

  test("gets its run where only the taking of builds is held", async () => {
    await using activation = await Activation.start({ harness: leaves("passed") });
    await hold(activation.holds, "builds", process.pid);
    expect((await ask(activation, "1")).status).toBe(0);
    await activation.lastEnd();
  });
});

describe("who goes away", { concurrent: true }, () => {
  test("calls the run off, which ends in order", async () => {
    const harness = `${tearsDown}\ntrap 'echo asked >"$2/artefacts/asked"; exit 0' TERM\necho begun; sleep 60 & wait`;
    await using activation = await Activation.start({ harness });
    const socket = createConnection(activation.socket);
    socket.write(line("1"));
    await new Promise<void>((resolve) =>
      socket.on("data", (bytes) => {
        if (String(bytes).includes("begun")) resolve();
      }),
    );
    socket.destroy();
    const { status } = await activation.lastEnd();
    expect(status).toBe(0);
    expect(activation.resultsOf(requestFor("1").id)).toMatchObject({
      ...{ outcome: "aborted", reason: "it was cancelled: who asked for it went away" },
    });
    expect(activation.read(requestFor("1").id, "artefacts/asked")).toBe("asked\n");
  });

  test("before it said what it wants is no run", async () => {
    await using activation = await Activation.start({ harness: "exit 0" });
    for (const say of ["", "{", line("1").slice(0, -1)]) {
      const heard = await hear(activation, say, (socket) => socket.end());
      expect(heard).toContain("[request-missing]");
      await activation.lastEnd();
      expect(readdirSync(activation.runs)).toEqual([]);
    }
  });
});

describe("a client", { concurrent: true }, () => {
  test.for<[string, string | Buffer, string]>([
    ["that speaks HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "[request-wrong]"],
    ["that says megabytes", Buffer.alloc(4 * 1024 * 1024, "x"), "[request-wrong]"],
    [
      "that says megabytes after its request",
      `${line("1")}${"x".repeat(1_000_000)}`,
      "[request-wrong]",
    ],
    ["that asks for two runs", `${line("1")}${line("2")}`, "[request-wrong]"],
    ["that says bytes", Buffer.from([0, 255, 254, 10]), "[request-wrong]"],
    ["that says nothing", "", "[request-late]: no request came within 10 s"],
    ["that does not come to an end", '{"id":', "[request-late]"],
  ])("%s is refused, and makes no run", async ([, say, said], { expect }) => {
    await using activation = await Activation.start({ harness: leaves("passed") });
    const heard = await hear(activation, say ?? "");
    // A client that is still talking may find the connection reset before it hears why.
    if (heard.includes('"end"')) expect(heard).toContain(said);
    expect(heard).not.toContain('"passed":true');
    expect((await activation.lastEnd()).journal).toContain(said);
    expect(readdirSync(activation.runs)).toEqual([]);
  });

  test("that reads nothing holds no run up, and the log has all of it", async () => {
    const harness = `${leaves("passed")}\nhead -c 6000000 /dev/zero | tr '\\0' x`;
    await using activation = await Activation.start({ harness });
    const socket = createConnection(activation.socket);
    socket.pause();
    socket.write(line("1"));
    const { status } = await activation.lastEnd();
    socket.destroy();
    expect(status).toBe(0);
    expect(activation.resultsOf(requestFor("1").id)?.outcome).toBe("passed");
    expect(activation.read(requestFor("1").id, "log.jsonl").length).toBeGreaterThan(6_000_000);
  });

  test("that reads gets so much and no more, and the end", async () => {
    const harness = `${leaves("passed")}\nhead -c 9000000 /dev/zero | tr '\\0' x`;
    await using activation = await Activation.start({ harness });
    const { status, printed } = await ask(activation, "1");
    expect(status).toBe(0);
    expect(printed.length).toBeLessThan(5_000_000);
    expect(printed).toContain("the rest of the output is in the run's log");
  });

  test("is not held up by what the run left behind", async () => {
    const harness = `${leaves("passed")}\nsetsid sh -c 'echo $$ >"$0/artefacts/pid"; exec sleep 600' "$2" &\nuntil [ -s "$2/artefacts/pid" ]; do sleep 0.1; done`;
    await using activation = await Activation.start({ harness });
    expect((await ask(activation, "1")).status).toBe(0);
    await activation.lastEnd();
    // It still holds the output open: without a control group nobody ends it here.
    const pid = Number(activation.read(requestFor("1").id, "artefacts/pid"));
    expect(process.kill(pid)).toBe(true);
  });
});

describe("a service that is killed at a step", { concurrent: true }, () => {
  const places = ["serve", "end"].flatMap((command) =>
    (command === "serve" ? [1, 2, 3] : [1, 2, 3, 4]).flatMap((step) =>
      ["before", "after"].map((when) => `${command}:${step}:${when}`),
    ),
  );

  test.for(places)("%s leaves no run, or one that is ended", async (place, { expect }) => {
    const harness = `${tearsDown}\nexit 0`;
    await using activation = await Activation.start({ harness, killAt: place });
    const { status } = await ask(activation, "1");
    await activation.lastEnd();
    activation.killAt(undefined);
    const ground = { runs: activation.runs, living: join(activation.folder, "nobody") };
    const keep = { days: 1, runs: 10, bytes: 1e9 };
    await sweep(ground, join(activation.folder, "harness"), keep, (warning) => {
      throw new Error(warning.text);
    });
    expect(status).toBe(1);
    const hasBegun = !/^serve:(?:[12]:|3:before)/.test(place);
    expect(readdirSync(activation.runs)).toEqual(hasBegun ? [requestFor("1").id] : []);
    if (!hasBegun) return;
    expect(activation.resultsOf(requestFor("1").id)?.outcome).toBe("aborted");
    expect(existsSync(join(activation.runs, requestFor("1").id, "artefacts/torn-down"))).toBe(true);
  });
});
