import { createPrivateKey } from "node:crypto";

/** By the name of a secret, what must not be found where it must not be. */
export type Marks = Readonly<Record<string, readonly string[]>>;

/** Pieces of a text that are long enough to be nothing else, and short enough to be found in parts. */
const pieceLength = 24;

/**
 * What must not be found where a secret must not be: pieces of it as they stand, in hex, and in
 * base64 wherever in a longer text they may have stood.
 */
export function marksOf(secret: string): readonly string[] {
  return [...new Set(piecesOf(secret).flatMap((piece) => inOtherWords(Buffer.from(piece))))];
}

/**
 * The same of a private key of an elliptic curve in PEM, without what is no secret in it: the first
 * 48 characters say which curve, and the last ones are the public key, as the certificate has it.
 */
export function marksOfKey(pem: string): readonly string[] {
  const [first = "", second = ""] = pem.split("\n").filter((line) => !line.startsWith("-"));
  const number = createPrivateKey(pem).export({ format: "jwk" }).d ?? "";
  const written = [first.slice(48), second.slice(0, pieceLength)];
  return [
    ...new Set([
      ...written.flatMap((piece) => inOtherWords(Buffer.from(piece))),
      ...inOtherWords(Buffer.from(number, "base64url")),
    ]),
  ];
}

function piecesOf(secret: string): readonly string[] {
  const count = Math.max(1, Math.floor(secret.length / pieceLength));
  return Array.from({ length: count }, (_, at) =>
    secret.slice(at * pieceLength, (at + 1) * pieceLength),
  );
}

function inOtherWords(bytes: Buffer): readonly string[] {
  const isText = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  return [
    ...(isText ? [bytes.toString("latin1")] : []),
    bytes.toString("hex"),
    ...[0, 1, 2].map((before) => base64Behind(bytes, before)),
  ];
}

/** The characters that stand for these bytes alone, when so many others come before them. */
function base64Behind(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
  const first = Math.ceil((before * 8) / 6);
  const end = Math.floor(((before + bytes.length) * 8) / 6);
  return text.slice(first, end);
}
