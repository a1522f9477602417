import { createHash } from "node:crypto";

/** `sha256:` and the SHA-256 of the UTF-8 bytes of `text`, in hex. */
export function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text, "utf8").digest("hex")}`;
}
