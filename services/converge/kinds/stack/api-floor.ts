import { parseImage } from "../../adapters/image-reference.ts";

/** The version of the Engine API that an older Traefik asks for, whatever it could speak. */
export const traefikApi = "1.24";

/**
 * The first Traefik of each major version that asks the daemon which version it speaks. Older ones
 * find nothing on Docker 29 (`client version 1.24 is too old`), and serve nothing.
 */
const negotiates: Readonly<Record<number, readonly number[]>> = { 2: [2, 11, 31], 3: [3, 6, 1] };

/** Whether a daemon gives no answer to who asks for `traefikApi`; `floor` is its `MinAPIVersion`. */
export function shutsOut(floor: string): boolean {
  return compare(numbersOf(floor), numbersOf(traefikApi)) > 0;
}

/** The images of Traefik that ask for `traefikApi`, whatever the daemon speaks. */
export function oldTraefiks(images: readonly string[]): readonly string[] {
  return images.filter((image) => {
    const { repository, tag = "" } = parseImage(image);
    if (!/(?:^|\/)traefik$/.test(repository)) return false;
    const numbers = /^v?(\d+(?:\.\d+){0,2})(?:$|[^.\d])/.exec(tag)?.[1];
    // A tag without numbers moves on, and so does the open end of a short one: `v3.6` is the newest.
    return numbers !== undefined && isTooOld(numbersOf(numbers));
  });
}

function isTooOld(version: readonly number[]): boolean {
  const [major = 0] = version;
  const first = negotiates[major];
  if (first === undefined) return major < 2;
  return compare(version, first.slice(0, version.length)) < 0;
}

function numbersOf(version: string): readonly number[] {
  return version.split(".").map(Number);
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
