import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { docker } from "./programs.ts";

const service = z.looseObject({
  image: z.string().optional(),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  deploy: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }).prefault({}),
});

const composeSchema = z.looseObject({
  services: z.record(z.string(), service).default({}),
  secrets: z
    .record(z.string(), z.looseObject({ name: z.string().optional(), external: z.unknown() }))
    .default({}),
});

export type Compose = z.infer<typeof composeSchema>;

/** The compose files that the `.env` names as one, with this environment and nothing else filled in. */
export function readCompose(checkout: string, env: Readonly<Record<string, string>>): Compose {
  const files = (env.COMPOSE_FILE || "compose.yml").split(":");
  const args = files.flatMap((file) => ["--compose-file", join(checkout, file)]);
  const text = docker(["stack", "config", ...args], { cwd: checkout, env });
  // Docker writes YAML 1.1, where an unquoted `yes` would be true.
  return composeSchema.parse(parse(text, { version: "1.1" }));
}

/** Names of the secrets that must be there before the deploy. */
export function externalSecrets(compose: Compose): readonly string[] {
  return Object.entries(compose.secrets)
    .filter(([, secret]) => secret.external !== undefined && secret.external !== false)
    .map(([key, secret]) => secret.name ?? key);
}

/** The services that something applies to: the main one, or every one. */
export type Reach = "app" | "every-service";

/** The same with further labels; what the recipe says itself is replaced. */
export function withLabels(
  compose: Compose,
  reach: Reach,
  labels: Readonly<Record<string, string>>,
): Compose {
  return changed(compose, reach, (one) => ({
    ...one,
    deploy: { ...one.deploy, labels: { ...one.deploy.labels, ...labels } },
  }));
}

/** The same with further environment; what the recipe says itself stays. */
export function withEnvironment(
  compose: Compose,
  reach: Reach,
  env: Readonly<Record<string, string>>,
): Compose {
  return changed(compose, reach, (one) => ({
    ...one,
    environment: { ...env, ...one.environment },
  }));
}

function changed(
  compose: Compose,
  reach: Reach,
  change: (one: Compose["services"][string]) => Compose["services"][string],
): Compose {
  const services = Object.entries(compose.services).map(([name, one]) => [
    name,
    reach === "app" && name !== "app" ? one : change(one),
  ]);
  return { ...compose, services: Object.fromEntries(services) };
}

/** As text for a second reading by Docker, in which every dollar stands for itself. */
export function composeText(compose: Compose): string {
  return JSON.stringify(compose, (_, value: unknown) =>
    typeof value === "string" ? value.replaceAll("$", "$$$$") : value,
  );
}
