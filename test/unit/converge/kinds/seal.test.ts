import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Desired,
  desiredDigest,
  sealedLabels,
  sealLabel,
  specDigest,
  whyUnsealed,
} from "../../../../services/converge/kinds/stack/seal.ts";
import { sealed, serviceOf } from "./stack-parts.ts";

const env = "# Generated from 'a'\nTYPE=web:1.0.0\nDOMAIN=a.b\nTIMEOUT=300\n";
const desired: Desired = {
  resource: {
    ...{ stack: "a_b", domain: "a.b", recipe: "web", chaos: false },
    composeFiles: ["compose.yml", "compose.host.yml"],
  },
  ...{ version: "1.0.0+2.0.0", commit: "0".repeat(40), overlay: [], env },
};
const digest = desiredDigest(desired);

describe("the digest of what is wanted", () => {
  test.for<[string, Partial<Desired>]>([
    ["stack", { resource: { ...desired.resource, stack: "b_b" } }],
    ["recipe", { resource: { ...desired.resource, recipe: "blog" } }],
    ["way of deploying", { resource: { ...desired.resource, chaos: true } }],
    ["files", { resource: { ...desired.resource, composeFiles: ["compose.yml"] } }],
    [
      "order of files",
      { resource: { ...desired.resource, composeFiles: ["compose.host.yml", "compose.yml"] } },
    ],
    ["version", { version: "1.0.1+2.0.0" }],
    ["commit", { commit: "1".repeat(40) }],
    ["overlay", { overlay: [{ file: "compose.ccci.yml", text: "services: {}\n" }] }],
    ["a variable", { env: env.replace("300", "600") }],
    ["a variable more", { env: `${env}X=\n` }],
  ])("is another with another %s", ([, parts]) => {
    expect(desiredDigest({ ...desired, ...parts })).not.toBe(digest);
  });

  test.for<[string, string]>([
    ["comment", env.replace("'a'", "'b'")],
    ["TYPE line", env.replace("web:1.0.0", "web:0.9.0")],
    ["order", "TIMEOUT=300\nDOMAIN=a.b\n"],
    ["quoting", env.replace("300", "'300'")],
  ])("is the same with another %s of the .env", ([, other]) => {
    expect(desiredDigest({ ...desired, env: other })).toBe(digest);
  });
});

describe("a seal", () => {
  const service = serviceOf();

  test("fits as long as nothing changed", () => {
    expect(whyUnsealed(digest, sealed(digest, service))).toBeUndefined();
    expect(sealedLabels(digest, service)[sealLabel]).toMatch(/^[0-9a-f]{32}\.[0-9a-f]{32}$/);
  });

  test("is gone after a deploy, and of no use to another one", () => {
    expect(whyUnsealed(digest, service)).toBe("was deployed and not yet seen to work");
    const other = sealed("f".repeat(32), service);
    expect(whyUnsealed(digest, other)).toBe("was deployed from other files or settings");
  });

  test("shows every change by hand", () => {
    const { Labels, ...spec } = sealed(digest, service).Spec;
    const changed = [
      { ...spec, Labels: { ...Labels, a: "b" } },
      { ...spec, Labels, Mode: { Replicated: { Replicas: 0 } } },
      { ...spec, Labels, TaskTemplate: { ...spec.TaskTemplate, ForceUpdate: 1 } },
      { ...spec, Labels, UpdateConfig: { Order: "start-first" } },
    ];
    for (const Spec of changed) {
      expect(whyUnsealed(digest, { ...service, Spec })).toBe("was changed by hand");
    }
  });

  test("is the same whatever Docker says of what is empty, in whatever order", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), value), (members) => {
        const turned = Object.fromEntries(Object.entries(members).reverse());
        const { Labels, ...spec } = service.Spec;
        const one = { ...service, Spec: { ...spec, Labels, Extra: members } };
        const empty = { a: [], b: null, c: "", d: {}, e: 0, f: false };
        const two = { ...service, Spec: { Extra: turned, ...empty, ...spec, Labels } };
        expect(specDigest(two)).toBe(specDigest(one));
      }),
    );
  });
});
