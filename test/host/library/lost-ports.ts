import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import * as z from "zod";
import type { Host } from "../host.ts";
import { until } from "../machine/processes.ts";

const containersSchema = z.array(
  z.object({
    Id: z.string(),
    Ports: z.array(z.object({ PublicPort: z.number().optional() })).nullable(),
  }),
);

const tasksSchema = z.array(
  z.object({ Status: z.object({ Timestamp: z.string(), Err: z.string().default("") }) }),
);

/**
 * Cuts the power and leaves on the disk what Docker leaves there when that happens just as the container
 * starts that has a port of the host: the port is given away, and it is not yet written down to whom. The
 * daemon that starts next gives it to nobody for as long as it runs.
 *
 * @returns once it has refused the port to a task
 */
export async function losePort(host: Host, port: number): Promise<void> {
  const containers = containersSchema.parse(await host.docker.get("/containers/json"));
  const holder = containers.find(({ Ports }) =>
    Ports?.some(({ PublicPort }) => PublicPort === port),
  );
  await host.machine.powerCut();
  forgetEndpoints(join(host.machine.folder, "docker/network/files/local-kv.db"), holder?.Id);
  const since = new Date().toISOString();
  await host.machine.boot();
  await host.waitForDocker();
  const words = `:${port} failed: port is already allocated`;
  await until(`a task that does not get port ${port}`, 60, async () => {
    const tasks = tasksSchema.parse(await host.docker.get("/tasks"));
    return tasks.some(({ Status }) => Status.Timestamp > since && Status.Err.includes(words))
      ? true
      : undefined;
  });
}

/** In place and of the same length, because it is a database. */
function forgetEndpoints(file: string, container: string | undefined): void {
  const sandbox = new RegExp(`("Cid":"${container}","Eps":)(\\[[^\\]]*\\])`, "g");
  const before = readFileSync(file, "latin1");
  const after = before.replace(sandbox, (_, head: string, endpoints: string) => {
    return head + "[]".padEnd(endpoints.length);
  });
  expect(after, "what Docker has written down of the container").not.toBe(before);
  writeFileSync(file, after, "latin1");
}
