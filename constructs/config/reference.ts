import * as z from "zod";
import type { Json, JsonObject } from "../core/json.ts";
import { configSchema } from "./schema.ts";

/** The JSON Schema (draft 7) of `cc-ci.yaml`, for editors. */
export function configurationSchema(): JsonObject {
  // "output" and "input" are the same here: nothing is transformed and nothing has a default.
  return z.toJSONSchema(configSchema, { target: "draft-7" }) as JsonObject;
}

/** A table of `docs/configuration.md`: the keys of one mapping. */
export interface KeyTable {
  /** Path of the mapping, with `<name>` for names that the operator chooses. */
  readonly title: string;
  readonly text: string;
  readonly keys: readonly KeyRow[];
}

interface KeyRow {
  readonly name: string;
  readonly type: string;
  readonly required: string;
  readonly text: string;
  readonly example: string;
}

/** The tables of all mappings, the outer ones first. */
export function keyTables(): readonly KeyTable[] {
  const tables: KeyTable[] = [];
  const visit = (schema: JsonObject, path: readonly string[]): void => {
    const { properties, additionalProperties } = schema;
    if (isObject(properties)) {
      const required = Array.isArray(schema.required) ? schema.required : [];
      const alternatives = Array.isArray(schema.anyOf)
        ? schema.anyOf.flatMap((one) =>
            isObject(one) && Array.isArray(one.required) ? one.required : [],
          )
        : [];
      tables.push({
        title: path.length === 0 ? "The file" : `\`${path.join(".")}\``,
        text: textOf(schema.description),
        keys: Object.entries(properties).map(([name, value]) => ({
          name,
          type: typeOf(value),
          required: required.includes(name)
            ? "yes"
            : alternatives.includes(name)
              ? "one of the two"
              : "no",
          text: isObject(value) ? textOf(value.description) : "",
          example: exampleOf(value),
        })),
      });
      for (const [name, value] of Object.entries(properties)) {
        if (isObject(value)) visit(value, [...path, name]);
      }
    }
    if (isObject(additionalProperties)) visit(additionalProperties, [...path, "<name>"]);
  };
  visit(configurationSchema(), []);
  return tables;
}

function typeOf(value: Json | undefined): string {
  if (!isObject(value)) return "";
  if (value.type === undefined && Array.isArray(value.anyOf))
    return value.anyOf.map(typeOf).join(" or ");
  if (value.const !== undefined) return `\`${String(value.const)}\``;
  if (Array.isArray(value.enum)) return value.enum.map((one) => `\`${String(one)}\``).join(" or ");
  if (value.type === "array") return `list of ${typeOf(value.items)}`;
  if (isObject(value.additionalProperties)) return `names to ${typeOf(value.additionalProperties)}`;
  return { string: "text", integer: "whole number", object: "mapping" }[textOf(value.type)] ?? "";
}

function exampleOf(value: Json | undefined): string {
  const example = isObject(value) && Array.isArray(value.examples) ? value.examples[0] : undefined;
  if (example === undefined) return "";
  return `\`${typeof example === "string" ? example : JSON.stringify(example)}\``;
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
