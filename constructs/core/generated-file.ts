import { Construct } from "constructs";
import { isRelativePath } from "./file-spec.ts";
import { type CommentStyle, jsonWithHeader, type Rendered, withHeader } from "./header.ts";
import type { JsonObject } from "./json.ts";
import type { TemplateContext, Templates } from "./template.ts";

/** What any generated file needs. */
interface GeneratedFileProps {
  /** Path below the root of the checkout. */
  readonly path: string;
}

/**
 * A file that the tree emits. Its source, as the header and the manifest name it, is the construct
 * that it was put into. Declaring a path twice throws at once.
 */
export abstract class GeneratedFile extends Construct {
  readonly path: string;

  constructor(scope: Construct, id: string, props: GeneratedFileProps) {
    super(scope, id);
    this.path = props.path;
    this.node.addValidation({
      validate: () =>
        isRelativePath(this.path)
          ? []
          : [`${JSON.stringify(this.path)} is no path below the root of the checkout`],
    });
    claimPath(this);
  }

  /** Path of the construct that declared this file. */
  get source(): string {
    return this.node.scope?.node.path ?? "";
  }

  /** The whole text of the file. Throws a UserError where a value or a template is amiss. */
  abstract render(templates: Templates): Rendered;
}

/** A file whose shape is a template. */
export class TemplateFile extends GeneratedFile {
  readonly #props: TemplateFileProps;

  constructor(scope: Construct, id: string, props: TemplateFileProps) {
    super(scope, id, props);
    this.#props = props;
  }

  render(templates: Templates): Rendered {
    const { template, comment = "#", context } = this.#props;
    return withHeader(comment, this.source, templates.render(template, context()));
  }
}

export interface TemplateFileProps extends GeneratedFileProps {
  /** Path of the template below `templates/`, without `.hbs`. */
  readonly template: string;
  /** How the header is written. @default "#" */
  readonly comment?: CommentStyle;
  /** The values, asked for when the whole tree stands. */
  readonly context: () => TemplateContext;
}

/** A JSON document, sorted and pretty. */
export class JsonFile extends GeneratedFile {
  readonly #props: JsonFileProps;

  constructor(scope: Construct, id: string, props: JsonFileProps) {
    super(scope, id, props);
    this.#props = props;
  }

  render(): Rendered {
    return jsonWithHeader(this.source, this.#props.content());
  }
}

export interface JsonFileProps extends GeneratedFileProps {
  /** The document, asked for when the whole tree stands; checked by whoever gives it. */
  readonly content: () => JsonObject;
}

const claims = new WeakMap<Construct, Map<string, string>>();

function claimPath(file: GeneratedFile): void {
  const root = file.node.root as Construct;
  const taken = claims.get(root) ?? new Map<string, string>();
  claims.set(root, taken);
  const other = taken.get(file.path);
  if (other !== undefined) {
    throw new Error(`${file.source}: ${file.path} is written by ${other} already`);
  }
  taken.set(file.path, file.source);
}
