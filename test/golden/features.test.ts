import { expect, test } from "vitest";
import type { CcCi } from "../../constructs/app.ts";
import { app as exampleApp } from "../../docs/example/host.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../synthesized.ts";

/** Compares some files of a tree, one after the other, with the golden of that name. */
async function expectGolden(name: string, app: CcCi, paths: readonly string[]): Promise<void> {
  const files = await synthesized(app);
  const text = paths
    .map((path) => `─── ${path}\n${files.get(path)?.content ?? "(not generated)\n"}`)
    .join("\n");
  await expect(text).toMatchFileSnapshot(`${name}.golden`);
}

test("the swarm is a oneshot that requires docker, and its desired state", async () => {
  // given a host with settings of its own for the swarm
  const app = appOf(
    hostYaml(`swarm:
  advertiseAddress: 192.0.2.10
  addressPools: [10.96.0.0/12, 172.20.0.0/14]
  subnetSize: 26
  nodeCertificateDays: 30`),
  );
  // when it is rendered, then module and desired state are these
  await expectGolden("swarm", app, ["out/cc-ci/swarm.nix", "out/cc-ci/swarm.json"]);
});

test("the proxy network requires the swarm and runs after what is retired", async () => {
  const app = appOf(hostYaml("swarm:\n  proxySubnet: 10.112.0.0/16"));
  await expectGolden("network", app, [
    "out/cc-ci/network-proxy.nix",
    "out/cc-ci/network-proxy.json",
  ]);
});

test("the daemon gets what a swarm needs, mirrors, and asserts what must stay", async () => {
  const app = appOf(
    hostYaml(`docker:
  registryMirrors: [https://mirror.example.org]
  logMaxMiB: 50
  logFiles: 5
  pruneOnCalendar: "Sun 03:00"`),
  );
  await expectGolden("docker", app, ["out/cc-ci/docker.nix", "out/cc-ci/prune.nix"]);
});

test("test runs have a socket, a service for each, and a sweep", async () => {
  const app = appOf(hostYaml("runs:\n  maxTests: 3\n  timeoutMinutes: 90\n  keepDays: 14"));
  await expectGolden("runs", app, ["out/cc-ci/runs.nix"]);
});

test("Drone's server is a recipe with files of ours laid over it, and a name on the host", async () => {
  await expectGolden("drone-server", appOf(hostYaml(droneYaml)), [
    "out/cc-ci/drone.nix",
    "out/cc-ci/drone.json",
    "out/cc-ci/drone.env",
    "out/cc-ci/drone.compose.ccci.yml",
    "out/cc-ci/drone.ccci.env.tmpl",
    "out/cc-ci/drone-name.nix",
  ]);
});

test("the CI repository in Drone has an owner, and an account of its own starts builds", async () => {
  // given accounts of which one logs in by itself
  const yaml = `${droneYaml}\n    password: /var/lib/ci-secrets/ci-bridge-password`;
  await expectGolden("drone-repository", appOf(hostYaml(yaml)), [
    "out/cc-ci/drone-repository.nix",
    "out/cc-ci/drone-repository.json",
    "out/cc-ci/drone-bridge.nix",
    "out/cc-ci/drone-bridge.json",
  ]);
});

test("the bridge is a stack of our own, with an image that comes with the host", async () => {
  const yaml = `${droneYaml}
bridge:
  organisation: recipes
  forgeToken: /var/lib/ci-secrets/bridge-forge-token
  repositories: [wiki, notes]
  forks: with-commit`;
  await expectGolden("bridge", appOf(hostYaml(yaml)), [
    "out/cc-ci/bridge.nix",
    "out/cc-ci/bridge.json",
    "out/cc-ci/bridge.compose.yml",
    "out/cc-ci/bridge.settings.json",
  ]);
});

test("Drone's runner has as many places as there may be runs, and one pipeline", async () => {
  const yaml = `${droneYaml}\nruns:\n  maxTests: 3\n  timeoutMinutes: 90`;
  await expectGolden("drone-runner", appOf(hostYaml(yaml)), [
    "out/cc-ci/runner.nix",
    "out/cc-ci/drone-runner.json",
    "out/cc-ci/drone-builds.nix",
    "out/cc-ci/drone-builds.json",
    "out/cc-ci/drone.yml",
  ]);
});

test("registry credentials are a host file of every stack's unit", async () => {
  const app = appOf(hostYaml("docker:\n  registryCredentials: /var/lib/ci-secrets/docker.json"));
  await expectGolden("registry-credentials", app, ["out/cc-ci/traefik.json"]);
});

test("Traefik runs in wildcard mode with a pair of host files that is watched", async () => {
  const app = appOf(hostYaml());
  await expectGolden("traefik", app, [
    "out/cc-ci/traefik.nix",
    "out/cc-ci/traefik.json",
    "out/cc-ci/traefik.env",
  ]);
});

test("Traefik at a commit is deployed as it lies, and may publish through the mesh", async () => {
  const app = appOf(
    hostYaml(
      "",
      `commit: 0123456789abcdef0123456789abcdef01234567
repository: https://git.example.org/recipes/traefik.git
publish: ingress
domain: proxy.ci.example.org
env: { LOG_LEVEL: DEBUG }`,
    ),
  );
  await expectGolden("traefik-at-a-commit", app, [
    "out/cc-ci/traefik.json",
    "out/cc-ci/traefik.env",
  ]);
});

test("a certificate that another unit decrypts is waited for, and its links are watched", async () => {
  const yaml = hostYaml().replace(
    "      key:",
    "      waitFor: [sops-install-secrets.service]\n      watch: [/var/lib/ci-certs]\n      key:",
  );
  await expectGolden("certificate-of-sops", appOf(yaml), ["out/cc-ci/traefik.nix"]);
});

test("an app has a unit, secrets made of host files, and an environment with slots", async () => {
  const app = appOf(
    hostYaml(`apps:
  wiki:
    recipe: wiki
    release: 1.2.3+v4.5.6
    domain: wiki.ci.example.org
    composeFiles: [compose.yml, compose.smtp.yml]
    env:
      GREETING: it's "quoted" and costs $5
      LOG_LEVEL: INFO
    secrets:
      db_password: /var/lib/ci-secrets/wiki-db`),
  );
  await expectGolden("app", app, [
    "out/cc-ci/app-wiki.nix",
    "out/cc-ci/app-wiki.json",
    "out/cc-ci/app-wiki.env",
  ]);
});

test("a host accepts the unfree packages that it names, and no other", async () => {
  const app = appOf(hostYaml("acceptUnfree: [drone, drone-runner-exec]"));
  await expectGolden("unfree", app, ["out/cc-ci/host.nix"]);
});

test("target and timer start every piece", async () => {
  await expectGolden("target", appOf(hostYaml()), ["out/cc-ci/target.nix"]);
});

test("the list of pieces is in the order of their dependencies", async () => {
  await expectGolden("pieces", exampleApp, ["out/cc-ci/pieces.json", "out/cc-ci/default.nix"]);
});

test("Terraform sees a null_resource a module, with the unit graph as depends_on", async () => {
  await expectGolden("terraform", exampleApp, ["out/cc-ci/cdk.tf.json"]);
});

test("the graph is Mermaid text and a picture that follows the page's colours", async () => {
  await expectGolden("graph", exampleApp, ["docs/graph/cc-ci.mmd", "docs/graph/cc-ci.svg"]);
});

test("an override lies over the unit's own options", async () => {
  await expectGolden("override", exampleApp, ["out/cc-ci/traefik.nix"]);
});
