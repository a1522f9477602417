import { describe } from "vitest";
import { sharedDrone, withoutPaths } from "../library/shared-drone.ts";
import { passwords } from "./drone/passwords.ts";
import { token } from "./drone/token.ts";

// The last case leaves it to another OAuth client.
describe("a host with Drone", { timeout: 600_000 }, () => {
  const shared = sharedDrone({}, withoutPaths);

  token(shared);
  passwords(shared);
});
