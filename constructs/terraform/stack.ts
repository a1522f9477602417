import { NullProvider } from "@cdktf/provider-null/lib/provider/index.js";
import { Resource } from "@cdktf/provider-null/lib/resource/index.js";
import { LocalBackend, TerraformStack } from "cdktf";
import { RootConstruct } from "constructs";
import type { Json, JsonObject } from "../core/json.ts";

/** One module of a host as Terraform sees it. */
export interface TerraformModule {
  readonly name: string;
  /** Digest of all that the module is made of: when it changes, the resource is replaced. */
  readonly digest: string;
  /** Names of the modules whose units its own are ordered after. */
  readonly dependsOn: readonly string[];
}

/**
 * The modules of a host as a Terraform configuration: a null_resource each, with the unit graph as
 * `depends_on`. Made in memory below a plain root: cdktf's App makes a folder when it is constructed and
 * reads the environment, and its synth leaves stale stacks.
 */
export function terraformStack(host: string, modules: readonly TerraformModule[]): JsonObject {
  const stack = new TerraformStack(new RootConstruct(), host);
  // Without a backend cdktf writes the absolute path of the checkout.
  new LocalBackend(stack, { path: `terraform.${host}.tfstate` });
  new NullProvider(stack, "null");
  const resources = new Map(
    modules.map(({ name, digest }) => [name, new Resource(stack, name, { triggers: { digest } })]),
  );
  for (const { name, dependsOn } of modules) {
    const addresses = dependsOn.flatMap((other) => {
      const resource = resources.get(other);
      return resource === undefined
        ? []
        : [`${resource.terraformResourceType}.${resource.friendlyUniqueId}`];
    });
    const resource = resources.get(name);
    if (resource !== undefined && addresses.length > 0) resource.dependsOn = addresses.sort();
  }
  return withoutMetadata(JSON.parse(JSON.stringify(stack.toTerraform())) as JsonObject);
}

/** cdktf puts its own version and paths under `//`; that key is the header's. */
function withoutMetadata(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "//")
      .map(([name, member]) => [name, isObject(member) ? withoutMetadata(member) : member]),
  );
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
