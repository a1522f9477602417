import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { type BridgeSettings, bridgePlaces } from "../services/lib/bridge-settings.ts";
import { Background } from "../test/background.ts";
import { BridgeProcess } from "../test/bridge/process.ts";
import { until } from "../test/host/machine/processes.ts";
import { makeScratch } from "../test/scratch.ts";
import { deliver } from "./deliveries.ts";
import { summary } from "./measure.ts";
import type { Row } from "./table.ts";

/** Odd, so that the median is one of them. */
const rounds = 3;

const load = { perSecond: 500, seconds: 10 } as const;
const backlog = 10_000;
/** Of which so many are commands, each of which has an answer. */
const commands = backlog / 100;

const key = "key-of-the-hook-0123456789";

/** Limits that were promised: of the 99th of a hundred answers in milliseconds, and of memory in MB. */
const limits = { answer: 100, memory: 150 } as const;

const names = {
  bare: `${load.perSecond} deliveries a second, to a server that only reads them`,
  hook: `${load.perSecond} deliveries a second for ${load.seconds} s, to the bridge`,
  after: "all of them looked at on the forge and judged, after the last delivery",
  pages: `the pages of ${backlog} comments, fetched and parsed`,
  caughtUp: `a backlog of ${backlog} comments caught up with, ${commands} answers given`,
};

/** The bridge under many deliveries, and after a long absence; its forge is one that does nothing but answer. */
export async function benchBridge(): Promise<readonly Row[]> {
  const scratch = makeScratch();
  const taken = new Map<string, number[]>();
  const note = (name: string, value: number): void => {
    taken.set(name, [...(taken.get(name) ?? []), value]);
  };
  try {
    for (let round = 0; round < rounds; round += 1) {
      await withForge(async (forge) => {
        await measureLoad(join(scratch, `load-${round}`), forge, note);
      });
      await withForge(async (forge) => {
        await measureBacklog(join(scratch, `backlog-${round}`), forge, note);
      });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return rowsOf((name) => summary(taken.get(name) ?? []));
}

type Note = (name: string, value: number) => void;

async function measureLoad(root: string, forge: string, note: Note): Promise<void> {
  const sent = { ...load, key, firstComment: 1 };
  noteAnswers(names.bare, await deliver({ ...sent, url: `${forge}/bare` }), note);
  await using bridge = new BridgeProcess(root, settingsOf(forge, "webhook"), secrets);
  await bridge.start();
  await bridge.says("is a member, and begins");
  noteAnswers(names.hook, await deliver({ ...sent, url: `${bridge.url}/hook` }), note);
  const start = performance.now();
  const count = load.perSecond * load.seconds;
  const allJudged = () => (judgedBy(bridge) === count ? true : undefined);
  // Seldom: who asks keeps it from working.
  await until("all comments being judged", 300, allJudged, 1000);
  note(names.after, (performance.now() - start) / 1000);
  note("memory under load", peakOf(bridge.pid));
}

async function measureBacklog(root: string, forge: string, note: Note): Promise<void> {
  await using bridge = new BridgeProcess(root, settingsOf(forge, "poll"), secrets);
  await bridge.start();
  // From then on what is written is for the bridge.
  await until("the first look", 20, async () =>
    numberIn(bridge, "SELECT at AS value FROM cursors WHERE name = 'search'"),
  );
  await bridge.stop();
  const at = new Date(Math.ceil(Date.now() / 1000) * 1000).toISOString();
  await control(forge, { comments: backlog, at });
  note(names.pages, await timeOfPages(forge, at));
  await control(forge, { comments: backlog, at });
  await bridge.start();
  const asked = await until("all answers", 300, async () => {
    const found = await control(forge);
    return found.posts >= commands ? found : undefined;
  });
  if (asked.posts > commands) throw new Error(`${asked.posts} answers for ${commands} commands`);
  note(names.caughtUp, (asked.lastPost - asked.first) / 1000);
  note("requests", asked.requests);
  note("memory after an absence", peakOf(bridge.pid));
}

/** What alone it takes to read what is new. */
async function timeOfPages(forge: string, at: string): Promise<number> {
  const start = performance.now();
  const pages = async (path: string): Promise<void> => {
    for (let page = 1; ; page += 1) {
      const since = encodeURIComponent(at);
      const found = await fetch(`${forge}/api/v1${path}?since=${since}&page=${page}&limit=50`);
      if (z.array(z.unknown()).parse(await found.json()).length < 50) return;
    }
  };
  await pages("/repos/issues/search");
  for (const { repository } of recipes) await pages(`/repos/${repository}/issues/comments`);
  return (performance.now() - start) / 1000;
}

function noteAnswers(name: string, answers: readonly number[], note: Note): void {
  for (const part of [0.5, 0.99] as const) {
    note(`${name}: ${part}`, answers[Math.floor(part * answers.length)] ?? Number.NaN);
  }
}

function rowsOf(of: (name: string) => ReturnType<typeof summary>): readonly Row[] {
  const answers = (name: string, limit?: number): readonly Row[] =>
    ([0.5, 0.99] as const).map((part) => {
      const times = of(`${name}: ${part}`);
      const isPromised = part === 0.99 && limit !== undefined;
      return {
        ...{ name: `${name}, ${part * 100} of 100 answers`, times, unit: "ms" },
        ...{ figure: times.median * 1000, ...(isPromised ? { limit } : {}) },
      };
    });
  const seconds = (name: string): Row => ({
    ...{ name, times: of(name), figure: of(name).median, unit: "s" },
  });
  const memory = (name: string): Row => ({
    ...{ name: `${name}, at its peak`, figure: of(name).max, unit: "MB", limit: limits.memory },
  });
  const ratio = of(names.caughtUp).median / of(names.pages).median;
  return [
    ...answers(names.bare),
    ...answers(names.hook, limits.answer),
    seconds(names.after),
    memory("memory under load"),
    seconds(names.pages),
    { name: names.caughtUp, times: of(names.caughtUp), figure: ratio, unit: "x" },
    { name: "and its requests", figure: of("requests").median, unit: "" },
    memory("memory after an absence"),
  ];
}

const secrets = { forgeToken: "token", droneToken: "token", webhookKey: key };

const recipes = Array.from({ length: 20 }, (_, index) => ({
  ...{ recipe: `recipe-${index}`, repository: `recipes/recipe-${index}` },
}));

function settingsOf(forge: string, mode: BridgeSettings["mode"]): BridgeSettings {
  return {
    ...{ version: 1, listen: { port: 0, metricsPort: 0 }, mode },
    forge: { server: forge, organisation: "recipes", team: null, only: [], ignore: [] },
    ...{ recipes, forks: "with-commit" },
    drone: {
      ...{ server: forge, repository: "ci/cc-ci", branch: "main" },
      ...{ answerSeconds: 120, lookSeconds: 10 },
    },
    ...{ dashboard: null, isLogPublic: true, pollSeconds: 15, sweepSeconds: 900 },
    limits: { perPersonAndHour: 1000, perPullAndHour: 1000, waiting: 1000 },
    ...{ buildSeconds: 600, queueSeconds: 600 },
  };
}

async function withForge(work: (url: string) => Promise<void>): Promise<void> {
  const file = join(import.meta.dirname, "fake-forge.ts");
  const forge = new Background([process.execPath, file], { env: {} });
  try {
    const port = await until("the forge's port", 20, async () => {
      const found = /^\d+$/m.exec(forge.printed)?.[0];
      return found;
    });
    await work(`http://127.0.0.1:${port}`);
  } finally {
    await forge.stop("SIGKILL");
  }
}

const askedSchema = z.object({
  ...{ requests: z.int(), first: z.number(), lastPost: z.number(), posts: z.int() },
});

async function control(
  forge: string,
  change?: { readonly comments: number; readonly at: string },
): Promise<z.infer<typeof askedSchema>> {
  const posted = { method: "POST", body: JSON.stringify(change) };
  const answer = await fetch(`${forge}/control`, change === undefined ? {} : posted);
  return askedSchema.parse(await answer.json());
}

function judgedBy(bridge: BridgeProcess): number | undefined {
  const sql = "SELECT count(*) AS value FROM commands WHERE judged_at IS NOT NULL";
  return numberIn(bridge, sql);
}

function numberIn(bridge: BridgeProcess, sql: string): number | undefined {
  using database = new DatabaseSync(bridge.at(bridgePlaces.database), { readOnly: true });
  const row = database.prepare(sql).get();
  return row === undefined ? undefined : z.object({ value: z.int() }).parse(row).value;
}

/** The most memory that a process ever had, in MB. */
function peakOf(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}
