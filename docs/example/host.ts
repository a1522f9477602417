/**
 * The host of cc-ci.yaml, built from the constructs, with an app and an overridden unit beside it. Put
 * such a file in the place of cc-ci.yaml as cc-ci.ts. Its test, host.test.ts, shows how an operator
 * proves what matters to them.
 */
import {
  CcCi,
  Host,
  OverlayNetwork,
  Recipe,
  RecipeApp,
  Swarm,
  TraefikRecipe,
  WildcardCertificate,
} from "../../constructs/index.ts";

export const app = new CcCi();
const host = new Host(app, "cc-ci", { domain: "ci.example.org" });
const swarm = new Swarm(host, "swarm", { addressPools: ["10.64.0.0/12"] });
const network = new OverlayNetwork(swarm, "proxy", { subnet: "10.80.0.0/16" });
const certificate = new WildcardCertificate(host, "certificate", {
  certificate: "/var/lib/ci-certs/live/fullchain.pem",
  key: "/var/lib/ci-certs/live/privkey.pem",
});

// Passing one construct to another is all it takes to order their units.
const traefik = new TraefikRecipe(host, "traefik", {
  recipe: Recipe.release("traefik", "5.1.1"),
  network,
  certificate,
});

new RecipeApp(host, "wiki", {
  recipe: Recipe.commit("wiki", "0123456789abcdef0123456789abcdef01234567"),
  domain: "wiki.ci.example.org",
  proxy: traefik,
  env: { LOG_LEVEL: "INFO" },
  secrets: { db_password: "/var/lib/ci-secrets/wiki-db" },
});

// The escape hatch for what no construct decides; `npm run diff` lists every override.
traefik.unit.override({ serviceConfig: { Nice: 5 } });
