import { join } from "node:path";
import { CcCi } from "../../../constructs/app.ts";
import { Recipe } from "../../../constructs/coop-cloud/recipe.ts";
import { RecipeApp } from "../../../constructs/coop-cloud/recipe-app.ts";
import { TraefikRecipe } from "../../../constructs/coop-cloud/traefik-recipe.ts";
import { readTemplates } from "../../../constructs/core/checkout.ts";
import { collect } from "../../../constructs/core/collect.ts";
import { UserError } from "../../../constructs/core/errors.ts";
import { Templates } from "../../../constructs/core/template.ts";
import { Host } from "../../../constructs/nixos/host.ts";
import { WildcardCertificate } from "../../../constructs/nixos/wildcard-certificate.ts";
import { OverlayNetwork } from "../../../constructs/swarm/overlay-network.ts";
import { Swarm } from "../../../constructs/swarm/swarm.ts";

const templates = new Templates(readTemplates(join(import.meta.dirname, "../../../templates")));

/** A host with nothing on it yet. */
export function bareHost(domain = "ci.example.org"): Host {
  return new Host(new CcCi(), "one", { domain });
}

/** A host with Traefik on it, and each construct that went into it. */
export interface WholeHost {
  readonly app: CcCi;
  readonly host: Host;
  readonly swarm: Swarm;
  readonly network: OverlayNetwork;
  readonly certificate: WildcardCertificate;
  readonly proxy: TraefikRecipe;
}

export function wholeHost(domain = "ci.example.org"): WholeHost {
  const app = new CcCi();
  const host = new Host(app, "one", { domain });
  const swarm = new Swarm(host, "swarm");
  const network = new OverlayNetwork(swarm, "proxy");
  const certificate = new WildcardCertificate(host, "certificate", {
    certificate: "/var/lib/certs/chain.pem",
    key: "/var/lib/certs/key.pem",
  });
  const recipe = Recipe.release("traefik", "5.1.1");
  const proxy = new TraefikRecipe(host, "traefik", { recipe, network, certificate });
  return { app, host, swarm, network, certificate, proxy };
}

/** An app behind the proxy of that host, with what a test changes about it. */
export function addApp(
  { host, proxy }: WholeHost,
  props: Partial<ConstructorParameters<typeof RecipeApp>[2]> = {},
  id = "wiki",
): RecipeApp {
  const recipe = Recipe.release("wiki", "1.2.3");
  return new RecipeApp(host, id, { recipe, domain: `${id}.ci.example.org`, proxy, ...props });
}

/** All that a tree objects to, each as `<construct path>: <message>`; empty when it is good. */
export function problemsOf(scope: Host): readonly string[] {
  try {
    collect(scope.node.root, templates);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ where, message }) => `${where}: ${message}`);
  }
}

/** The files of the tree as text, by their path. */
export function filesOf(scope: Host): Readonly<Record<string, string>> {
  const files = collect(scope.node.root, templates);
  return Object.fromEntries(files.map(({ path, content }) => [path, content]));
}
