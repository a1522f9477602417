import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isSameImage,
  parseImage,
  pullReference,
} from "../../../../services/converge/adapters/image-reference.ts";
import { registryAuthentication } from "../../../../services/converge/adapters/registry-credentials.ts";

const digest = `sha256:${"0".repeat(64)}`;
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}$/);
const registry = fc
  .tuple(word, word, fc.option(fc.nat(65_535)))
  .map(([host, zone, port]) => `${host}.${zone}${port === null ? "" : `:${port}`}`);

describe("the name of an image", () => {
  test.for([
    ["traefik", "docker.io", "library/traefik", "latest"],
    ["traefik:v3.6.12", "docker.io", "library/traefik", "v3.6.12"],
    ["docker.io/traefik:v3", "docker.io", "library/traefik", "v3"],
    ["index.docker.io/library/traefik:v3", "docker.io", "library/traefik", "v3"],
    ["drone/drone:2.25.0", "docker.io", "drone/drone", "2.25.0"],
    ["localhost/a", "localhost", "a", "latest"],
    ["registry.example.org:5000/a/b:1", "registry.example.org:5000", "a/b", "1"],
    [`traefik@${digest}`, "docker.io", "library/traefik", undefined],
  ] as const)("%s has its parts", ([reference, where, repository, tagged]) => {
    const { registry, repository: found, tag } = parseImage(reference);
    expect([registry, found, tag]).toEqual([where, repository, tagged]);
  });

  test("comes apart as it was put together", () => {
    fc.assert(
      fc.property(registry, path, tag, (host, repository, name) => {
        const wanted = { registry: host, repository, tag: name, digest };
        expect(parseImage(`${host}/${repository}:${name}@${digest}`)).toEqual(wanted);
      }),
    );
  });

  test("is never asked for without saying which one", () => {
    expect(pullReference("busybox")).toBe("busybox:latest");
    expect(pullReference("a.b:5000/c")).toBe("a.b:5000/c:latest");
    for (const said of ["busybox:latest", "busybox:1", `busybox@${digest}`]) {
      expect(pullReference(said)).toBe(said);
    }
  });

  test("is the same with the digest that Docker adds, and with what it leaves out", () => {
    fc.assert(
      fc.property(path, tag, (repository, name) => {
        expect(isSameImage(`${repository}:${name}`, `${repository}:${name}@${digest}`)).toBe(true);
        expect(isSameImage(`docker.io/${repository}:${name}`, `${repository}:${name}`)).toBe(true);
        expect(isSameImage(`${repository}:${name}`, `${repository}:${name}x`)).toBe(false);
        expect(isSameImage(`${repository}@${digest}`, `${repository}:${name}`)).toBe(false);
      }),
    );
    expect(isSameImage("busybox", "busybox:latest")).toBe(true);
  });
});

describe("credentials", () => {
  const auth = (text: string) => Buffer.from(text).toString("base64");
  const config = JSON.stringify({
    auths: {
      "https://index.docker.io/v1/": { auth: auth("hub:p:w\0") },
      "https://registry.example.org/v2/": { username: "me", password: "secret" },
      "registry.example.org:5000": { identitytoken: "token" },
      "empty.example.org": {},
    },
  });
  const read = (image: string) => {
    const header = registryAuthentication(config, image);
    expect(header?.length ?? 0, "the daemon wants padding").toSatisfy(
      (size: number) => size % 4 === 0,
    );
    return header && JSON.parse(Buffer.from(header, "base64url").toString());
  };

  test("are those of the image's registry, however the key is written", () => {
    const hub = { username: "hub", password: "p:w", serveraddress: "https://index.docker.io/v1/" };
    expect(read("traefik:v3")).toEqual(hub);
    expect(read("docker.io/drone/drone")).toEqual(hub);
    expect(read("registry.example.org/a")).toMatchObject({ username: "me", password: "secret" });
    expect(read("registry.example.org:5000/a")).toMatchObject({ identitytoken: "token" });
    expect(read("other.example.org/a")).toBeUndefined();
  });

  test("of one registry never go to another", () => {
    fc.assert(
      fc.property(registry, registry, path, (ours, theirs, image) => {
        fc.pre(ours !== theirs);
        const one = JSON.stringify({ auths: { [ours]: { auth: auth("a:b") } } });
        expect(registryAuthentication(one, `${theirs}/${image}`)).toBeUndefined();
        expect(registryAuthentication(one, `${ours}/${image}`)).toBeDefined();
      }),
    );
  });

  test("that cannot be read are none", () => {
    for (const text of ["", "{}", "[]", '{"auths":{"a.b":{"auth":3}}}', '{"auths":null}']) {
      expect(registryAuthentication(text, "a.b/c")).toBeUndefined();
    }
  });
});
