import { randomBytes } from "node:crypto";
import type { Construct } from "constructs";
import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { Recipe } from "../../../constructs/coop-cloud/recipe.ts";
import { RecipeStack } from "../../../constructs/coop-cloud/recipe-stack.ts";
import { TraefikRecipe } from "../../../constructs/coop-cloud/traefik-recipe.ts";
import { HostFile } from "../../../constructs/nixos/host-file.ts";
import { appOf } from "../../synthesized.ts";
import { requireHosts } from "../../tools.ts";
import { repositoryUrl } from "../git-server/install.ts";
import { bootHost, certificateFolder, type Host, usualConfiguration } from "../host.ts";
import { runAll, statusOf } from "../library/as-planned.ts";
import { stopsOf } from "../library/at-rest.ts";
import { type Marks, marksOf, marksOfKey } from "../library/secrecy/marks.ts";
import { ProcessSampler } from "../library/secrecy/process-sampler.ts";
import { filesWith, filesWithEach, told } from "../library/secrecy/search.ts";
import { withoutTimer } from "../library/without-timer.ts";
import { buildSystem } from "../system/system.ts";

const keyFile = `${certificateFolder}/privkey.pem`;
const ownFile = "/var/lib/ci-secrets/web-db";
const internalFile = "/var/lib/cc-ci/secrets/internal-db";
const registryFile = "/var/lib/ci-secrets/registry.json";

const keysWith = (release: string) => `docker: { registryCredentials: ${registryFile} }
apps:
  web:
    recipe: web
    repository: ${repositoryUrl("web")}
    release: ${release}
    domain: web.ci.example.org
    composeFiles: [compose.yml, compose.secret.yml]
    secrets: { db_password: ${ownFile} }`;

/** An app with a secret that the host makes up by itself. */
class InternalApp extends RecipeStack {
  constructor(scope: Construct, proxy: TraefikRecipe) {
    super(scope, "internal", {
      recipe: Recipe.release("web", "0.1.0", repositoryUrl("web")),
      ...{ domain: "internal.ci.example.org", network: proxy.network },
      ...{ certificate: proxy.certificate, piece: "internal", description: "An app of the test" },
      ...{ composeFiles: ["compose.yml", "compose.secret.yml"], env: {}, sources: [], bounds: {} },
      page: "/",
      wants: [proxy],
      secrets: (stack) => [
        {
          name: "db_password",
          versionVariable: "SECRET_DB_PASSWORD_VERSION",
          file: new HostFile(stack, "file", {
            ...{ path: internalFile, purpose: "the secret of a test", remedy: "none" },
            origin: { by: "host", randomBytes: 32 },
            demand: { format: "opaque", minBytes: 32 },
          }),
        },
      ],
    });
  }
}

/**
 * Traefik, an app with a secret of the operator's and one with a secret of the host's own, and a
 * password for the registry.
 */
function configuration(release = "0.1.0") {
  const app = appOf(usualConfiguration(keysWith(release)));
  const [host] = app.hosts;
  const proxy = host?.node.findChild("traefik");
  if (host === undefined || !(proxy instanceof TraefikRecipe)) throw new Error("no Traefik");
  new InternalApp(host, proxy);
  return withoutTimer(app);
}

/** Where each secret is at home. */
const homes = {
  ...{ key: keyFile, own: ownFile, internal: internalFile },
  registry: registryFile,
} as const;

const registryUser = "ci:";

/** What `docker login` writes. */
function registryLogin(): string {
  const auth = Buffer.from(registryUser + password()).toString("base64");
  return JSON.stringify({ auths: { "https://index.docker.io/v1/": { auth } } });
}

/** The password in it. */
function registryPassword(login: string): string {
  const auth = /"auth":"([^"]+)"/.exec(login)?.[1] ?? "";
  return Buffer.from(auth, "base64").toString("utf8").slice(registryUser.length);
}

function marksIn(host: Host) {
  return {
    key: marksOfKey(host.read(homes.key)),
    own: marksOf(host.read(homes.own)),
    internal: marksOf(host.read(homes.internal)),
    registry: marksOf(registryPassword(host.read(homes.registry))),
  };
}

function password(): string {
  return randomBytes(36).toString("base64url");
}

/** Every file with one of the secrets is its host file, or memory that Docker mounts into a container. */
async function expectInPlace(
  host: Host,
  marks: Record<keyof typeof homes, readonly string[]>,
): Promise<void> {
  for (const [secret, files] of await filesWithEach(host, marks)) {
    const mounted = files.filter((path) => path.startsWith("/var/lib/docker/containers/"));
    for (const path of mounted) {
      expect(path).toMatch(/\/mounts\/secrets\/[a-z0-9]+$/);
      const findmnt = ["findmnt", "--noheadings", "--output=FSTYPE", `--target=${path}`];
      expect((await host.exec(findmnt)).stdout.trim()).toBe("tmpfs");
    }
    const others = files.filter((path) => !mounted.includes(path));
    expect({ secret, others }).toEqual({ secret, others: [homes[secret as keyof typeof homes]] });
    // In the one container that uses it.
    const users = secret === "registry" ? 0 : 1;
    expect({ secret, mounted: mounted.length }).toEqual({ secret, mounted: users });
  }
}

/** Nothing that can be read has one of them, but for what was planted there. */
async function expectUntold(host: Host, marks: Marks): Promise<void> {
  const control = randomBytes(18).toString("hex");
  await host.exec(["logger", control]);
  // Its content is told in base64.
  await host.exec(["docker", "config", "create", "control", "-"], { input: control });
  const texts = Object.entries(await told(host));
  await host.exec(["docker", "config", "rm", "control"]);
  const places = Object.entries({ ...marks, control: marksOf(control) }).flatMap(
    ([secret, words]) =>
      texts
        .filter(([, text]) => words.some((word) => text.includes(word)))
        .map(([where]) => `${secret} in ${where}`),
  );
  expect(places).toEqual(["control in journal", "control in docker"]);
}

/** Ends the sampler, which must have found what was planted, and nothing else. */
async function expectUnseen(host: Host, sampler: ProcessSampler, marks: Marks): Promise<void> {
  const control = randomBytes(18).toString("hex");
  await host.exec(["sh", "-c", "sleep 0.1; exit 0", control]);
  await host.exec(["sleep", "0.1"], { env: { PLANTED: control } });
  const { processes, found } = await sampler.stop({ ...marks, control: marksOf(control) });
  expect(processes).toBeGreaterThan(200);
  const places = new Set(found.map(({ where, secret }) => `${secret} in ${where}`));
  expect([...places].sort()).toEqual(["control in argv", "control in environment"]);
}

async function expectConverged(host: Host): Promise<void> {
  for (const piece of Object.values(await statusOf(host))) {
    expect(piece).toMatchObject({ state: "converged" });
  }
}

describe("secrets", { timeout: 900_000 }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test("show up nowhere but in their files, not even while a host comes up, while they rotate and when a deploy fails", async () => {
    using booting = await ProcessSampler.start();
    await using host = await bootHost({
      configuration: configuration(),
      prepare: (_, unbooted) => {
        unbooted.write(ownFile, password(), 0o600);
        unbooted.write(registryFile, registryLogin(), 0o600);
      },
    });
    await host.settle();
    const first = marksIn(host);
    await expectConverged(host);
    await expectUnseen(host, booting, first);
    await expectInPlace(host, first);
    await expectUntold(host, first);

    using rotating = await ProcessSampler.start();
    host.putCertificate(host.authority.pair());
    host.write(ownFile, password(), 0o600);
    await runAll(host);
    await expectConverged(host);
    const second = marksIn(host);
    expect(second.key).not.toEqual(first.key);
    await expectUnseen(host, rotating, { ...second, "old key": first.key, "old own": first.own });
    await expectInPlace(host, second);
    await expectUntold(host, { ...second, "old key": first.key, "old own": first.own });
    // Of those before nothing is left, on no disk and in no container.
    expect(await filesWith(host, [...first.key, ...first.own])).toEqual([]);

    // One that never gets healthy, and one whose image the registry is asked for in vain.
    using failing = await ProcessSampler.start();
    for (const [release, stop] of [
      ["0.3.0", "failed service-rolled-back"],
      ["0.6.0", "pending image-not-reached"],
    ] as const) {
      await host.install(await buildSystem(configuration(release)));
      expect(stopsOf(await runAll(host))).toEqual({ "app-web": stop });
    }
    await expectUnseen(host, failing, second);
    await expectInPlace(host, second);
    await expectUntold(host, second);
  });
});
