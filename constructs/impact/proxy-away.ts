import type { ResourceOf } from "../../services/converge/desired-state.ts";
import { shutdownSeconds } from "../swarm/docker-engine.ts";
import type { Reasoned } from "./reasoned.ts";
import type { HostSnapshot } from "./snapshot.ts";

/** How long nothing is served at the most, and why. */
export interface ProxyAway {
  readonly seconds: number | "for good" | "unknown";
  readonly reason: string;
}

/** How long Docker waits for a container to stop, in seconds; a recipe may set a longer grace. */
const stopSeconds = 10;

/** The piece that serves everything else. */
const proxyPiece = "traefik";

/**
 * An upper bound for the time without a proxy at the next switch. After a longer time its unit has
 * failed and says why; it is a bound, and a redeploy takes some 20 s as a rule.
 */
export function proxyAway(change: {
  readonly before: HostSnapshot;
  readonly after: HostSnapshot;
  readonly restarts: readonly Reasoned[];
  readonly redeploys: readonly Reasoned[];
  /** Pieces that do not run. */
  readonly blocked: readonly Reasoned[];
}): ProxyAway {
  const [old, wanted] = [stackOf(change.before), stackOf(change.after)];
  if (old === undefined && change.before.unreadable.length > 0) {
    return { seconds: "unknown", reason: "the earlier desired state cannot be read" };
  }
  if (old === undefined) return { seconds: 0, reason: "there was no proxy before" };
  if (wanted === undefined)
    return { seconds: "for good", reason: "the proxy leaves the configuration" };
  const start = wanted.deploySeconds;
  const parts: { readonly seconds: number; readonly reason: string }[] = [];
  if (change.restarts.some(({ name }) => name === "docker.service")) {
    parts.push({
      seconds: shutdownSeconds + start,
      reason: `Docker restarts: ${shutdownSeconds} s for its containers to stop, ${start} s for Traefik to start`,
    });
  }
  const waits = change.blocked.find(({ name }) => name === proxyPiece);
  if (old.stack !== wanted.stack && waits === undefined) {
    parts.push({
      seconds: stopSeconds + start,
      reason: `Traefik moves to another stack: ${stopSeconds} s for the old one to stop, ${start} s for the new one to start`,
    });
  } else if (change.redeploys.some(({ name }) => name === wanted.stack)) {
    parts.push({
      seconds: stopSeconds + start,
      reason: `Traefik is deployed again: ${stopSeconds} s for the old one to stop, ${start} s for the new one to start`,
    });
  }
  if (parts.length === 0 && waits !== undefined) {
    return {
      seconds: 0,
      reason: `what runs goes on, since ${proxyPiece} ${waits.reasons.join("; ")}; the steps of the runbook then take it away for a while`,
    };
  }
  if (parts.length === 0) return { seconds: 0, reason: "neither Traefik nor Docker restarts" };
  return {
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    reason: parts.map(({ reason }) => reason).join("; "),
  };
}

function stackOf(host: HostSnapshot): ResourceOf<"stack"> | undefined {
  return host.pieces.get(proxyPiece)?.state.resources.find((resource) => resource.kind === "stack");
}
