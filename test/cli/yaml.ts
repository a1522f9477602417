/** An app of a configuration, as much of it as the tests vary. */
interface AppLines {
  readonly recipe?: string;
  readonly release?: string;
  readonly domain?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface HostLines {
  readonly domain?: string;
  readonly certificate?: string;
  readonly release?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Further keys of the host, each as a line of YAML. */
  readonly more?: readonly string[];
  readonly apps?: Readonly<Record<string, AppLines>>;
}

/** The text of a `cc-ci.yaml` with these hosts, in this order. */
export function configuration(hosts: Readonly<Record<string, HostLines>>): string {
  const lines = Object.entries(hosts).flatMap(([name, host]) => [
    `  ${name}:`,
    ...hostLines(host).map((line) => `    ${line}`),
  ]);
  return `hosts:\n${lines.join("\n")}\n`;
}

function hostLines(host: HostLines): readonly string[] {
  const { domain = "ci.example.org", certificate = "/var/lib/certs/cert.pem" } = host;
  const apps = Object.entries(host.apps ?? {});
  return [
    `domain: ${domain}`,
    "certificate:",
    `  certificate: ${certificate}`,
    "  key: /var/lib/certs/key.pem",
    "traefik:",
    `  release: ${host.release ?? "5.1.1"}`,
    ...mapping("  env", host.env),
    ...(host.more ?? []),
    ...(apps.length === 0 ? [] : ["apps:"]),
    ...apps.flatMap(([name, app]) => [
      `  ${name}:`,
      `    recipe: ${app.recipe ?? "wiki"}`,
      `    release: ${app.release ?? "1.0.0"}`,
      `    domain: ${app.domain ?? `${name}.${domain}`}`,
      ...mapping("    env", app.env),
      ...mapping("    secrets", app.secrets),
    ]),
  ];
}

function mapping(key: string, values: Readonly<Record<string, string>> = {}): readonly string[] {
  const entries = Object.entries(values);
  if (entries.length === 0) return [];
  return [
    `${key}: { ${entries.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`,
  ];
}
