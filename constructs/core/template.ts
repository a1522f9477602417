import Handlebars from "handlebars";
import { envValue } from "./env-text.ts";
import { messageOf, ValueError } from "./errors.ts";
import type { NixValue } from "./nix.ts";
import { printNix } from "./nix-printer.ts";
import { attributeName } from "./nix-string.ts";

/** Template text by name; the name is the path below `templates/` without `.hbs`. */
export type TemplateSources = ReadonlyMap<string, string>;

/** What a template gets: names to values, each of which goes through a helper. */
export interface TemplateContext {
  readonly [name: string]: unknown;
}

/**
 * The templates of the house. Values reach the text through the helpers below only, and each of
 * them refuses a value that is missing or of the wrong type; a bare `{{value}}` is refused when the
 * template is compiled.
 */
export class Templates {
  readonly #sources: TemplateSources;
  readonly #compiled = new Map<string, HandlebarsTemplateDelegate>();
  readonly #engine = Handlebars.create();
  #rendering: Rendering | undefined;

  constructor(sources: TemplateSources) {
    this.#sources = sources;
    for (const name of Object.keys(this.#engine.helpers)) this.#engine.unregisterHelper(name);
    for (const [name, helper] of Object.entries(valueHelpers)) {
      this.#engine.registerHelper(name, (...given: unknown[]) => {
        if (given.length !== 2) throw new ValueError(`{{${name}}} takes one value`);
        const write = helper(given[0]);
        return typeof write === "string" ? write : this.#defer(write);
      });
    }
    this.#engine.registerHelper("if", strictIf);
    this.#engine.registerHelper("each", strictEach);
  }

  /** Renders a template. Throws a ValueError that names the template and what is amiss. */
  render(name: string, context: TemplateContext): string {
    const rendering: Rendering = { deferred: [] };
    this.#rendering = rendering;
    try {
      return naming(name, () =>
        placeDeferred(this.#template(name)(context, ownMembersAlone), rendering),
      );
    } finally {
      this.#rendering = undefined;
    }
  }

  /** Compiles every template, so that a mistake shows before anything is rendered. */
  compileAll(): void {
    for (const name of this.#sources.keys()) naming(name, () => this.#template(name));
  }

  #template(name: string): HandlebarsTemplateDelegate {
    const known = this.#compiled.get(name);
    if (known !== undefined) return known;
    const source = this.#sources.get(name);
    if (source === undefined) throw new ValueError("there is no such template");
    const program = this.#parse(source);
    refuseUnsafe(program, Object.keys(this.#engine.helpers));
    const compiled = this.#engine.compile(program, {
      noEscape: true,
      strict: true,
      knownHelpersOnly: true,
      knownHelpers: Object.fromEntries(Object.keys(this.#engine.helpers).map((key) => [key, true])),
    });
    this.#compiled.set(name, compiled);
    return compiled;
  }

  #parse(source: string): hbs.AST.Program {
    try {
      return this.#engine.parse(source);
    } catch (error) {
      throw new ValueError(messageOf(error));
    }
  }

  #defer(write: Write): string {
    if (this.#rendering === undefined) throw new Error("a helper ran outside of a rendering");
    return `${mark}${this.#rendering.deferred.push(write) - 1}${mark}`;
  }
}

/** Handlebars' own default, said so that it does not warn. */
const ownMembersAlone: Handlebars.RuntimeOptions = {
  allowProtoPropertiesByDefault: false,
  allowProtoMethodsByDefault: false,
};

/** Adds the name of the template to what is amiss in it. */
function naming<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ValueError || error instanceof Handlebars.Exception)) throw error;
    throw new ValueError(`templates/${name}.hbs: ${error.message.replaceAll("\n", " ")}`);
  }
}

/** Writes a value that needs to know where it stands: blanks before its line, and its column. */
type Write = (indent: number, column: number, after: number) => string;

interface Rendering {
  readonly deferred: Write[];
}

/** Never part of a template or a value: helpers refuse control characters. */
const mark = "\u0001";

const valueHelpers: Readonly<Record<string, (value: unknown) => string | Write>> = {
  /** Any Nix value, laid out for the line that it stands on. */
  nix: (value) => {
    if (value === undefined) throw new ValueError("{{nix}} got no value");
    return (indent, column, after) => printNix(value as NixValue, { indent, column, after });
  },
  /** An attribute name, quoted where it must be. */
  nixName: (value) => attributeName(text("nixName", value)),
  /** The value of a variable in an `.env` file. */
  env: (value) => envValue(text("env", value)),
  /** A scalar or collection in YAML's flow style, which JSON is a part of. */
  yaml: (value) => {
    const written = JSON.stringify(value);
    if (written === undefined) throw new ValueError("{{yaml}} got no value");
    return written.replaceAll("\u007f", "\\u007f");
  },
  /** Text of one line that stands in a comment, a name that was checked, prose. */
  line: (value) => oneLine("line", value),
  /** The cell of a Markdown table. */
  cell: (value) => oneLine("cell", value).replaceAll("\\", "\\\\").replaceAll("|", "\\|"),
  /** The text of a quoted Mermaid label; `#quot;` is its spelling of a quote. */
  mermaid: (value) => oneLine("mermaid", value).replaceAll("#", "#35;").replaceAll('"', "#quot;"),
};

function strictIf(this: unknown, value: unknown, options: Handlebars.HelperOptions): string {
  if (typeof value !== "boolean") throw new ValueError("{{#if}} takes true or false");
  return value ? options.fn(this) : options.inverse(this);
}

function strictEach(values: unknown, options: Handlebars.HelperOptions): string {
  if (!Array.isArray(values)) throw new ValueError("{{#each}} takes a list");
  return values.map((value) => options.fn(value)).join("");
}

function text(helper: string, value: unknown): string {
  if (typeof value !== "string")
    throw new ValueError(`{{${helper}}} takes text, got ${typeof value}`);
  return value;
}

function oneLine(helper: string, value: unknown): string {
  const checked = text(helper, value);
  if (/[\p{Cc}\u2028\u2029]/u.test(checked)) {
    throw new ValueError(`{{${helper}}} takes text of one line, got ${JSON.stringify(checked)}`);
  }
  return checked;
}

/** Puts each deferred value in, now that its line is known. */
function placeDeferred(rendered: string, rendering: Rendering): string {
  if (rendering.deferred.length === 0) return rendered;
  return rendered
    .split("\n")
    .map((line) => {
      if (!line.includes(mark)) return line;
      const indent = line.length - line.trimStart().length;
      const [start = "", ...rest] = line.split(mark);
      let written = start;
      for (let index = 0; index < rest.length; index += 2) {
        const write = rendering.deferred[Number(rest[index])];
        if (write === undefined) throw new Error("a value of a template was lost");
        const following = rest[index + 1] ?? "";
        const column = written.length - (written.lastIndexOf("\n") + 1);
        written += write(indent, column, following.length) + following;
      }
      return written;
    })
    .join("\n");
}

/**
 * Refuses what would write a value without escaping it, and what Handlebars would find fault with
 * only when it renders, or not at all.
 */
function refuseUnsafe(program: hbs.AST.Program, helpers: readonly string[]): void {
  const refuse = ({ loc }: hbs.AST.Node, message: string): never => {
    throw new ValueError(`line ${loc.start.line}: ${message}`);
  };
  const checkHelper = (call: hbs.AST.MustacheStatement | hbs.AST.BlockStatement): void => {
    const name = "original" in call.path ? String(call.path.original) : "";
    if (!helpers.includes(name)) refuse(call, `there is no helper ${name}`);
  };
  class Unsafe extends Handlebars.Visitor {
    override MustacheStatement(statement: hbs.AST.MustacheStatement): void {
      if (statement.params.length === 0) {
        refuse(statement, "a value needs a helper such as {{nix value}} or {{env value}}");
      }
      if (!statement.escaped) refuse(statement, "three braces are not needed here");
      checkHelper(statement);
      super.MustacheStatement(statement);
    }
    override BlockStatement(statement: hbs.AST.BlockStatement): void {
      checkHelper(statement);
      super.BlockStatement(statement);
    }
    override PathExpression(path: hbs.AST.PathExpression): void {
      // Strict mode does not look at the arguments of helpers: a missing value would go unnamed.
      if (path.parts.length > 1) refuse(path, `${path.original} must be a value of the context`);
    }
    override PartialStatement(statement: hbs.AST.PartialStatement): void {
      refuse(statement, "partials would indent the values in them");
    }
    override PartialBlockStatement(statement: hbs.AST.PartialBlockStatement): void {
      refuse(statement, "partials would indent the values in them");
    }
    override SubExpression(call: hbs.AST.SubExpression): void {
      refuse(call, "a helper cannot be given to another one");
    }
    override Decorator(statement: hbs.AST.Decorator): void {
      refuse(statement, "there are no decorators here");
    }
    override DecoratorBlock(statement: hbs.AST.DecoratorBlock): void {
      refuse(statement, "there are no decorators here");
    }
  }
  new Unsafe().accept(program);
}
