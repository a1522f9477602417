import { digestOf } from "./digest.ts";
import { type JsonObject, sorted } from "./json.ts";

/** The command that writes every generated file again. */
const command = "npm run synth";

/** How comments are written in the formats that are generated. */
const comments = {
  "#": { open: "# ", close: "" },
  "%%": { open: "%% ", close: "" },
  "<!--": { open: "<!-- ", close: " -->" },
} as const;

export type CommentStyle = keyof typeof comments;

/** The text of a file, and the digest of it without its header. */
export interface Rendered {
  readonly text: string;
  readonly digest: string;
}

/** The lines that every generated file begins with; a digest, and never a date or a version. */
function headerLines(source: string, digest: string): readonly string[] {
  return [
    `Generated from ${source}. Do not edit: change the source, then run '${command}'.`,
    `Content ${digest}`,
  ];
}

/** `content` below its header. `source` is the path of the construct that made it. */
export function withHeader(style: CommentStyle, source: string, content: string): Rendered {
  const { open, close } = comments[style];
  const digest = digestOf(content);
  const lines = headerLines(source, digest).map((line) => `${open}${line}${close}\n`);
  return { text: `${lines.join("")}${content}`, digest };
}

/** A picture in SVG below a header that names the digest of what it was drawn from. */
export function drawing(source: string, drawnFrom: string, content: string): string {
  const [generated = ""] = headerLines(source, drawnFrom);
  return `<!-- ${generated} -->\n<!-- Drawn from ${drawnFrom} -->\n${content}`;
}

/** `content` as JSON, with the header as the member `//`, which no digest but the manifest's counts. */
export function jsonWithHeader(source: string, content: JsonObject): Rendered {
  const ordered = sorted(content);
  const digest = digestOf(JSON.stringify(ordered));
  // Sorted, that member comes first.
  const whole = { "//": headerLines(source, digest).join(" "), ...ordered };
  return { text: `${JSON.stringify(whole, undefined, 2)}\n`, digest };
}
