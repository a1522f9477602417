import * as z from "zod";
import { parseImage } from "./image-reference.ts";

const entrySchema = z.looseObject({
  /** Base64 of `user:password`, as `docker login` writes it. */
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});

const configSchema = z.looseObject({ auths: z.record(z.string(), entrySchema).default({}) });

/** The key under which `docker login` keeps what the registry of Docker itself takes. */
const dockerKey = "https://index.docker.io/v1/";

/**
 * What an image may be pulled with, as the header `X-Registry-Auth` carries it: base64url of JSON.
 *
 * @param config text of a Docker client's `config.json`
 * @returns undefined when it has nothing for that image's registry, or cannot be read as one: the
 *   image may be public, and what is wrong with the file is said where the file is asked for
 */
export function registryAuthentication(config: string, image: string): string | undefined {
  const { registry } = parseImage(image);
  const wanted = registry === "docker.io" ? dockerKey : registry;
  const auths = authsOf(config);
  const key =
    auths.find(([name]) => name === wanted) ??
    auths.find(([name]) => hostOf(name) === hostOf(wanted));
  if (key === undefined) return undefined;
  const [name, { auth, identitytoken, registrytoken, ...plain }] = key;
  const decoded = auth === undefined ? "" : Buffer.from(auth, "base64").toString("utf8");
  const at = decoded.indexOf(":");
  const fromAuth =
    // Some clients pad with zeros.
    at === -1
      ? {}
      : { username: decoded.slice(0, at), password: decoded.slice(at + 1).replace(/\0+$/, "") };
  const { username, password } = { ...plain, ...fromAuth };
  const json = JSON.stringify({
    username,
    password,
    identitytoken,
    registrytoken,
    serveraddress: name,
  });
  // The daemon wants its padding, which Node's base64url leaves out.
  return Buffer.from(json).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function authsOf(config: string): readonly (readonly [string, z.infer<typeof entrySchema>])[] {
  try {
    return Object.entries(configSchema.parse(JSON.parse(config)).auths);
  } catch {
    return [];
  }
}

/** The host of a key, which may be an address with scheme and path. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return host === "docker.io" || host === "registry-1.docker.io" ? "index.docker.io" : host;
}
