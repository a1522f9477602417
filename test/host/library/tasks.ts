import * as z from "zod";
import type { Host } from "../host.ts";

const tasksSchema = z.array(
  z.object({
    ID: z.string(),
    Status: z.object({ State: z.string() }),
    ServiceID: z.string(),
  }),
);

const servicesSchema = z.array(
  z.object({
    ID: z.string(),
    Spec: z.object({ Labels: z.record(z.string(), z.string()).default({}) }),
  }),
);

/** Ids of the tasks that run, by stack: the same ids mean that nothing was started anew. */
export async function tasksOf(host: Host): Promise<Readonly<Record<string, readonly string[]>>> {
  const services = servicesSchema.parse(await host.docker.get("/services"));
  const tasks = tasksSchema.parse(await host.docker.get("/tasks"));
  const stacks: Record<string, string[]> = {};
  for (const { ID, Spec } of services) {
    const stack = Spec.Labels["com.docker.stack.namespace"] ?? "";
    const running = tasks.filter(
      (task) => task.ServiceID === ID && task.Status.State === "running",
    );
    stacks[stack] = [...(stacks[stack] ?? []), ...running.map((task) => task.ID)].sort();
  }
  return stacks;
}
