import { userError } from "../core/errors.ts";
import { elsewhere } from "../elsewhere.ts";
import type { CommandContext } from "./options.ts";
import { loadProject } from "./project.ts";

/** `graph`: prints the unit graph of each host, as synth writes it. */
export async function graph(context: CommandContext): Promise<number> {
  const { app, files } = await loadProject(context, "again");
  const { host, svg } = context.options;
  const names = app.hosts.map(({ name }) => name);
  if (host !== undefined && !names.includes(host)) {
    throw userError("--host", `there is no host ${host}: choose one of ${names.join(", ")}`);
  }
  for (const name of host === undefined ? names : [host]) {
    const path = svg ? elsewhere.graphPicture(name) : elsewhere.graphText(name);
    process.stdout.write(files.find((file) => file.path === path)?.content ?? "");
    process.stderr.write(`${path}: synth keeps it\n`);
  }
  return 0;
}
