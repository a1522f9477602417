import { expect, test } from "vitest";
import { isSigned } from "../../../services/bridge/listen/signature.ts";
import { hookKey, previousHookKey, signed } from "./delivery.ts";

test.for<readonly [string, string, readonly string[], boolean]>([
  ["by its key", signed("abc"), [hookKey], true],
  ["by the second of two keys", signed("abc"), [previousHookKey, hookKey], true],
  ["by another key", signed("abc"), [previousHookKey], false],
  ["where there is no key", signed("abc"), [], false],
  ["with a line break at its end", `${signed("abc")}\n`, [hookKey], false],
  ["with a blank before it", ` ${signed("abc")}`, [hookKey], false],
  ["with nothing", "", [hookKey], false],
])("bytes are signed or not %s", ([, signature, keys, expected]) => {
  expect(isSigned(Buffer.from("abc"), signature, keys)).toBe(expected);
});
