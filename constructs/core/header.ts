import { digestOf } from "./digest.ts";
import { canonicalJson, type JsonObject, printJson } from "./json.ts";

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

/** `content` as JSON, with the header as the member `//`, which no digest but the manifest's counts. */
export function jsonWithHeader(source: string, content: JsonObject): Rendered {
  const digest = digestOf(canonicalJson(content));
  return { text: printJson({ ...content, "//": headerLines(source, digest).join(" ") }), digest };
}
