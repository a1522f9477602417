import { styleText } from "node:util";
import { Journal, JournalFailure } from "../adapters/journal.ts";
import { Systemd } from "../adapters/systemd.ts";
import { defineLines } from "../engine/line.ts";
import { consoleReport, type Report } from "../engine/report.ts";
import { choosePieces, mustBeRoot } from "./pieces.ts";
import { statusCommand } from "./status.ts";
import { realWorld } from "./world.ts";

export const runLines = defineLines({
  "not-started": {
    as: "failed",
    says: "not everything was started, and the states above are those of an earlier run: systemd says: {problem}",
  },
  "journal-unread": {
    as: "warning",
    says: "what the pieces say cannot be shown now ({problem}): they run on, and 'converge status' has where they stand",
  },
});

/** Between two looks into the journal, in seconds. */
const lookSeconds = 0.5;

/**
 * `converge run [piece]`: starts the unit of a piece, with those that it needs, or all of them; shows what
 * they say while they run, and then where they stand. Who ends it ends no unit.
 *
 * @returns as `converge status` does
 */
export async function runCommand(name: string | undefined): Promise<number> {
  mustBeRoot();
  const { files, clock } = realWorld();
  const { all, chosen } = await choosePieces(files, name);
  const nameOf = new Map(all.map((piece) => [piece.unit, piece.name]));
  const journal = new Journal([...nameOf.keys()], clock.now());
  const report = consoleReport();
  const show = () =>
    unlessUnread(report, async () => {
      for (const { unit, message } of await journal.next()) {
        console.log(`${styleText("bold", nameOf.get(unit) ?? unit)}: ${message}`);
      }
    });
  let isRunning = true;
  const run = new Systemd().start(chosen.map(({ unit }) => unit)).finally(() => {
    isRunning = false;
  });
  while (isRunning) {
    await Promise.race([run, clock.sleep(lookSeconds)]);
    await show();
  }
  const against = await run;
  await unlessUnread(report, () => journal.sync());
  await show();
  const status = await statusCommand(name, false);
  // A unit that was not even started has nothing new to say of itself.
  if (against === "" || status !== 0) return status;
  throw runLines.stop("not-started", { problem: against });
}

/** What is shown is for eyes alone: without it the pieces run on, and the next look shows it. */
export async function unlessUnread(report: Report, look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof JournalFailure)) throw error;
    report.warning(runLines.warning("journal-unread", { problem: error.message }));
  }
}
