import type { BridgeSettings } from "../../lib/bridge-settings.ts";

/** The page of a build, which its own `link` is not. */
export function pageOf({ drone }: BridgeSettings, build: number): string {
  return `${drone.server}/${drone.repository}/${build}`;
}
