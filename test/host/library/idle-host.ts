import { rmSync } from "node:fs";
import { join } from "node:path";
import type { HostOptions } from "../host.ts";
import type { Configuration } from "../system/system.ts";

/** What boots a host where Docker starts only once somebody asks it for something. */
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
