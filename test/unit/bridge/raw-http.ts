import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Headers } from "./delivery.ts";

export const mebibyte = 1024 * 1024;

/** The head of a delivery. @param length of its body; undefined where it comes in parts */
export function requestHead(headers: Headers, length: number | undefined): string {
  const framing = length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return ["POST /hook HTTP/1.1", "host: a", framing, ...lines, "", ""].join("\r\n");
}

export function chunked(parts: readonly (string | Buffer)[]): readonly (string | Buffer)[] {
  return parts.flatMap((part) => [`${Buffer.byteLength(part).toString(16)}\r\n`, part, "\r\n"]);
}

export const lastChunk = "0\r\n\r\n";

/** All that comes until the other side hangs up. */
export async function received(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  // Who is hung up on while it sends hears so.
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  return text;
}

/** Until all was handed on that was written. */
export async function drained(socket: Socket): Promise<void> {
  while (socket.writableLength > 0) await sleep(10);
}
