import type { Configuration } from "../system/system.ts";

/**
 * The configuration without the timer, whose runs would come in between, or be what helped.
 *
 * @param more names of further timers that it has, to be left out too
 */
export function withoutTimer(
  app: Configuration["app"],
  more: readonly string[] = [],
): Configuration {
  return {
    app,
    modules: ["cc-ci-reconcile", ...more].map(
      (name) => `{ lib, ... }: { systemd.timers.${name}.wantedBy = lib.mkForce [ ]; }`,
    ),
  };
}
