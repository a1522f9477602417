import { styleText } from "node:util";
import { Journal } from "../adapters/journal.ts";
import { Systemd } from "../adapters/systemd.ts";
import { defineLines } from "../engine/line.ts";
import { choosePieces, mustBeRoot } from "./pieces.ts";
import { statusCommand } from "./status.ts";
import { realWorld } from "./world.ts";

export const runLines = defineLines({
  "not-started": {
    as: "failed",
    says: "not everything was started, and the states above are those of an earlier run: systemd says: {problem}",
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
  const show = async () => {
    for (const { unit, message } of await journal.next()) {
      console.log(`${styleText("bold", nameOf.get(unit) ?? unit)}: ${message}`);
    }
  };
  let isRunning = true;
  const run = new Systemd().start(chosen.map(({ unit }) => unit)).finally(() => {
    isRunning = false;
  });
  while (isRunning) {
    await Promise.race([run, clock.sleep(lookSeconds)]);
    await show();
  }
  const against = await run;
  await journal.sync();
  await show();
  const status = await statusCommand(name, false);
  // A unit that was not even started has nothing new to say of itself.
  if (against === "" || status !== 0) return status;
  throw runLines.stop("not-started", { problem: against });
}
