import { describe } from "vitest";
import { sharedDrone } from "../library/shared-drone.ts";
import { passwords } from "./drone/passwords.ts";
import { switches } from "./drone/switches.ts";
import { token } from "./drone/token.ts";

// One host, for its first boot takes longer than many a case. The last one leaves it to another OAuth client.
describe("a host with Drone", { timeout: 600_000 }, () => {
  const shared = sharedDrone();

  switches(shared);
  token(shared);
  passwords(shared);
});
