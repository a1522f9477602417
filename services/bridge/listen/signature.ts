import { createHmac, timingSafeEqual } from "node:crypto";

/** What the forge signs with: the SHA-256 HMAC of the very bytes, in hex, 64 digits (Gitea 1.26, Forgejo). */
const signature = /^[0-9a-f]{64}$/i;

/**
 * Whether the bytes were signed by who has one of the keys: two count while one takes the other's place. A forge
 * whose hook has no secret sends an empty signature, which is none.
 */
export function isSigned(bytes: Uint8Array, signed: string, keys: readonly string[]): boolean {
  if (!signature.test(signed)) return false;
  const given = Buffer.from(signed, "hex");
  // All of them, whichever it is.
  return keys
    .map((key) => timingSafeEqual(createHmac("sha256", key).update(bytes).digest(), given))
    .includes(true);
}
