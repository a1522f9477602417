import { ValueError } from "./errors.ts";
import {
  isAttributes,
  isNixExpression,
  type NixAttributes,
  type NixExpression,
  type NixValue,
} from "./nix.ts";
import { attributeName, doubleQuoted, escapeDoubleQuoted, indentedLines } from "./nix-string.ts";

/** The width at which nixfmt breaks what it can break (RFC 166); indentation is not part of it. */
const width = 100;

/** Where a value stands on its line. */
interface Place {
  /** Blanks before the first character of the line. */
  readonly indent: number;
  /** Characters of the line before the value. */
  readonly column: number;
  /** Characters that follow the value on its last line, such as the `;` of a binding. */
  readonly after: number;
}

/**
 * Prints a value in the layout of nixfmt (RFC 166), sets sorted by name. Throws a ValueError for a
 * value that Nix cannot hold: fractions, integers beyond 2^53 - 1, control characters. The layout is
 * nixfmt's own for calls as options need them, `lib.mkForce { … }` or `lib.mkIf x (lib.mkForce y)`;
 * it would lay out anew those with three arguments, or with one of several lines before the last.
 */
export function printNix(value: NixValue, place: Partial<Place> = {}): string {
  const indent = place.indent ?? 0;
  return print(value, { indent, column: place.column ?? indent, after: place.after ?? 0 });
}

function print(value: NixValue, place: Place): string {
  if (value === null) return "null";
  if (isNixExpression(value)) return printExpression(value, place);
  if (Array.isArray(value)) return printList(value, place);
  if (isAttributes(value)) return printAttributes(value, place);
  switch (typeof value) {
    case "string":
      return printString(value, place);
    case "number":
      return printInteger(value);
    case "boolean":
      return String(value);
    default:
      throw new ValueError(`a value of type ${typeof value} cannot be printed as Nix`);
  }
}

function printExpression(expression: NixExpression, place: Place): string {
  switch (expression.kind) {
    case "path":
      return printPath(expression.path);
    case "name":
      return printName(expression.path);
    case "text":
      return `"${expression.parts.map((part) => printTextPart(part, place)).join("")}"`;
    case "application":
      return printApplication(expression.operator, expression.operands, place);
  }
}

function printName([first = "", ...rest]: readonly string[]): string {
  const name = attributeName(first);
  // In quotes it would be a string.
  if (name !== first) throw new ValueError(`${JSON.stringify(first)} cannot be a name in Nix`);
  return [name, ...rest.map(attributeName)].join(".");
}

function printTextPart(part: string | NixExpression, place: Place): string {
  // '$${' would not interpolate, whatever may follow here.
  if (typeof part === "string") return escapeDoubleQuoted(part).replace(/\$$/, "\\$");
  const indent = place.indent + 2;
  const code = printExpression(part, { indent, column: indent, after: 0 });
  return code.includes("\n") ? `\${${onItsOwnLines(code, place)}}` : `\${${code}}`;
}

/** Code that was printed two blanks deeper, between a bracket before it and one after it. */
function onItsOwnLines(code: string, { indent }: Place): string {
  const margin = " ".repeat(indent);
  return `\n${margin}  ${code}\n${margin}`;
}

function printPath(path: string): string {
  // A path literal holds no blanks and nothing that ends it; the rest is put together from a string.
  return /^[A-Za-z0-9._+-]+(\/[A-Za-z0-9._+-]+)*$/.test(path)
    ? `./${path}`
    : `(./. + ${doubleQuoted(`/${path}`)})`;
}

function printApplication(
  operator: NixExpression,
  operands: readonly NixValue[],
  place: Place,
): string {
  const leading = [operator, ...operands.slice(0, -1)]
    .map((operand) => printOperand(operand, place))
    .join(" ");
  const last = operands.at(-1) ?? null;
  // nixfmt keeps the opening bracket of the last argument on the line of the call.
  const text = `${leading} ${printOperand(last, { ...place, column: place.column + columnsOf(leading) + 1 })}`;
  if (!isApplication(last) || hugs(last) || fits(text, place)) return text;
  const indent = place.indent + 2;
  const code = printExpression(last, { indent, column: indent, after: 0 });
  return `${leading} (${onItsOwnLines(code, place)})`;
}

/** Whether nixfmt keeps the parentheses of a last argument on its line too: `f (g {` … `})`. */
function hugs({ operator, operands }: Application): boolean {
  const [only = null, ...more] = operands;
  const isPlainCall = operator.kind === "name" && operator.path.length === 1 && more.length === 0;
  return isPlainCall && !isSimple(only) && !isApplication(only);
}

/** A value as an argument or a list element, where applications and signs need parentheses. */
function printOperand(value: NixValue, place: Place): string {
  if (typeof value === "number" && value < 0) return `(${printInteger(value)})`;
  if (isApplication(value)) {
    return `(${print(value, { ...place, column: place.column + 1, after: place.after + 1 })})`;
  }
  if (isAttributes(value)) {
    const short = attributesOnOneLine(value, place);
    if (short !== undefined) return short;
  }
  return print(value, place);
}

function printString(text: string, place: Place): string {
  const lines = indentedLines(text);
  if (lines === undefined) return doubleQuoted(text);
  const margin = " ".repeat(place.indent);
  const content = lines.map((line) => (line === "" ? "" : `${margin}  ${line}`));
  return ["''", ...content, `${margin}''`].join("\n");
}

function printInteger(value: number): string {
  if (!Number.isSafeInteger(value)) {
    throw new ValueError(`${value} cannot be written in Nix: only integers up to 2^53 - 1 are`);
  }
  return String(value === 0 ? 0 : value);
}

function printAttributes(attributes: NixAttributes, place: Place): string {
  const bindings = bindingsOf(attributes);
  if (bindings.length === 0) return "{ }";
  const indent = place.indent + 2;
  const lines = bindings.map(([name, value]) => {
    const left = `${" ".repeat(indent)}${attributeName(name)} =`;
    const place = { indent, column: columnsOf(left) + 1, after: 1 };
    const text = print(value, place);
    const [start = ""] = text.split("\n");
    const stays = fits(start, { ...place, after: start === text ? place.after : 0 });
    if (stays || !mayStartItsLine(name, value)) return `${left} ${text};`;
    const below = { indent: indent + 2, column: indent + 2, after: 1 };
    return `${left}\n${" ".repeat(below.indent)}${print(value, below)};`;
  });
  return ["{", ...lines, `${" ".repeat(place.indent)}}`].join("\n");
}

/** `{ a = 1; }` when it has one binding, that binding is simple, and all of it fits. */
function attributesOnOneLine(attributes: NixAttributes, place: Place): string | undefined {
  const [first, ...rest] = bindingsOf(attributes);
  if (first === undefined || rest.length > 0 || !isSimple(first[1])) return undefined;
  const text = `{ ${attributeName(first[0])} = ${print(first[1], place)}; }`;
  return fits(text, place) ? text : undefined;
}

function printList(elements: readonly NixValue[], place: Place): string {
  if (elements.length === 0) return "[ ]";
  const [first] = elements;
  if (elements.length === 1 && first !== undefined && isListable(first)) {
    const text = `[ ${printOperand(first, { ...place, column: place.column + 2, after: place.after + 2 })} ]`;
    if (fits(text, place)) return text;
  }
  const indent = place.indent + 2;
  const lines = elements.map(
    (element) =>
      `${" ".repeat(indent)}${printOperand(element, { indent, column: indent, after: 0 })}`,
  );
  return ["[", ...lines, `${" ".repeat(place.indent)}]`].join("\n");
}

/** Whether a value that is too long for the line of its name goes to the next one. */
function mayStartItsLine(name: string, value: NixValue): boolean {
  if (isNixExpression(value) && value.kind === "name") return true;
  return attributeName(name).startsWith('"') && (isSimple(value) || isApplication(value));
}

/** Whether a list of just this element may stay on one line. */
function isListable(value: NixValue): boolean {
  if (isAttributes(value)) return bindingsOf(value).length === 1;
  return isSimple(value);
}

/** A value without parts of its own that could be broken over lines. */
function isSimple(value: NixValue): boolean {
  if (isNixExpression(value)) return value.kind !== "application";
  if (typeof value === "string") return indentedLines(value) === undefined;
  return typeof value !== "object" || value === null;
}

type Application = Extract<NixExpression, { kind: "application" }>;

function isApplication(value: NixValue): value is Application {
  return isNixExpression(value) && value.kind === "application";
}

function fits(text: string, place: Place): boolean {
  return !text.includes("\n") && columnsOf(text) <= room(place);
}

/** How many columns are left for a value on its line. */
function room({ indent, column, after }: Place): number {
  return width + indent - column - after;
}

/** The width of a line as nixfmt counts it: one column for each code point. */
function columnsOf(line: string): number {
  return [...line].length;
}

function bindingsOf(attributes: NixAttributes): readonly (readonly [string, NixValue])[] {
  return Object.entries(attributes)
    .filter((binding): binding is [string, NixValue] => binding[1] !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
}
