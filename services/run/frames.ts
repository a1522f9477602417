import * as z from "zod";

/**
 * What the host says to who asked for a run: one JSON object a line. The run's own output stands inside of
 * a string, so nothing that it prints can be taken for anything else than output.
 */
const frameSchema = z.discriminatedUnion("kind", [
  /** The first: there was a free place, and the request is being looked at. */
  z.strictObject({ kind: z.literal("taken") }),
  /** What the run printed, or what the host has to say of it. */
  z.strictObject({ kind: z.literal("output"), text: z.string() }),
  /** The last where no run may begin now: it is to be asked for again. */
  z.strictObject({ kind: z.literal("later"), text: z.string() }),
  /** The last: what the run came to. */
  z.strictObject({ kind: z.literal("end"), passed: z.boolean(), text: z.string() }),
]);

export type Frame = Readonly<z.infer<typeof frameSchema>>;

/** Text of one frame at the most, in UTF-16 units: each takes six bytes where JSON escapes it. */
export const frameTextLimit = 16 * 1024;

/** The longest line that is read, in bytes. */
const lineLimit = 6 * frameTextLimit + 1024;

/** A frame as it is sent, its line break included. */
export function frameLine(frame: Frame): string {
  return `${JSON.stringify(frame)}\n`;
}

/** The text in pieces that fit into a frame. */
export function framesOf(text: string): readonly Frame[] {
  const frames: Frame[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + frameTextLimit, text.length);
    // Not between the two halves of a character.
    if (to < text.length && /[\ud800-\udbff]/.test(text[to - 1] ?? "")) to -= 1;
    frames.push({ kind: "output", text: text.slice(from, to) });
    from = to;
  }
  return frames;
}

/** Reads frames from bytes that come in any portions. */
export class FrameReader {
  #rest = Buffer.alloc(0);
  #hasEnded = false;

  /** @throws {Error} for what is no frame, a line that is too long, and whatever follows the end */
  push(bytes: Buffer): readonly Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      frames.push(this.#frame(this.#rest.subarray(0, end)));
      this.#rest = this.#rest.subarray(end + 1);
    }
    if (this.#rest.length > lineLimit) throw new Error("a line that has no end");
    if (this.#hasEnded && this.#rest.length > 0) throw new Error("more than the end");
    return frames;
  }

  #frame(line: Buffer): Frame {
    if (this.#hasEnded) throw new Error("more than the end");
    if (line.length > lineLimit) throw new Error("a line that has no end");
    const frame = frameSchema.parse(JSON.parse(line.toString("utf8")));
    this.#hasEnded = frame.kind === "end" || frame.kind === "later";
    return frame;
  }
}
