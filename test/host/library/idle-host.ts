import { rmSync } from "node:fs";
import { join } from "node:path";
import type { HostOptions } from "../host.ts";
import type { Configuration } from "../system/system.ts";
import { withoutTimer } from "./without-timer.ts";

/**
 * The configuration without any piece that starts by itself. For what needs no piece: each boot and each switch
 * would bring all of them up.
 */
export function withoutPieces(app: Configuration["app"]): Configuration {
  const { modules = [] } = withoutTimer(app);
  const none = "{ lib, ... }: { systemd.targets.cc-ci.wantedBy = lib.mkForce [ ]; }";
  return { app, modules: [...modules, none] };
}

/** What boots a host of that configuration, where Docker starts only once somebody asks it for something. */
export function idleHost(configuration: Configuration): HostOptions {
  const wants = "etc/systemd/system/multi-user.target.wants";
  return {
    configuration,
    withoutDocker: true,
    prepare: (root) => {
      for (const name of ["docker", "containerd"]) rmSync(join(root, wants, `${name}.service`));
    },
  };
}
