import type { Resource } from "../../services/converge/desired-state.ts";

/** `@slot:<name>@`: how text such as an `.env` refers to a slot. */
const inText = /@slot:([a-z][a-z0-9-]*)@/g;

/** A slot as it is written in text. */
export function textSlot(name: string): string {
  return `@slot:${name}@`;
}

/** The names of the slots that `text` refers to, each once. */
export function slotsInText(text: string): readonly string[] {
  return [...new Set([...text.matchAll(inText)].map((match) => match[1] ?? ""))];
}

/** The names of the slots that the resources fill on the host. */
export function providedSlots(resources: readonly Resource[]): readonly string[] {
  return resources.flatMap((resource) => {
    switch (resource.kind) {
      case "secret":
      case "checkout":
        return [resource.version.slot];
      default:
        return [];
    }
  });
}

/** The names of the slots that the resources need filled. */
export function usedSlots(resources: readonly Resource[]): readonly string[] {
  return resources.flatMap((resource) => {
    switch (resource.kind) {
      case "env":
        return slotOf(resource.content);
      case "stack":
        return slotOf(resource.version);
      case "secret":
        // The version is part of the secret's own name.
        return [resource.version.slot];
      default:
        return [];
    }
  });
}

function slotOf(value: string | { readonly slot: string }): readonly string[] {
  return typeof value === "string" ? [] : [value.slot];
}
