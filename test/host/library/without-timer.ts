import type { Configuration } from "../system/system.ts";

/** The configuration without the timer, whose runs would come in between, or be what helped. */
export function withoutTimer(app: Configuration["app"]): Configuration {
  return {
    app,
    modules: ["{ lib, ... }: { systemd.timers.cc-ci-reconcile.wantedBy = lib.mkForce [ ]; }"],
  };
}
