import type { LineShape } from "../../../services/lib/line.ts";
import { clientLines } from "../../../services/run/client.ts";
import { askLines } from "../../../services/run/commands/ask.ts";
import { drainLines } from "../../../services/run/commands/drain.ts";
import { endLines } from "../../../services/run/commands/end.ts";
import { listLines } from "../../../services/run/commands/list.ts";
import { maySwitchLines } from "../../../services/run/commands/may-switch.ts";
import { serveLines } from "../../../services/run/commands/serve.ts";
import { sweepLines } from "../../../services/run/commands/sweep.ts";
import { defectLines } from "../../../services/run/defect.ts";
import { instanceLines } from "../../../services/run/instance.ts";

/** The lines of each file below services/run that declares some, by the path of the file. */
export const runCatalogue: Readonly<Record<string, Readonly<Record<string, LineShape>>>> = {
  "client.ts": clientLines.shapes,
  "commands/ask.ts": askLines.shapes,
  "commands/drain.ts": drainLines.shapes,
  "commands/end.ts": endLines.shapes,
  "commands/list.ts": listLines.shapes,
  "commands/may-switch.ts": maySwitchLines.shapes,
  "commands/serve.ts": serveLines.shapes,
  "commands/sweep.ts": sweepLines.shapes,
  "defect.ts": defectLines.shapes,
  "instance.ts": instanceLines.shapes,
};
