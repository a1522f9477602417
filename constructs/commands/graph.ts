import { userError } from "../core/errors.ts";
import { elsewhere } from "../elsewhere.ts";
import type { CommandContext } from "./options.ts";
import { loadProject } from "./project.ts";

/** `graph`: prints the unit graph of a host, as synth writes it to docs/graph/. */
export async function graph(context: CommandContext): Promise<number> {
  const { app, files } = await loadProject(context, "again");
  const { host, svg } = context.options;
  const names = app.hosts.map(({ name }) => name);
  if (host !== undefined && !names.includes(host)) {
    throw userError("--host", `there is no host ${host}: choose one of ${names.join(", ")}`);
  }
  const [name, ...others] = host === undefined ? names : [host];
  if (name === undefined || others.length > 0) {
    throw userError(
      "graph",
      `there are several hosts: choose one with --host, of ${names.join(", ")}`,
    );
  }
  const path = svg ? elsewhere.graphPicture(name) : elsewhere.graphText(name);
  process.stdout.write(files.find((file) => file.path === path)?.content ?? "");
  return 0;
}
