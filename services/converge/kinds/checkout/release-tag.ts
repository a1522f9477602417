/** Which tag of a recipe is a release. */
export type TagChoice =
  | { readonly tag: string }
  | { readonly none: true; readonly nearest: readonly string[] }
  | { readonly several: readonly string[] };

/** How many tags are named to who asked for one that is not there. */
const named = 5;

/**
 * The one tag of a release, as in `5.1.1+v3.6.15`; a release may lack the part from the `+` on, and
 * then exactly one tag must match.
 */
export function chooseTag(tags: readonly string[], release: string): TagChoice {
  const matching = tags.filter(
    (tag) => tag === release || (!release.includes("+") && tag.startsWith(`${release}+`)),
  );
  const [tag] = matching;
  if (matching.length > 1) return { several: matching.toSorted(byVersion) };
  return tag === undefined ? { none: true, nearest: nearestTags(tags, release) } : { tag };
}

/** Those that share the most leading numbers with the release, the newest first. */
function nearestTags(tags: readonly string[], release: string): readonly string[] {
  const wanted = numbersOf(release);
  const shared = (tag: string): number => {
    const numbers = numbersOf(tag);
    const end = wanted.findIndex((number, index) => numbers[index] !== number);
    return end === -1 ? wanted.length : end;
  };
  return tags
    .filter((tag) => /^\d+\.\d+\.\d+(?:\+|$)/.test(tag))
    .toSorted((a, b) => shared(b) - shared(a) || byVersion(b, a))
    .slice(0, named);
}

/** Of the recipe itself, without what stands behind the `+`. */
function numbersOf(tag: string): readonly number[] {
  return (tag.split("+")[0] ?? "").split(".").map(Number);
}

function byVersion(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}
