import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeNote } from "../../../services/lib/living-runs.ts";
import { runResultsSchema } from "../../../services/lib/run.ts";
import { sweep } from "../../../services/run/commands/sweep.ts";
import { claimFolder, prepareFolder } from "../../../services/run/run-folder.ts";

let root = "";
const keep = { days: 30, runs: 100, bytes: 1e12 };
const [one, two, three] = ["1", "2", "3"].map((digit) => digit.repeat(16)) as [
  string,
  string,
  string,
];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-ci-sweep-"));
  for (const name of ["runs", "living"]) mkdirSync(join(root, name));
  // A harness whose teardown says that it was asked.
  writeFileSync(join(root, "harness"), '#!/bin/sh\necho "$1" >>"$2/asked"\n');
  chmodSync(join(root, "harness"), 0o755);
});

afterEach(() => rmSync(root, { recursive: true }));

const runs = () => join(root, "runs");

async function makeRun(id: string): Promise<string> {
  const prepared = join(runs(), `.new-${id}`);
  const commit = "a".repeat(40);
  const request = { id, recipe: "wiki", repository: "recipes/wiki", pull: 7, commit, quick: false };
  await prepareFolder(prepared, request);
  expect(await claimFolder(runs(), prepared, id)).toBe(true);
  return join(runs(), id);
}

async function swept(limits = keep): Promise<readonly string[]> {
  const said: string[] = [];
  const ground = { runs: runs(), living: join(root, "living") };
  await sweep(ground, join(root, "harness"), limits, ({ text }) => said.push(text));
  return said;
}

function resultsOf(id: string) {
  const text = readFileSync(join(runs(), id, "results.json"), "utf8");
  return runResultsSchema.parse(JSON.parse(text));
}

describe("a sweep", () => {
  test("ends a run that nobody works on, once", async () => {
    const folder = await makeRun(one);
    expect(await swept()).toEqual([]);
    expect(resultsOf(one)).toMatchObject({
      ...{ outcome: "aborted", request: { id: one }, stages: [] },
      reason: "the host went down in the middle of it, or its teardown was ended",
    });
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("tear-down\n");
    expect(readdirSync(folder).toSorted()).toEqual([
      "artefacts",
      "asked",
      "request.json",
      "results.json",
    ]);
    await swept();
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("tear-down\n");
  });

  test("leaves a run alone that goes on", async () => {
    const folder = await makeRun(one);
    const since = new Date().toISOString();
    await writeNote(join(root, "living/0-1-2"), {
      id: one,
      recipe: "wiki",
      since,
      isCancelled: false,
    });
    expect(await swept({ days: 1, runs: 1, bytes: 1 })).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual([
      ...["artefacts", "request.json", "tear-down-owed.json"],
    ]);
  });

  test("says that a teardown failed, and calls the run aborted all the same", async () => {
    await makeRun(one);
    writeFileSync(join(root, "harness"), "#!/bin/sh\nexit 7\n");
    await swept();
    expect(resultsOf(one).reason).toContain(", and its teardown ended with status 7");
  });

  test("tries a teardown again that failed, until it succeeds", async () => {
    const folder = await makeRun(one);
    // given one that fails until it is tried for the third time
    const tries = 'echo "$1" >>"$2/asked"; [ "$(wc -l <"$2/asked")" -ge 3 ] || exit 7';
    writeFileSync(join(root, "harness"), `#!/bin/sh\n${tries}\n`);
    await swept();
    const results = resultsOf(one);
    await swept();
    expect(existsSync(join(folder, "tear-down-owed.json"))).toBe(true);
    expect(await swept()).toEqual([]);
    // then
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("tear-down\n".repeat(3));
    expect(existsSync(join(folder, "tear-down-owed.json"))).toBe(false);
    await swept();
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("tear-down\n".repeat(3));
    // and what it came to is as it was
    expect(resultsOf(one)).toEqual(results);
  });

  test("tries a teardown once a day after six tries, and names the run from then on", async () => {
    const folder = await makeRun(one);
    writeFileSync(join(root, "harness"), '#!/bin/sh\necho "$1" >>"$2/asked"\nexit 7\n');
    for (let sweeps = 0; sweeps < 6; sweeps += 1) expect(await swept()).toEqual([]);
    const said = [
      `what the run ${one} left is still there: its teardown did not succeed in 6 tries, and has one a day from now on; take it away by hand, then remove ${folder}/tear-down-owed.json`,
    ];
    expect(await swept()).toEqual(said);
    expect(await swept()).toEqual(said);
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("tear-down\n".repeat(6));
    // when the last one was a day ago
    const debt = JSON.parse(readFileSync(join(folder, "tear-down-owed.json"), "utf8"));
    const triedAt = new Date(Date.parse(debt.triedAt) - 86_400_000).toISOString();
    writeFileSync(join(folder, "tear-down-owed.json"), JSON.stringify({ ...debt, triedAt }));
    expect(await swept()).toEqual([]);
    // then
    expect(await swept()).toEqual([said[0]?.replace("6", "7")]);
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("tear-down\n".repeat(7));
    // when a person has done that
    rmSync(join(folder, "tear-down-owed.json"));
    expect(await swept()).toEqual([]);
  });

  test("owes a teardown to a run that says it passed, and whose end was killed", async () => {
    const folder = await makeRun(one);
    const request = JSON.parse(readFileSync(join(folder, "request.json"), "utf8"));
    const time = new Date().toISOString();
    const results = { version: 1, request, outcome: "passed", reason: null, stages: [] };
    writeFileSync(
      join(folder, "results.json"),
      JSON.stringify({ ...results, startedAt: time, endedAt: time }),
    );
    expect(await swept()).toEqual([]);
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("tear-down\n");
    expect(resultsOf(one).outcome).toBe("passed");
  });

  test("removes no run that a teardown is owed to, however often it was tried", async () => {
    writeFileSync(join(await makeRun(one), "artefacts/backup"), "x".repeat(1000));
    writeFileSync(join(root, "harness"), "#!/bin/sh\nexit 7\n");
    for (let sweeps = 0; sweeps < 8; sweeps += 1) await swept({ ...keep, bytes: 1 });
    expect(readdirSync(runs())).toEqual([one]);
    expect(readdirSync(join(runs(), one)).toSorted()).toEqual([
      ...["artefacts", "request.json", "results.json", "tear-down-owed.json"],
    ]);
  });

  test("keeps what runs came to when they are too large", async () => {
    for (const id of [one, two]) {
      writeFileSync(join(await makeRun(id), "artefacts/backup"), "x".repeat(100_000));
    }
    await swept({ ...keep, bytes: 10_000 });
    expect(readdirSync(runs())).toEqual([one, two]);
    for (const id of [one, two]) {
      expect(existsSync(join(runs(), id, "artefacts/backup"))).toBe(false);
      expect(resultsOf(id).outcome).toBe("aborted");
    }
  });

  test("drops what one run left beyond its limit, and says so in its log", async () => {
    const folder = await makeRun(one);
    writeFileSync(join(folder, "artefacts/small"), "kept");
    writeFileSync(join(folder, "artefacts/huge"), "");
    truncateSync(join(folder, "artefacts/huge"), 300 * 1024 * 1024);
    expect(await swept()).toEqual([]);
    expect(readdirSync(join(folder, "artefacts"))).toEqual(["small"]);
    const log = readFileSync(join(folder, "log.jsonl"), "utf8");
    expect(JSON.parse(log)).toMatchObject({
      ...{ from: "host", text: expect.stringContaining("its 1 largest files, 314572800 bytes") },
    });
  });

  test("drops that before a teardown, which may need the room, and what this leaves after it", async () => {
    const folder = await makeRun(one);
    const leave = (name: string) => `truncate -s 300M "$2/artefacts/${name}"`;
    const say = 'ls "$2/artefacts" >"$2/artefacts/seen"';
    writeFileSync(join(root, "harness"), `#!/bin/sh\n${say}\n${leave("more")}\n`);
    writeFileSync(join(folder, "artefacts/huge"), "");
    truncateSync(join(folder, "artefacts/huge"), 300 * 1024 * 1024);
    await swept();
    expect(readdirSync(join(folder, "artefacts"))).toEqual(["seen"]);
    expect(readFileSync(join(folder, "artefacts/seen"), "utf8")).toBe("seen\n");
  });

  test("says what a run came to also where it cannot note that a teardown is owed", async () => {
    const folder = await makeRun(one);
    writeFileSync(join(root, "harness"), "#!/bin/sh\nexit 7\n");
    rmSync(join(folder, "tear-down-owed.json"));
    mkdirSync(join(folder, "tear-down-owed.json/in-the-way"), { recursive: true });
    expect(await swept()).toEqual([]);
    expect(resultsOf(one).reason).toContain(", and its teardown ended with status 7");
  });

  test("says what a run came to also where what it left does not go in order", async () => {
    const folder = await makeRun(one);
    // given a log that nothing can be noted in
    mkdirSync(join(folder, "log.jsonl"));
    writeFileSync(join(folder, "artefacts/huge"), "");
    truncateSync(join(folder, "artefacts/huge"), 300 * 1024 * 1024);
    await swept();
    expect(resultsOf(one).outcome).toBe("aborted");
    expect(readdirSync(join(folder, "artefacts"))).toEqual([]);
  });

  test("removes the others of what is too much where one does not go", async () => {
    for (const id of [one, two, three]) await makeRun(id);
    await swept();
    // given a file whose path becomes too long for the system with the name that its run goes by
    const deep = `${join(runs(), one)}${"/deeper".repeat(1000)}`.slice(0, 4080).replace(/\/$/, "");
    mkdirSync(deep, { recursive: true });
    writeFileSync(`${deep}/${"x".repeat(4090 - deep.length)}`, "");
    // when
    const said = await swept({ ...keep, runs: 1 });
    renameSync(join(runs(), `.gone-${one}`), join(root, "gone"));
    // then
    expect(said).toEqual([expect.stringContaining(`files of the run ${one} could not be removed`)]);
    expect(readdirSync(runs())).toEqual([three]);
  });

  test("takes results that nobody can read for none", async () => {
    for (const text of ["{ results", "[]", "{}", '{"version":99}']) {
      const folder = await makeRun(one);
      writeFileSync(join(folder, "results.json"), text);
      await swept();
      expect(resultsOf(one).outcome).toBe("aborted");
      rmSync(folder, { recursive: true });
    }
  });

  test("removes the oldest of what is too much, and never what it cannot name", async () => {
    for (const id of [one, two, three]) await makeRun(id);
    await swept();
    const strange = join(runs(), "notes.txt");
    writeFileSync(strange, "");
    expect(await swept({ ...keep, runs: 2 })).toEqual([
      `${strange} is no run of ours, and stays: move it elsewhere, or remove it`,
    ]);
    expect(readdirSync(runs())).toHaveLength(3);
    expect(existsSync(strange)).toBe(true);
  });

  test("removes what services left that were killed before their run began", async () => {
    const [old, fresh] = ["a", "b"].map((letter) => join(runs(), `.new-${letter}`)) as [
      string,
      string,
    ];
    for (const path of [old, fresh, join(runs(), ".gone-c")]) mkdirSync(path);
    utimesSync(old, 1, 1);
    expect(await swept()).toEqual([]);
    expect(readdirSync(runs())).toEqual([".new-b"]);
  });

  test("names what it cannot read, and goes on", async () => {
    await makeRun(two);
    // given a run whose request is a folder
    mkdirSync(join(runs(), one, "request.json"), { recursive: true });
    // when, then
    expect(await swept()).toEqual([expect.stringContaining(join(runs(), one))]);
    expect(resultsOf(two).outcome).toBe("aborted");
    expect(existsSync(join(runs(), one, "results.json"))).toBe(false);
  });

  test("has nothing to do where there never was a run", async () => {
    rmSync(runs(), { recursive: true });
    rmSync(join(root, "living"), { recursive: true });
    expect(await swept()).toEqual([]);
  });
});
