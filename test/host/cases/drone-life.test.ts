import { describe } from "vitest";
import { sharedDrone } from "../library/shared-drone.ts";
import { drift } from "./drone/drift.ts";
import { life } from "./drone/life.ts";
import { reach } from "./drone/reach.ts";

// One host for all that leave it as it was: its first boot takes longer than many a case.
describe("a host with Drone", { timeout: 600_000 }, () => {
  const shared = sharedDrone();

  life(shared);
  reach(shared);
  drift(shared);
});
