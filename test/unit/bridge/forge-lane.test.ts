import { expect, test } from "vitest";
import type { Bridge } from "../../../services/bridge/pipeline/bridge.ts";
import { ForgeLane } from "../../../services/bridge/pipeline/forge-lane.ts";

test("nothing is begun while the forge wants its peace, nor is anything noted as tried", async () => {
  // given: whatever else of the bridge is used is not there
  const bridge = { forge: { quietMilliseconds: 5000 }, now: () => 1000 } as unknown as Bridge;
  // when
  const next = await new ForgeLane(bridge).turn();
  // then
  expect(next).toBe(6000);
});
