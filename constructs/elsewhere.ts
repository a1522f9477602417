/**
 * Every generated file that does not lie in `out/`, and why: an editor, a reader and the README look
 * for these at a fixed place.
 */
export const elsewhere = {
  /** What editors complete and check `cc-ci.yaml` with. */
  configurationSchema: "docs/cc-ci.schema.json",
  /** Every key of `cc-ci.yaml`, for operators. */
  configurationPage: "docs/configuration.md",
  /** The unit graph of a host as Mermaid text. */
  graphText: (host: string) => `docs/graph/${host}.mmd`,
  /** The unit graph of a host as a picture. */
  graphPicture: (host: string) => `docs/graph/${host}.svg`,
} as const;

/** Whether a generated file may lie at `path`, which is outside of `out/`. */
export function mayLieElsewhere(path: string): boolean {
  return (
    path === elsewhere.configurationSchema ||
    path === elsewhere.configurationPage ||
    /^docs\/graph\/[a-z0-9-]+\.(?:mmd|svg)$/.test(path)
  );
}
