import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { findTool } from "../tools.ts";

/** One thing that could be taken from a unit, as systemd-analyze knows it. */
const findingSchema = z.object({
  name: z.string(),
  /** What it adds, in the same measure as the whole; null where it has nothing to say. */
  exposure: z.coerce.number().nullable(),
});

/** What systemd thinks of the text of a service: from 0, shut off from everything, to 10. */
export interface Exposure {
  readonly overall: number;
  /** What adds to it. */
  readonly open: readonly string[];
}

/**
 * Asks `systemd-analyze security` about a service by its text alone.
 *
 * @throws {Error} when systemd-analyze is missing
 */
export async function exposureOf(text: string): Promise<Exposure> {
  const program = findTool("systemd-analyze");
  if (program === undefined) throw new Error("needs systemd-analyze: run 'npm run setup'");
  const scratch = await mkdtemp(join(tmpdir(), "cc-ci-security-"));
  try {
    const file = join(scratch, "asked.service");
    await writeFile(file, text.replaceAll(/\/nix\/store\/\S+/g, "/bin/true"));
    const ask = async (...flags: readonly string[]) => {
      const args = ["security", "--offline=yes", "--no-pager", ...flags, file];
      const env = { PATH: process.env.PATH, LC_ALL: "C.UTF-8", SYSTEMD_COLORS: "0" };
      return (await promisify(execFile)(program, args, { env, timeout: 60_000 })).stdout;
    };
    const words = await ask();
    const overall = /Overall exposure level for \S+: ([\d.]+)/.exec(words)?.[1];
    if (overall === undefined) throw new Error(`systemd-analyze said no number:\n${words}`);
    const findings = z.array(findingSchema).parse(JSON.parse(await ask("--json=short")));
    const open = findings.filter(({ exposure }) => exposure !== null && exposure > 0);
    return { overall: Number(overall), open: open.map(({ name }) => name) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
