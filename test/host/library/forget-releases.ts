import type { Host } from "../host.ts";

/**
 * Makes a clone of a recipe what it was before upstream made any other release than the one that is
 * checked out: nothing else is in it.
 */
export async function forgetOtherReleases(host: Host, checkout: string): Promise<void> {
  const script = `set -e
cd ${checkout}
own=$(git describe --exact-match --tags HEAD)
for ref in $(git for-each-ref --format='%(refname)'); do
  [ "$ref" = "refs/tags/$own" ] || git update-ref --no-deref -d "$ref"
done
git reflog expire --expire=now --all
git gc --quiet --prune=now`;
  await host.exec(["sh", "-c", script]);
}
