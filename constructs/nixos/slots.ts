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

/** The slots that a resource fills on the host, and those that it needs filled. */
interface ResourceSlots {
  readonly fills: readonly string[];
  readonly needs: readonly string[];
}

/** Exhaustive, so that a new kind of resource cannot forget its slots. */
export function slotsOf(resource: Resource): ResourceSlots {
  switch (resource.kind) {
    case "secret":
      return { fills: [resource.version.slot], needs: [] };
    case "checkout": {
      const { version, overlay, secretVariables } = resource;
      const variables = Object.values(secretVariables?.slots ?? {});
      const filled = [version, ...variables, ...(overlay === undefined ? [] : [overlay.version])];
      return {
        fills: filled.map(({ slot }) => slot),
        needs: (overlay?.files ?? []).flatMap(({ content }) => slotIn(content)),
      };
    }
    case "env":
      return { fills: [], needs: slotIn(resource.content) };
    case "stack":
      return { fills: [], needs: slotIn(resource.version) };
    case "docker-stack": {
      const { composeFile, image } = resource;
      const values = [composeFile, image.reference, image.loader];
      return { fills: [], needs: values.flatMap(slotIn) };
    }
    case "swarm":
    case "network":
    case "host-file":
    case "served-certificate":
    case "retired":
    case "drone-account":
    case "drone-repository":
    case "drone-builds":
    case "runner-secret":
      return { fills: [], needs: [] };
    case "drained-service":
      return { fills: [], needs: slotIn(resource.program) };
  }
}

function slotIn(value: string | { readonly slot: string }): readonly string[] {
  return typeof value === "string" ? [] : [value.slot];
}
