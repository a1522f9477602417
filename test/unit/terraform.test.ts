import { expect, test } from "vitest";
import { app } from "../../docs/example/host.ts";
import { synthesized } from "../synthesized.ts";

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

test("depends_on is the unit graph between modules", async () => {
  // given the example host and its unit graph
  const [host] = app.hosts;
  const moduleOf = new Map(host?.units.map(({ fullName, module }) => [fullName, module.name]));
  const expected = new Set(
    host
      ?.graph()
      .edges.map(({ from, to }) => [moduleOf.get(from), moduleOf.get(to)] as const)
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
