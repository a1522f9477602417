import * as z from "zod";
import type { Files } from "../adapters/files.ts";
import {
  type DesiredState,
  desiredStateSchema,
  type PieceList,
  pieceListSchema,
} from "../desired-state.ts";
import { defineLines, oneLine } from "./line.ts";

/** Where the host's configuration puts the list of its pieces. */
const installedPieces = "/etc/cc-ci/pieces.json";

export const installedLines = defineLines({
  "generated-unreadable": {
    as: "failed",
    says: "{path}: {problem}: it is a generated file: run 'npm run synth', commit out/ and switch again",
  },
});

/** @throws {Stop} when the file is missing or no desired state of this version */
export async function readDesired(files: Files, path: string): Promise<DesiredState> {
  return await readGenerated(files, path, desiredStateSchema);
}

/** @throws {Stop} when the file is missing or no list of pieces of this version */
export async function readPieces(files: Files, path = installedPieces): Promise<PieceList> {
  return await readGenerated(files, path, pieceListSchema);
}

async function readGenerated<Schema extends z.ZodType>(
  files: Files,
  path: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const unreadable = (problem: string) =>
    installedLines.stop("generated-unreadable", { path, problem });
  const text = await files.read(path);
  if (text === undefined) throw unreadable("there is no such file");
  let value: unknown;
  try {
    value = JSON.parse(text.toString("utf8"));
  } catch {
    throw unreadable("it is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw unreadable(oneLine(z.prettifyError(parsed.error)));
  return parsed.data;
}
