import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { app } from "../../docs/example/host.ts";
import { evaluate } from "../nix/evaluate.ts";
import { modulesIn, writeTree } from "../nix/everything.ts";
import { synthesized } from "../synthesized.ts";
import { requireTool } from "../tools.ts";

let scratch = "";

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "cc-ci-terraform-"));
  await writeTree(scratch, app);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The part of a Terraform configuration that is looked at here. */
interface Configuration {
  readonly resource: {
    readonly null_resource: Readonly<
      Record<string, { readonly depends_on?: readonly string[]; readonly triggers: object }>
    >;
  };
}

async function configuration(): Promise<Configuration> {
  const file = (await synthesized(app)).get("out/cc-ci/cdk.tf.json");
  return JSON.parse(file?.content ?? "") as Configuration;
}

test("depends_on is the order between modules that systemd reads", async (context) => {
  requireTool(context, "nix-instantiate");
  // given the text of every unit of the example host, and the module that each stands in
  const { units } = await evaluate(modulesIn(scratch));
  const text = (name: string): string => units[name]?.text ?? "";
  const moduleOf = new Map(
    app.hosts[0]?.units.map(({ fullName, module }) => [fullName, module.name]),
  );
  const services = Object.keys(units).filter((name) => name.endsWith(".service"));
  const isService = (name: string): boolean => services.includes(name);
  const named = (name: string, keys: string): readonly string[] =>
    [...text(name).matchAll(new RegExp(`^(?:${keys})=(.*)$`, "gm"))].flatMap(
      (match) => match[1]?.split(" ") ?? [],
    );
  const expected = new Set(
    services
      .flatMap((name) => [
        ...named(name, "After|Requires|Wants").map((other) => [name, other] as const),
        ...named(name, "Before").map((other) => [other, name] as const),
      ])
      .filter((ends) => ends.every(isService))
      .map(([from, to]) => [moduleOf.get(from), moduleOf.get(to)] as const)
      .filter(([from, to]) => from !== undefined && to !== undefined && from !== to)
      .map(([from, to]) => `${from} → ${to}`),
  );
  // when its Terraform view is read
  const resources = Object.entries((await configuration()).resource.null_resource);
  const seen = new Set(
    resources.flatMap(([from, { depends_on: needs = [] }]) =>
      needs.map((to) => `${from} → ${to.replace("null_resource.", "")}`),
    ),
  );
  // then it says the same
  expect(seen).toEqual(expected);
  expect(seen).toContain("traefik → network-proxy");
  expect(seen).toContain("app-wiki → traefik");
});

test("each module is a resource whose trigger is a digest", async () => {
  const { null_resource: resources } = (await configuration()).resource;
  expect(Object.keys(resources).sort()).toEqual(
    app.hosts[0]?.modules.map(({ name }) => name).sort(),
  );
  for (const { triggers } of Object.values(resources)) {
    expect(triggers).toEqual({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  }
});

test("no absolute path and no version of cdktf is in the configuration", async () => {
  const text = JSON.stringify(await configuration());
  expect(text).not.toContain(process.cwd());
  expect(text).not.toContain("0.21.0");
});
