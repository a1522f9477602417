import type { Configuration } from "../system/system.ts";
import { withoutTimer } from "./without-timer.ts";

/**
 * The configuration without any piece that starts by itself: a case starts what it is about, or needs none, which
 * each boot and each switch would bring up otherwise.
 */
export function withoutPieces(
  app: Configuration["app"],
): Configuration & { readonly modules: readonly string[] } {
  const { modules = [] } = withoutTimer(app);
  const none = "{ lib, ... }: { systemd.targets.cc-ci.wantedBy = lib.mkForce [ ]; }";
  return { app, modules: [...modules, none] };
}
