import type { Construct } from "constructs";
import { Machine } from "../nixos/machine.ts";
import type { WildcardCertificate } from "../nixos/wildcard-certificate.ts";
import type { OverlayNetwork } from "../swarm/overlay-network.ts";
import type { Recipe } from "./recipe.ts";
import { type DeployBounds, RecipeStack } from "./recipe-stack.ts";

export interface TraefikRecipeProps extends DeployBounds {
  /** The recipe at its state, as in `Recipe.release("traefik", "5.1.1")`. */
  readonly recipe: Recipe;
  /** The network that apps are reached through. */
  readonly network: OverlayNetwork;
  /** What everything is served with. */
  readonly certificate: WildcardCertificate;
  /** Where Traefik itself answers. @default `traefik.` and the host's domain */
  readonly domain?: string;
  /**
   * How ports 80 and 443 are published. `host` keeps the addresses of clients, and stops the old
   * Traefik before the new one starts; `ingress` goes through the swarm's mesh without that gap.
   * @default host
   */
  readonly publish?: "host" | "ingress";
  /** Further variables of the recipe's `.env`. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Traefik in front of everything, by the recipe of that name in wildcard mode: certificate and key
 * are host files that go into the swarm as the secrets `ssl_cert` and `ssl_key`, rotate as a pair,
 * and are served through the recipe's file provider. No ACME, so no DNS token anywhere.
 */
export class TraefikRecipe extends RecipeStack {
  constructor(scope: Construct, id: string, props: TraefikRecipeProps) {
    const { recipe, network, certificate, publish = "host", env = {} } = props;
    super(scope, id, {
      recipe,
      network,
      certificate,
      domain: props.domain ?? `traefik.${Machine.of(scope).domain}`,
      piece: "traefik",
      description: "Converge Traefik, the proxy in front of every app",
      // It shows no page of its own.
      page: false,
      composeFiles: [
        "compose.yml",
        "compose.wildcard.yml",
        ...(publish === "host" ? ["compose.host.yml"] : []),
      ],
      env: { ...env, WILDCARDS_ENABLED: "1" },
      // The recipe's variables say WILDCARD_CERT, its secrets ssl_cert: both are its own spelling.
      secrets: () => [
        {
          name: "ssl_cert",
          versionVariable: "SECRET_WILDCARD_CERT_VERSION",
          file: certificate.certificate,
          versionOf: certificate.certificate,
        },
        {
          name: "ssl_key",
          versionVariable: "SECRET_WILDCARD_KEY_VERSION",
          file: certificate.key,
          versionOf: certificate.certificate,
        },
      ],
      sources: [certificate],
      wants: [],
      bounds: { pullSeconds: props.pullSeconds, deploySeconds: props.deploySeconds },
    });
    this.node.addValidation({
      validate: () =>
        env.WILDCARDS_ENABLED === undefined
          ? []
          : ["env: WILDCARDS_ENABLED cannot be set here: it is always 1"],
    });
  }
}
