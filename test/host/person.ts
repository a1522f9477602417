import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import type { TestAuthority } from "./certificates.ts";
import type { Machine } from "./machine/machine.ts";
import { desiredStates, type InstalledSystem, installed, type System } from "./system/system.ts";

/** Makes up every file that the operator of this system would have put in place. */
export function fillOperatorFiles(root: string, system: System, authority: TestAuthority): void {
  const put = (path: string, content: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: 0o600 });
  };
  for (const resource of desiredStates(system).flatMap(({ resources }) => resources)) {
    if (resource.kind !== "host-file" || resource.origin.by !== "operator") continue;
    const { demand, path } = resource;
    if (demand.format === "certificate-chain") {
      const pair = authority.pair({ names: demand.covers });
      put(path, pair.certificate);
      put(demand.keyFile, pair.key);
    } else if (demand.format === "docker-config") put(path, '{ "auths": {} }\n');
    else if (demand.format === "opaque") put(path, randomBytes(demand.minBytes).toString("hex"));
  }
}

const systemSchema = z.object({
  units: z.record(
    z.string(),
    z.object({ text: z.string(), wantedBy: z.array(z.string()), requiredBy: z.array(z.string()) }),
  ),
  paths: z.array(z.string()),
});

function fileOf(machine: Machine): string {
  return join(machine.folder, "system.json");
}

/** Keeps beside the machine what it was given, for the next switch. */
export function rememberSystem(machine: Machine, system: System): void {
  writeFileSync(fileOf(machine), JSON.stringify(installed(system)));
}

export function rememberedSystem(machine: Machine): InstalledSystem {
  return systemSchema.parse(JSON.parse(readFileSync(fileOf(machine), "utf8")));
}
