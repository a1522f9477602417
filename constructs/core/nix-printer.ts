import { ValueError } from "./errors.ts";
import {
  isAttributes,
  isNixExpression,
  type NixAttributes,
  type NixExpression,
  type NixValue,
} from "./nix.ts";
import { attributeName, doubleQuoted, escapeDoubleQuoted, indentedLines } from "./nix-string.ts";

/** The width at which nixfmt breaks what it can break (RFC 166). */
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
 * value that Nix cannot hold: fractions, integers beyond 2^53 - 1, control characters.
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
      return expression.path.map(attributeName).join(".");
    case "text":
      return `"${expression.parts.map(printTextPart).join("")}"`;
    case "application":
      return printApplication(expression.operator, expression.operands, place);
  }
}

function printTextPart(part: string | NixExpression): string {
  return typeof part === "string"
    ? escapeDoubleQuoted(part)
    : `\${${printExpression(part, { indent: 0, column: 0, after: 0 })}}`;
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
  return `${leading} ${printOperand(last, { ...place, column: place.column + leading.length + 1 })}`;
}

/** A value as an argument or a list element, where applications and signs need parentheses. */
function printOperand(value: NixValue, place: Place): string {
  if (typeof value === "number" && value < 0) return `(${printInteger(value)})`;
  if (isNixExpression(value) && value.kind === "application") {
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
    const left = `${" ".repeat(indent)}${attributeName(name)} = `;
    return `${left}${print(value, { indent, column: left.length, after: 1 })};`;
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

function fits(text: string, place: Place): boolean {
  return !text.includes("\n") && place.column + text.length + place.after <= width;
}

function bindingsOf(attributes: NixAttributes): readonly (readonly [string, NixValue])[] {
  return Object.entries(attributes)
    .filter((binding): binding is [string, NixValue] => binding[1] !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
}
