import {
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import type * as z from "zod";
import { messageOf, type Problem, UserError } from "../core/errors.ts";
import { nearest } from "./nearest.ts";
import { type Config, configSchema } from "./schema.ts";

/** A path of keys into the file. */
type ConfigPath = readonly (string | number)[];

/** A configuration that was read, and where in its file each value stands. */
export interface ConfigFile {
  /** What is well-formed of it: a host or an app that is not is left out. */
  readonly config: Config;
  /** What is not, in words; nothing may be made of the configuration while there is any. */
  readonly problems: readonly Problem[];
  /** `cc-ci.yaml:12:5 hosts.cc-ci.traefik.domain`, or of the nearest value above it. */
  readonly locate: (path: ConfigPath) => string;
}

/**
 * Reads the text of `cc-ci.yaml`. Throws one UserError with every problem of its syntax; problems of
 * its shape are in the result, so that those of meaning elsewhere can be told at the same time.
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
      const name = isScalar(key) ? key.value : undefined;
      const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (name === "__proto__") {
        // As a key of an object it would set the object's prototype, and be lost without a word.
        const where = `${at(offset)} __proto__`;
        syntax.push({ where, message: "cannot be a name: choose another" });
      } else if (typeof name !== "string") {
        // Two keys that differ in the file, such as 1 and "1", would be one.
        const where = `${at(offset)} ${isScalar(key) ? (key.source ?? "") : "(a key)"}`.trimEnd();
        syntax.push({ where, message: "a key must be text: put it in quotes" });
      }
    },
  });
  if (syntax.length > 0) throw new UserError(syntax);

  const root: Node | null = document.contents;
  const locate = (path: ConfigPath): string => {
    const { offset } = find(root, path);
    return `${at(offset)} ${path.length === 0 ? "(top level)" : path.join(".")}`;
  };
  const value = toValue(() => document.toJS({ maxAliasCount: 100 }), name);
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return { config: parsed.data, problems: [], locate };
  const problems = parsed.error.issues
    .flatMap((issue) => explain(issue, (path) => find(root, path)))
    .map(({ path, message }) => ({ where: locate(path), message }));
  return { config: wellFormed(value, parsed.error.issues), problems, locate };
}

/** The configuration without unknown keys, and without the apps and hosts that have another problem. */
function wellFormed(value: unknown, issues: readonly z.core.$ZodIssue[]): Config {
  const left = structuredClone(value);
  for (const issue of issues) {
    const [, host, section, app] = issue.path.map(String);
    const hosts = member(left, "hosts");
    if (issue.code === "unrecognized_keys") {
      const parent = issue.path.map(String).reduce(member, left);
      for (const key of issue.keys) remove(parent, key);
    } else if (section === "apps" && app !== undefined)
      remove(member(member(hosts, host), "apps"), app);
    else remove(hosts, host);
  }
  const parsed = configSchema.safeParse(left);
  return parsed.success ? parsed.data : { hosts: {} };
}

function member(value: unknown, name: string | undefined): unknown {
  const isObject = typeof value === "object" && value !== null && name !== undefined;
  return isObject && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function remove(value: unknown, name: string | undefined): void {
  if (member(value, name) !== undefined) delete (value as Record<string, unknown>)[name ?? ""];
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
  /** A scalar as it is written; undefined for anything else. */
  readonly source?: string | undefined;
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
  return isScalar(node)
    ? { offset, value: node.value, source: node.source }
    : { offset, value: node };
}

/** Puts an issue of zod into words that say what would be right. */
function explain(
  issue: z.core.$ZodIssue,
  at: (path: ConfigPath) => Found,
): readonly { readonly path: ConfigPath; readonly message: string }[] {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const known = knownKeys(path);
        const guess = nearest(key, known);
        const other = sectionBeside(path, key);
        const remedy =
          other !== undefined
            ? `it belongs to ${other.join(".")}, beside ${String(path.at(-2))}`
            : guess === undefined
              ? `it knows ${known.join(", ")}`
              : `did you mean ${guess}?`;
        return { path: [...path, key], message: `is no key that is known here: ${remedy}` };
      });
    case "invalid_type": {
      const { value, source } = at(path);
      const wanted = typeNames[issue.expected] ?? issue.expected;
      if (value === undefined) return [{ path, message: `is missing: must be ${wanted}` }];
      const quotes = issue.expected === "string" && (value === null || typeof value !== "object");
      // As it is written: the value has lost what quotes would keep, as 1.10 its last digit.
      const shown = quotes ? `: put it in quotes, as in "${value === null ? "" : source}"` : "";
      return [{ path, message: `must be ${wanted}, and is ${nameOf(value)}${shown}` }];
    }
    case "invalid_value": {
      const rule = `must be one of ${issue.values.map(String).join(", ")}`;
      if (at(path).value !== undefined) return [{ path, message: rule }];
      // Who never heard of it has to choose.
      const meaning = descriptionOf(path)?.replaceAll("`", "");
      const more = meaning === undefined ? "" : `. ${meaning}`;
      return [{ path, message: `is missing: ${rule}${more}` }];
    }
    case "invalid_key": {
      const own = issue.issues.find(({ code }) => code === "custom");
      const rule = "cannot be a name: use up to 63 lower-case letters, digits and inner dashes";
      return [{ path, message: own?.message ?? rule }];
    }
    case "too_small": {
      const words = issue.inclusive ? "at least" : "more than";
      return [{ path, message: `must be ${words} ${String(issue.minimum)}` }];
    }
    case "too_big": {
      const words = issue.inclusive ? "at most" : "less than";
      return [{ path, message: `must be ${words} ${String(issue.maximum)}` }];
    }
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
  return Object.keys(unwrap(schemaAt(path)).def.shape ?? {});
}

/** A section of the same name, beside the one around this one, that knows the key. */
function sectionBeside(path: ConfigPath, key: string): ConfigPath | undefined {
  const around = path.slice(0, -2);
  const name = String(path.at(-1));
  const isKnown = path.length > 2 && knownKeys(around).includes(name);
  const beside = [...around, name];
  return isKnown && knownKeys(beside).includes(key) ? beside : undefined;
}

function descriptionOf(path: ConfigPath): string | undefined {
  return (schemaAt(path) as Partial<z.ZodType> | undefined)?.description;
}

function schemaAt(path: ConfigPath): unknown {
  let schema: unknown = configSchema;
  for (const step of path) {
    const { def } = unwrap(schema);
    schema = def.shape?.[String(step)] ?? def.valueType ?? def.element;
  }
  return schema;
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
    const [, property, rest] = /^([A-Za-z]+(?:\.[A-Za-z]+)*): (.*)$/s.exec(problem.message) ?? [];
    if (property === undefined || rest === undefined) {
      return { where: file.locate(origin.path), message: problem.message };
    }
    const path = origin.part === "value" ? origin.path : [...origin.path, ...property.split(".")];
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
