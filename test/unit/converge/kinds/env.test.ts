import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Files } from "../../../../services/converge/adapters/files.ts";
import { Slots } from "../../../../services/converge/engine/slots.ts";
import {
  desiredEnv,
  envSteps,
  typeLineOf,
  withoutType,
} from "../../../../services/converge/kinds/env.ts";
import { contextOf } from "../fake-context.ts";

const template = "# x\nTYPE=web:@slot:version@\nDOMAIN=a.b\nSECRET_A_VERSION=@slot:secret@\n";
const filled = "# x\nTYPE=web:1.0.0\nDOMAIN=a.b\nSECRET_A_VERSION=0123\n";
/** As an abra that sorts the file would leave it. */
const reordered = "DOMAIN=a.b\nSECRET_A_VERSION=0123\nTYPE=web:1.0.0\n";

function scene(actual: string | undefined, values: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "cc-ci-env-"));
  const path = join(folder, "servers/default/a.b.env");
  const source = join(folder, "source.env");
  writeFileSync(source, template);
  const slots = new Slots({ "env-file": source, ...values });
  const context = contextOf({ world: { files: new Files() }, slots });
  const resource = { kind: "env", path, content: { slot: "env-file" } } as const;
  return {
    ...{ path, source, context, resource, steps: envSteps(resource, context) },
    put: async () => actual !== undefined && (await new Files().write(path, actual)),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

const known = { version: "1.0.0", secret: "0123" };

describe("the .env of an app", () => {
  test.for<[string, string | undefined, Readonly<Record<string, string>>, string | undefined]>([
    ["absent", undefined, known, "there is no such file"],
    ["right", filled, known, undefined],
    ["of another version", filled.replace("1.0.0", "0.9.0"), known, undefined],
    ["without a version", filled.replace("TYPE=web:1.0.0\n", ""), known, undefined],
    ["edited", filled.replace("a.b", "c.d"), known, "it differs in DOMAIN"],
    ["longer", `${filled}MORE=1\n`, known, "it differs in MORE"],
    ["otherwise commented", filled.replace("# x", "# y"), known, undefined],
    ["in another order, without comments", reordered, known, undefined],
    ["quoted otherwise", filled.replace("DOMAIN=a.b", 'DOMAIN="a.b"'), known, undefined],
    ["of an older secret", filled.replace("0123", "4567"), known, "it differs in SECRET_A_VERSION"],
    ["right, its version unknown", filled, { secret: "0123" }, undefined],
    ["right, a secret unknown", filled, { version: "1.0.0" }, "it names what is yet to be made"],
  ])("when %s", async ([, actual, values, why]) => {
    using it = scene(actual, values);
    await it.put();
    const calls = await it.steps.plan();
    expect(calls.map(({ verb, target, why }) => [verb, target, why])).toEqual(
      why === undefined ? [] : [["env write", it.path, why]],
    );
  });

  test("is written whole, and then there is nothing to do", async () => {
    using it = scene("OTHER=1\n", known);
    await it.put();
    for (const call of await it.steps.plan()) await call.perform();
    expect(readFileSync(it.path, "utf8")).toBe(filled);
    expect(await it.steps.plan()).toEqual([]);
  });

  test("is not written with a hole in it", async () => {
    using it = scene(undefined, { version: "1.0.0" });
    const [call] = await it.steps.plan();
    await expect(call?.perform()).rejects.toThrow(/nothing fills the slot 'secret'/);
    expect(await desiredEnv(it.resource, it.context)).toBeUndefined();
  });

  test("is not made from what is not there", async () => {
    using it = scene(undefined, known);
    rmSync(it.source);
    await expect(it.steps.plan()).rejects.toThrow(/source\.env, which the \.env .* is made from/);
  });
});

test("the line that abra rewrites is told from all others", () => {
  expect(withoutType("A=1\nTYPE=a:1\nTYPES=2\nB=TYPE=3")).toBe("A=1\nTYPES=2\nB=TYPE=3");
  expect(withoutType("A=1\nTYPE=a:1")).toBe("A=1\n");
  expect(typeLineOf("A=1\nTYPE=a:1\nB=2")).toBe("TYPE=a:1");
  expect(typeLineOf("A=1")).toBe("");
});
