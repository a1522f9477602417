import { afterAll, expect } from "vitest";
import type { Host, HostOptions } from "../host.ts";
import { sharedHost } from "./shared-host.ts";
import { Witnesses } from "./witnesses.ts";

/**
 * One host for all cases of a `describe`, that has converged before the first of them, and has
 * witnesses: things of others, which nobody has touched after the last.
 *
 * @param restarted whether the cases start Docker anew
 */
export function witnessedHost(options: HostOptions, { restarted = false } = {}): () => Host {
  let witnesses: Witnesses | undefined;
  const shared = sharedHost(options, async (host) => {
    await host.settle();
    witnesses = await Witnesses.put(host);
  });
  // Runs before the one that removes the host: the later is the first.
  afterAll(async () => expect((await witnesses?.touched({ restarted })) ?? []).toEqual([]));
  return shared;
}
