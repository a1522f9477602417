/**
 * The keys of a unit file with their values, in file order: `Service.ExecStart`, and for the
 * environment one key a variable, `Service.Environment.PATH`. A repeated key has several values.
 */
export function unitKeys(text: string): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    const header = /^\[(.+)\]$/.exec(line);
    if (header?.[1] !== undefined) {
      section = header[1];
      continue;
    }
    const separator = line.indexOf("=");
    if (separator < 0) continue;
    const name = line.slice(0, separator);
    const value = line.slice(separator + 1);
    const variable = name === "Environment" ? /^"?([^=]+)=/.exec(value)?.[1] : undefined;
    const key = [section, name, ...(variable === undefined ? [] : [variable])].join(".");
    keys.set(key, [...(keys.get(key) ?? []), value]);
  }
  return keys;
}

/**
 * The keys of `ours` that `real` does not have with the same values, as lines for people. The
 * packages of two nixpkgs differ in hash, version and output, so a store path counts by its name.
 */
export function unitDifferences(
  ours: string,
  real: string,
  ignored: readonly string[] = [],
): readonly string[] {
  const realKeys = unitKeys(real);
  return [...unitKeys(ours)]
    .filter(([key]) => !ignored.includes(key))
    .filter(([key, values]) => !sameValues(values, realKeys.get(key) ?? []))
    .map(([key, values]) => {
      const other = realKeys.get(key);
      return `${key}: ${JSON.stringify(values)} is ${JSON.stringify(other ?? "missing")} in NixOS`;
    });
}

function sameValues(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify(left.map(withoutVersions)) === JSON.stringify(right.map(withoutVersions));
}

/**
 * `/nix/store/<hash>-jq-1.6-bin/bin/jq` becomes `/nix/store/jq/bin/jq`. A file of the modules, which
 * has no version and is no folder, keeps its hash: that is its content. The tag of an image is a hash of what it is
 * made from.
 */
export function withoutVersions(value: string): string {
  const untagged = value.replaceAll(/(?<=cc-ci\.invalid\/[a-z-]+:)[0-9a-f]{32}/g, "tag");
  return untagged.replaceAll(
    /\/nix\/store\/[0-9a-z]{32}-([A-Za-z][A-Za-z0-9+_.-]*?)(?:-[0-9][^/\s":]*(?=[/\s":]|$)|(?=\/))/g,
    "/nix/store/$1",
  );
}
