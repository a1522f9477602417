/**
 * Where a repository lies in the API of a forge, and in Drone's.
 *
 * @param slug its owner and name, as in `ci/cc-ci`
 * @throws {Error} for what is no name of a repository, which could lead elsewhere
 */
export function repositoryPath(slug: string): string {
  const parts = slug.split("/");
  if (parts.length !== 2 || parts.some((part) => !/^(?!\.\.?$)[A-Za-z0-9._-]+$/.test(part))) {
    throw new Error(`${JSON.stringify(slug)} is no repository: write it as owner/name`);
  }
  return `/repos/${slug}`;
}
