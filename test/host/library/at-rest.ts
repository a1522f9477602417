import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import * as z from "zod";
import type { Host } from "../host.ts";
import { until } from "../machine/processes.ts";
import { everything, planOf, type Runs, runAll, statusOf } from "./as-planned.ts";

/**
 * Runs a shell script on the host, and waits until what it did has come to rest: Docker removes some
 * of what belongs to a service only seconds after it.
 */
export async function harm(host: Host, script: string): Promise<void> {
  await host.exec(["sh", "-ec", script], { timeoutSeconds: 120 });
  await quiet(host);
}

/** Waits until nothing of ours runs, and nothing changes any more by itself. @throws {Error} with what does */
export async function quiet(host: Host): Promise<void> {
  let before = "";
  let changes = "";
  const still = async () => {
    const busy = [...host.atWork()];
    if (await hasRemains(host)) busy.push("containers without a service");
    changes = busy.join("\n");
    // All that there is takes more looks than these.
    if (busy.length > 0) return undefined;
    const now = JSON.stringify(await everything(host), undefined, 1);
    const known = new Set(before.split("\n"));
    const isSame = now === before;
    changes = now
      .split("\n")
      .filter((line) => !known.has(line))
      .slice(0, 10)
      .join("\n");
    before = now;
    return isSame || undefined;
  };
  await until("a host that changes no more by itself", 120, still, 700).catch((error: unknown) => {
    throw new Error(`what changes: ${changes}`, { cause: error });
  });
}

const containersSchema = z.array(z.object({ Labels: z.record(z.string(), z.string()) }));
const servicesSchema = z.array(z.object({ ID: z.string() }));

/** Whether containers are still there whose service is gone: Docker removes them a while later. */
export async function hasRemains(host: Host): Promise<boolean> {
  const containers = containersSchema.parse(await host.docker.get("/containers/json?all=true"));
  const ids = containers.flatMap(({ Labels }) => Labels["com.docker.swarm.service.id"] ?? []);
  // A node that has left its swarm knows of no service.
  if (ids.length === 0 || !(await host.docker.isManager())) return false;
  const services = servicesSchema.parse(await host.docker.get("/services"));
  return ids.some((id) => services.every(({ ID }) => ID !== id));
}

/**
 * Waits until Docker has removed the containers of services that are gone, or has not in the time in which
 * it always does: those it leaves are converge's.
 */
export async function withoutRemains(host: Host): Promise<void> {
  const end = Date.now() + 15_000;
  while ((await hasRemains(host)) && Date.now() < end) await setTimeout(300);
}

/**
 * Shows that a host is as it should be: every piece has converged, and `plan` says of each that there
 * is nothing to do. That a run then does nothing is what `expectIdlePass` shows, once for many cases.
 */
export async function expectAtRest(host: Host): Promise<void> {
  await quiet(host);
  const [planned, status] = [await planOf(host), await statusOf(host)];
  for (const [piece, { calls, stop }] of Object.entries(planned)) {
    const { state, line } = status[piece] ?? {};
    expect({ piece, calls, stop, state, line }).toEqual({
      ...{ piece, calls: [], stop: null, state: "converged", line: null },
    });
  }
}

/** Shows that one more run of everything makes no call and no change. */
export async function expectIdlePass(host: Host): Promise<void> {
  await quiet(host);
  const since = Date.now();
  const before = await host.docker.versions();
  const runs = await runAll(host);
  for (const [piece, { calls, state, line }] of Object.entries(runs)) {
    expect({ piece, calls, state, line }).toEqual({
      ...{ piece, calls: [], state: "converged", line: null },
    });
  }
  expect(await host.docker.events(since)).toEqual([]);
  expect(await host.docker.versions()).toEqual(before);
}

/** The calls of all pieces, in the order of the pieces; those without any are left out. */
export function callsOf(runs: Runs): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(runs)
      .filter(([, { calls }]) => calls.length > 0)
      .map(([piece, { calls }]) => [piece, calls]),
  );
}

/** What stopped, by piece: `<state> <id of its line>`. */
export function stopsOf(runs: Runs): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(runs)
      .filter(([, { state }]) => state !== "converged")
      .map(([piece, { state, line }]) => [piece, `${state} ${line?.id ?? ""}`]),
  );
}
