import type { Construct } from "constructs";
import { HostFile } from "../nixos/host-file.ts";
import { isHostLabel } from "../nixos/names.ts";
import type { Recipe } from "./recipe.ts";
import { type DeployBounds, RecipeStack } from "./recipe-stack.ts";
import type { TraefikRecipe } from "./traefik-recipe.ts";

export interface RecipeAppProps extends DeployBounds {
  /** The recipe at its state. */
  readonly recipe: Recipe;
  /** Where it is served: one label under the wildcard. */
  readonly domain: string;
  /** The proxy in front of it. */
  readonly proxy: TraefikRecipe;
  /** Variables of the recipe's `.env`. No secrets: every one of them is visible in the container. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** Compose files of the recipe, in the order in which they are merged. @default compose.yml */
  readonly composeFiles?: readonly string[];
  /**
   * Path of a page that the app itself must answer once it is up, with anything but 404, 502, 503 and
   * 504, which the proxy answers in its stead; `false` for an app that has no page. @default /
   */
  readonly page?: string | false;
  /** The recipe's secrets by name, each with the absolute path of the host file that holds it. @default none */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Any other recipe, deployed behind the proxy. The unit is `cc-ci-app-<id>`. */
export class RecipeApp extends RecipeStack {
  constructor(scope: Construct, id: string, props: RecipeAppProps) {
    const {
      recipe,
      domain,
      proxy,
      env = {},
      composeFiles = ["compose.yml"],
      secrets = {},
      page = "/",
    } = props;
    super(scope, id, {
      recipe,
      domain,
      network: proxy.network,
      certificate: proxy.certificate,
      piece: `app-${id}`,
      description: `Converge ${domain}, an app of the recipe ${recipe.name}`,
      composeFiles,
      page,
      env,
      secrets: (stack) =>
        Object.keys(secrets)
          .sort()
          .map((name) => ({
            name,
            versionVariable: `SECRET_${name.toUpperCase().replaceAll("-", "_")}_VERSION`,
            file: new HostFile(stack, `file-${encodeURIComponent(name)}`, {
              path: secrets[name] ?? "",
              purpose: `the secret ${name} of ${domain}`,
              remedy: "put it there, readable by root alone (mode 0600)",
            }),
          })),
      sources: [],
      wants: [proxy],
      bounds: { pullSeconds: props.pullSeconds, deploySeconds: props.deploySeconds },
    });
    this.node.addValidation({
      validate: () =>
        isHostLabel(id)
          ? []
          : [
              `${JSON.stringify(id)} cannot be the name of an app: use up to 63 lower-case letters, digits and inner dashes`,
            ],
    });
  }
}
