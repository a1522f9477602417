/** A host with these lines in place of, or beside, the usual ones; each key is a line of its own. */
export function host(lines: Readonly<Record<string, string>> = {}, name = "one"): string {
  const usual = {
    domain: "ci.example.org",
    certificate: "{ certificate: /c/cert.pem, key: /c/key.pem }",
    traefik: '{ release: "5.1.1" }',
  };
  const all = Object.entries({ ...usual, ...lines });
  return `  ${name}:\n${all.map(([key, value]) => `    ${key}: ${value}\n`).join("")}`;
}

/** The text of a cc-ci.yaml with these hosts. */
export function hosts(...texts: readonly string[]): string {
  return `hosts:\n${texts.join("")}`;
}

/** An app in YAML's flow style. */
export function app(domain: string, more = ""): string {
  return `{ recipe: wiki, release: "1.0.0", domain: ${domain}${more === "" ? "" : `, ${more}`} }`;
}

/** The keys of Drone in YAML's flow style, with these in place of, or beside, the usual ones. */
export function drone(keys: Readonly<Record<string, string>> = {}): string {
  const usual = {
    release: '"1.9.0"',
    forge: "https://git.example.org",
    clientId: "3c1f2a6e",
    clientSecret: "/s/client",
    builds: "{ repository: ci/cc-ci }",
    owner: "{ login: ci-owner, forgeToken: /s/forge-token }",
    bridge: "{ login: ci-bridge }",
  };
  const all = Object.entries({ ...usual, ...keys });
  return `{ ${all.map(([key, value]) => `${key}: ${value}`).join(", ")} }`;
}

/** The keys of the bridge, in the same way. */
export function bridge(keys: Readonly<Record<string, string>> = {}): string {
  const usual = {
    organisation: "recipes",
    forgeToken: "/s/bridge-token",
    repositories: "[wiki]",
    forks: "refused",
  };
  const all = Object.entries({ ...usual, ...keys });
  return `{ ${all.map(([key, value]) => `${key}: ${value}`).join(", ")} }`;
}
