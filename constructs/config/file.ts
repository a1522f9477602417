import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { messageOf, type Problem, UserError } from "../core/errors.ts";
import { nearest } from "./nearest.ts";
import { type Config, configSchema } from "./schema.ts";

/** A path of keys into the file. */
type ConfigPath = readonly (string | number)[];

/** A configuration that was read, and where in its file each value stands. */
export interface ConfigFile {
  readonly config: Config;
  /** `cc-ci.yaml:12:5 hosts.cc-ci.traefik.domain`, or of the nearest value above it. */
  readonly locate: (path: ConfigPath) => string;
}

/**
 * Reads the text of `cc-ci.yaml`. Throws one UserError with every problem of its syntax or else of
 * its shape, each with file, line, column and path.
 */
export function readConfig(name: string, source: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const syntax = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    where: at(pos[0]),
    message: `${firstLine(message)}: mend the YAML here`,
  }));
  visit(document, {
    Pair: (_, { key }) => {
      // As a key of an object it would set the object's prototype, and be lost without a word.
      if (isScalar(key) && key.value === "__proto__") {
        const where = `${at(key.range?.[0] ?? 0)} __proto__`;
        syntax.push({ where, message: "cannot be a name: choose another" });
      }
    },
  });
  if (syntax.length > 0) throw new UserError(syntax);

  const root: Node | null = document.contents;
  const locate = (path: ConfigPath): string => {
    const { offset } = find(root, path);
    return `${at(offset)} ${path.length === 0 ? "(top level)" : path.join(".")}`;
  };
  const parsed = configSchema.safeParse(toValue(() => document.toJS({ maxAliasCount: 100 }), name));
  if (!parsed.success) {
    throw new UserError(
      parsed.error.issues
        .flatMap((issue) => explain(issue, (path) => find(root, path).value))
        .map(({ path, message }) => ({ where: locate(path), message })),
    );
  }
  return { config: parsed.data, locate };
}

function toValue(read: () => unknown, name: string): unknown {
  try {
    return read();
  } catch (error) {
    throw new UserError([{ where: name, message: `${messageOf(error)}: write the values out` }]);
  }
}

interface Found {
  readonly offset: number;
  /** Undefined where the path does not lead to the end. */
  readonly value: unknown;
}

/** The value at a path, or the nearest one above it that is there; keys stand for their values. */
function find(root: Node | null, path: ConfigPath): Found {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of path) {
    const pair = isMap(node)
      ? node.items.find(
          ({ key }) => (isScalar(key) ? String(key.value) : undefined) === String(step),
        )
      : undefined;
    const item = isSeq(node) ? node.items[Number(step)] : undefined;
    if (isPair(pair)) {
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (item !== undefined && item !== null) {
      offset = (item as Node).range?.[0] ?? offset;
      node = item;
    } else return { offset, value: undefined };
  }
  return { offset, value: isScalar(node) ? node.value : node };
}

/** Puts an issue of zod into words that say what would be right. */
function explain(
  issue: z.core.$ZodIssue,
  valueAt: (path: ConfigPath) => unknown,
): readonly { readonly path: ConfigPath; readonly message: string }[] {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const known = knownKeys(path);
        const guess = nearest(key, known);
        const remedy =
          guess === undefined ? `it knows ${known.join(", ")}` : `did you mean ${guess}?`;
        return { path: [...path, key], message: `is no key that is known here: ${remedy}` };
      });
    case "invalid_type": {
      const value = valueAt(path);
      const wanted = typeNames[issue.expected] ?? issue.expected;
      if (value === undefined) return [{ path, message: `is missing: must be ${wanted}` }];
      const quotes = issue.expected === "string" && typeof value !== "object";
      const shown = quotes ? `: put it in quotes, as in "${String(value)}"` : "";
      return [{ path, message: `must be ${wanted}, and is ${nameOf(value)}${shown}` }];
    }
    case "invalid_value":
      return [{ path, message: `must be one of ${issue.values.map(String).join(", ")}` }];
    case "invalid_key": {
      const own = issue.issues.find(({ code }) => code === "custom");
      const rule = "cannot be a name: use up to 63 lower-case letters, digits and inner dashes";
      return [{ path, message: own?.message ?? rule }];
    }
    case "too_small":
      return [{ path, message: `must be more than ${String(issue.minimum)}` }];
    default:
      return [{ path, message: issue.message }];
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  object: "a mapping of keys to values",
  record: "a mapping of names to values",
  array: "a list",
  boolean: "true or false",
};

function nameOf(value: unknown): string {
  if (value === null) return "empty";
  if (isSeq(value)) return "a list";
  if (isMap(value)) return "a mapping";
  if (typeof value === "string") return "text";
  if (typeof value === "number") return Number.isInteger(value) ? "a whole number" : "a number";
  return typeof value === "boolean" ? "true or false" : `of type ${typeof value}`;
}

/** The keys that the schema knows at a path. */
function knownKeys(path: ConfigPath): readonly string[] {
  let schema: unknown = configSchema;
  for (const step of path) {
    const { def } = unwrap(schema);
    schema = def.shape?.[String(step)] ?? def.valueType ?? def.element;
  }
  return Object.keys(unwrap(schema).def.shape ?? {});
}

interface SchemaNode {
  readonly def: {
    readonly innerType?: unknown;
    readonly shape?: Readonly<Record<string, unknown>>;
    readonly valueType?: unknown;
    readonly element?: unknown;
  };
}

function unwrap(schema: unknown): SchemaNode {
  const node = schema as SchemaNode;
  return node.def.innerType === undefined ? node : unwrap(node.def.innerType);
}

function firstLine(message: string): string {
  return message.split("\n")[0] ?? message;
}

/** The part of the file that a construct was made of. */
export interface Origin {
  readonly path: ConfigPath;
  /** A mapping holds the properties of the construct as keys; a value is one of them by itself. */
  readonly part: "mapping" | "value";
}

/** The problems with every place of a construct replaced by that of its value in the file. */
export function relocate(
  problems: readonly Problem[],
  origins: ReadonlyMap<string, Origin>,
  file: ConfigFile,
): readonly Problem[] {
  return problems.map((problem) => {
    const origin = originOf(problem.where, origins);
    if (origin === undefined) return problem;
    const [, property, rest] = /^([A-Za-z]+): (.*)$/s.exec(problem.message) ?? [];
    if (property === undefined || rest === undefined) {
      return { where: file.locate(origin.path), message: problem.message };
    }
    const path = origin.part === "value" ? origin.path : [...origin.path, property];
    return { where: file.locate(path), message: rest };
  });
}

/** The origin of a construct, or of the nearest one around it. */
function originOf(where: string, origins: ReadonlyMap<string, Origin>): Origin | undefined {
  for (let path = where; path !== ""; path = path.slice(0, Math.max(path.lastIndexOf("/"), 0))) {
    const origin = origins.get(path);
    if (origin !== undefined) return origin;
  }
  return undefined;
}
