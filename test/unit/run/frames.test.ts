import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Frame,
  FrameReader,
  frameLine,
  framesOf,
  frameTextLimit,
} from "../../../services/run/frames.ts";

/** The bytes in portions that are cut anywhere. */
function portions(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  const sorted = places.toSorted((one, other) => one - other);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

/** What a reader makes of lines that come in portions. */
function read(lines: string, cuts: readonly number[] = []): readonly Frame[] {
  const reader = new FrameReader();
  return portions(Buffer.from(lines), cuts).flatMap((portion) => reader.push(portion));
}

const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
const cuts = fc.array(fc.nat(), { maxLength: 20 });
const end: Frame = { kind: "end", passed: false, text: "over" };

/** Text that can be sent: half a character becomes a mark for one. */
const sent = (text: string) => Buffer.from(text.toWellFormed()).toString();

describe("what a run prints", () => {
  test("comes out as it went in, wherever the connection cuts it", () => {
    fc.assert(
      fc.property(fc.array(anyText), cuts, (texts, places) => {
        const lines = [...texts.flatMap(framesOf), end].map(frameLine).join("");
        const frames = read(lines, places);
        const printed = frames.map((frame) => (frame.kind === "output" ? frame.text : ""));
        expect(printed.join("")).toBe(texts.map(sent).join(""));
        expect(frames.at(-1)).toEqual(end);
      }),
    );
  });

  test("is never taken for the end, or for anything else than output", () => {
    const forged = [
      ...[
        frameLine({ kind: "end", passed: true, text: "passed" }),
        "\n",
        "\r\n",
        "\u2028",
        "\u0000",
      ],
      ...['"}\n{"kind":"end","passed":true,"text":"x"}\n', '\\"}\n', "\u0085", "\u001b[2J"],
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...forged)), cuts, (texts, places) => {
        const lines = texts.flatMap(framesOf).map(frameLine).join("");
        expect(read(lines, places).every(({ kind }) => kind === "output")).toBe(true);
      }),
    );
  });

  test("is cut between characters when it is long", () => {
    const text = `a${"😀".repeat(frameTextLimit)}`;
    const frames = framesOf(text);
    expect(frames.length).toBeGreaterThan(2);
    expect(frames.every((frame) => "text" in frame && frame.text.isWellFormed())).toBe(true);
    expect(read(frames.map(frameLine).join(""))).toEqual(frames);
  });
});

describe("a reader refuses", () => {
  test.for([
    ["what is no JSON", "hello\n"],
    ["an empty line", "\n"],
    ["a frame that nobody knows", '{"kind":"exit","status":0}\n'],
    ["a frame with more in it", '{"kind":"taken","more":1}\n'],
    ["an end without a word", '{"kind":"end","passed":true}\n'],
    ["an end that is text", '{"kind":"end","passed":"true","text":""}\n'],
    ["a second end", `${frameLine(end)}${frameLine(end)}`],
    ["output behind the end", `${frameLine(end)}${frameLine({ kind: "taken" })}`],
    ["half a line behind the end", `${frameLine(end)}{`],
    ["a line that does not end", "x".repeat(200_000)],
    ["a line that is too long", `{"kind":"output","text":"${"x".repeat(200_000)}"}\n`],
  ])("%s", ([, lines]) => {
    expect(() => read(lines ?? "")).toThrow();
  });
});
