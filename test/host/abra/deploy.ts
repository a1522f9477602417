import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, findApp, writeVersion } from "./app.ts";
import {
  type Compose,
  composeText,
  externalSecrets,
  readCompose,
  withEnvironment,
  withLabels,
} from "./compose.ts";
import { Fatal } from "./fatal.ts";
import { docker } from "./programs.ts";
import {
  checkoutVersion,
  lintErrors,
  moveTo,
  mustExist,
  recipeVersions,
  sampleVariables,
} from "./recipe.ts";
import type { Settings } from "./settings.ts";
import { secretNames } from "./stack.ts";

/** Deploys a release or commit, after moving the checkout to it; or, for chaos, what lies there. */
export function deploy(domain: string, wanted: string | "chaos", settings: Settings): void {
  const app = findApp(domain, settings);
  const chaos = wanted === "chaos";
  mustExist(app.checkout, app.recipe);
  if (!chaos) moveTo(app.checkout, app.recipe, wanted);
  const version = chaos ? checkoutVersion(app.checkout) : wanted;

  const versions = recipeVersions(app.checkout);
  const env = { ...app.env, ...versions, STACK_NAME: app.stack };
  const compose = readCompose(app.checkout, env);
  if (!chaos && settings.lintStops) {
    for (const error of lintErrors(app.checkout, compose.services)) throw new Fatal(error);
  }
  demandSecrets(app, compose);
  for (const name of sampleVariables(app.checkout)) {
    if (!(name in app.env)) console.error(`WARN ${name} missing from ${domain}.env`);
  }

  const exposed = {
    ...(settings.exposesRecipeVersions ? versions : {}),
    ...app.env,
    TYPE: `${app.recipe}:${version}`,
  };
  const labelled = withLabels(compose, settings.labels, labels(app, version, chaos));
  deployStack(app.stack, withEnvironment(labelled, settings.exposesEnvTo, exposed));
  if (settings.rewritesType !== "never") writeVersion(app, version, settings);
}

function labels(app: App, version: string, chaos: boolean): Readonly<Record<string, string>> {
  const label = (name: string): string => `coop-cloud.${app.stack}.${name}`;
  return {
    [label("recipe")]: app.recipe,
    [label("chaos")]: String(chaos),
    // The recipe's own version label stays with chaos.
    [label(chaos ? "chaos-version" : "version")]: version,
  };
}

function demandSecrets(app: App, compose: Compose): void {
  const there = new Set(secretNames());
  const text = readFileSync(app.envFile, "utf8");
  for (const name of externalSecrets(compose)) {
    if (there.has(name)) continue;
    const version = name.slice(name.lastIndexOf("_") + 1);
    const line = text.split("\n").find((one) => one.includes(`_VERSION=${version}`)) ?? "";
    throw new Fatal(
      /#.*generate=false/.test(line)
        ? `secret not inserted (#generate=false): ${name}`
        : `secret not generated: ${name}`,
    );
  }
}

/** Without waiting, always asking the registry for images, and without removing what is left over. */
function deployStack(stack: string, compose: Compose): void {
  const folder = mkdtempSync(join(tmpdir(), "abra-stand-in-"));
  try {
    const file = join(folder, "compose.json");
    writeFileSync(file, composeText(compose));
    const flags = ["--detach=true", "--resolve-image=always", "--compose-file", file];
    docker(["stack", "deploy", ...flags, stack]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
