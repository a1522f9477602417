import { describe } from "vitest";
import { putPassword, withEverything, withWebs } from "../library/web-app.ts";
import { witnessedHost } from "../library/witnessed-host.ts";
import { alone } from "./drift/alone.ts";
import { pairs } from "./drift/pairs.ts";

// One host: each case leaves it as it was.
describe("a host that drifted", { timeout: 900_000 }, () => {
  const shared = witnessedHost(
    {
      configuration: withWebs({ web: { keys: withEverything } }),
      prepare: (_root, host) => putPassword(host),
    },
    { restarted: true },
  );

  alone(shared);
  pairs(shared);
});
