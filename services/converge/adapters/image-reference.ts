/** The parts of an image's name, with what Docker takes for those that are left out. */
export interface ImageReference {
  /** As in `docker.io` or `registry.example.org:5000`. */
  readonly registry: string;
  readonly repository: string;
  /** Undefined where a digest alone says which one. */
  readonly tag: string | undefined;
  /** With its algorithm, as in `sha256:…`. */
  readonly digest: string | undefined;
}

const defaultRegistry = "docker.io";

/** Reads a name as it stands in a compose file or in a service's spec. */
export function parseImage(reference: string): ImageReference {
  const [named = "", digest] = reference.split("@");
  const slash = named.indexOf("/");
  const first = named.slice(0, Math.max(0, slash));
  // Docker's rule: the first part is a registry if it could be nothing else.
  const isRegistry = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const registry = isRegistry ? first : defaultRegistry;
  const rest = isRegistry ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(":");
  const path = colon === -1 ? rest : rest.slice(0, colon);
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  const isOfDocker = registry === defaultRegistry || registry === "index.docker.io";
  return {
    registry: isOfDocker ? defaultRegistry : registry,
    repository: isOfDocker && !path.includes("/") ? `library/${path}` : path,
    tag: tag ?? (digest === undefined ? "latest" : undefined),
    digest,
  };
}

/** What is asked for when it is pulled: never a name without a tag, which would be all of them. */
export function pullReference(reference: string): string {
  const { tag } = parseImage(reference);
  return tag === "latest" && !/:latest(?:@|$)/.test(reference) ? `${reference}:latest` : reference;
}

/**
 * Whether a service's spec has the image that a recipe names: Docker writes the digest behind it that
 * the tag had at the registry, and leaves out or puts in what goes without saying.
 */
export function isSameImage(wanted: string, actual: string): boolean {
  const [left, right] = [parseImage(wanted), parseImage(actual)];
  return (
    left.registry === right.registry &&
    left.repository === right.repository &&
    (left.tag === right.tag || (left.tag === undefined && left.digest === right.digest)) &&
    (left.digest === undefined || left.digest === right.digest)
  );
}
