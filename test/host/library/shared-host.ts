import { afterAll, beforeAll, beforeEach } from "vitest";
import { requireHosts, whatHostsLack } from "../../tools.ts";
import { bootHost, type Host, type HostOptions } from "../host.ts";

/** Booting, and waiting for a place to do so, in milliseconds. */
const bootLimit = 900_000;

/**
 * One host for all cases of a `describe`, each of which leaves it as it should be. Where there can be
 * no host the cases are skipped with what is missing, and fail in CI.
 *
 * @returns what a case calls to get it
 */
export function sharedHost(
  options: HostOptions | (() => HostOptions | Promise<HostOptions>) = {},
  prepare: (host: Host) => Promise<void> = async () => undefined,
): () => Host {
  let host: Host | undefined;
  beforeCases(async () => {
    host = await bootHost(typeof options === "function" ? await options() : options);
    await prepare(host);
  });
  beforeEach((context) => requireHosts(context));
  afterAll(async () => await host?.[Symbol.asyncDispose]());
  return () => {
    if (host === undefined) throw new Error("the host did not boot");
    return host;
  };
}

/** Done once before the cases of a `describe`, and not at all where there can be no host: they are skipped then. */
export function beforeCases(work: () => void | Promise<void>): void {
  beforeAll(async () => {
    if (whatHostsLack() === undefined) await work();
  }, bootLimit);
}
