import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { synthesize } from "../../../constructs/app.ts";
import { ConfigurationPapers } from "../../../constructs/config/papers.ts";
import { readTemplates } from "../../../constructs/core/checkout.ts";
import { ValueError } from "../../../constructs/core/errors.ts";
import { nixName, nixText } from "../../../constructs/core/nix.ts";
import { type TemplateContext, Templates } from "../../../constructs/core/template.ts";
import { everything } from "../../nix/everything.ts";
import { appOf } from "../../synthesized.ts";

function render(source: string, context: TemplateContext = {}): string {
  return new Templates(new Map([["t", source]])).render("t", context);
}

/** The message of the error, which names the template. */
function refusal(source: string, context: TemplateContext = {}): string {
  try {
    return `rendered as ${render(source, context)}`;
  } catch (error) {
    expect(error).toBeInstanceOf(ValueError);
    return error instanceof Error ? error.message : "";
  }
}

describe("a mistake in a template is refused when it is compiled", () => {
  test.each([
    ["a bare value", "a\n{{value}}\n", /line 2: a value needs a helper/],
    ["a bare path", "{{a.b}}", /line 1: a value needs a helper/],
    ["a bare value in a block", "{{#if x}}\n{{value}}\n{{/if}}", /line 2: a value needs a helper/],
    ["a bare value in an else", "{{#if x}}{{else}}{{value}}{{/if}}", /a value needs a helper/],
    ["a bare value in a list", "{{#each x}}{{this}}{{/each}}", /a value needs a helper/],
    ["three braces", "{{{nix value}}}", /three braces are not needed/],
    ["three braces without a helper", "{{{value}}}", /a value needs a helper/],
    ["an ampersand", "{{& nix value}}", /three braces are not needed/],
    ["a partial", "\n{{> other}}", /line 2: partials would indent/],
    ["a partial with a block", "{{#> other}}{{/other}}", /partials would indent/],
    ["a helper that there is not", "{{shell value}}", /line 1: there is no helper shell/],
    ["a helper of Handlebars", "{{lookup value 'a'}}", /there is no helper lookup/],
    ["a block of Handlebars", "{{#with value}}{{/with}}", /there is no helper with/],
    ["an inherited method as a helper", "{{toString value}}", /there is no helper toString/],
    ["a constructor as a helper", "{{constructor value}}", /there is no helper constructor/],
    ["a block that is not closed", "{{#if x}}", /Parse error/],
    ["a decorator", "{{* x}}", /there are no decorators/],
    ["a decorator with a block", "{{#* x}}{{/x}}", /there are no decorators/],
    ["a raw block", "{{{{raw}}}}{{{{/raw}}}}", /there is no helper raw/],
    ["a member of a value", "{{nix a.b}}", /line 1: a\.b must be a value of the context/],
    ["a prototype of a value", "{{nix a.__proto__}}", /a\.__proto__ must be a value/],
    ["a constructor of a value", "{{#if a.constructor}}{{/if}}", /must be a value of the context/],
    ["a helper in a helper", "{{nix (nix a)}}", /a helper cannot be given to another/],
  ])("%s", (_, source, message) => {
    const templates = new Templates(new Map([["t", source]]));
    expect(() => templates.compileAll()).toThrow(/^templates\/t\.hbs: /);
    expect(refusal(source, { x: true, value: "a", a: { b: "c" } })).toMatch(message);
  });

  test("and a template that there is not", () => {
    expect(() => new Templates(new Map()).render("t", {})).toThrow(
      new ValueError("templates/t.hbs: there is no such template"),
    );
  });
});

describe("a value that is missing or of the wrong type is refused", () => {
  test.each([
    ["nix without a value", "{{nix value}}", {}, /{{nix}} got no value/],
    ["env without a value", "{{env value}}", {}, /{{env}} takes text, got undefined/],
    ["yaml without a value", "{{yaml value}}", {}, /{{yaml}} got no value/],
    ["nix with undefined", "{{nix value}}", { value: undefined }, /{{nix}} got no value/],
    ["yaml with undefined", "{{yaml value}}", { value: undefined }, /{{yaml}} got no value/],
    ["env with undefined", "{{env value}}", { value: undefined }, /takes text, got undefined/],
    ["env with a number", "{{env value}}", { value: 1 }, /{{env}} takes text, got number/],
    ["a name that is a number", "{{nixName value}}", { value: 1 }, /{{nixName}} takes text/],
    ["nix with a function", "{{nix value}}", { value: () => 1 }, /t\.hbs/],
    ["nix with a fraction", "{{nix value}}", { value: 1.5 }, /1\.5 cannot be written in Nix/],
    ["nix with NUL", "{{nix value}}", { value: "\u0000" }, /U\+0000/],
    ["nix with the engine's own mark", "{{nix value}}", { value: "\u0001" }, /U\+0001/],
    ["env with the engine's own mark", "{{env value}}", { value: "\u0001" }, /U\+0001/],
    ["line with the engine's own mark", "{{line value}}", { value: "\u0001" }, /one line/],
    ["line with a newline", "{{line value}}", { value: "a\nb" }, /text of one line, got "a\\nb"/],
    ["line with a carriage return", "{{line value}}", { value: "a\r" }, /text of one line/],
    ["line with a line separator", "{{line value}}", { value: "a\u2028" }, /text of one line/],
    ["cell with a newline", "{{cell value}}", { value: "a\n" }, /{{cell}} takes text of one line/],
    ["mermaid with a newline", "{{mermaid value}}", { value: "\n" }, /{{mermaid}} takes text/],
    ["if with a word", "{{#if value}}{{/if}}", { value: "yes" }, /{{#if}} takes true or false/],
    ["if with nothing", "{{#if value}}{{/if}}", { value: undefined }, /takes true or false/],
    ["if with a number", "{{#if value}}{{/if}}", { value: 0 }, /takes true or false/],
    ["if with a list", "{{#if value}}{{/if}}", { value: [] }, /takes true or false/],
    ["each with a word", "{{#each value}}{{/each}}", { value: "ab" }, /{{#each}} takes a list/],
    ["each with a set", "{{#each value}}{{/each}}", { value: { a: 1 } }, /{{#each}} takes a list/],
    ["each with nothing", "{{#each value}}{{/each}}", { value: undefined }, /takes a list/],
    [
      "a member missing in a list",
      "{{#each v}}{{nix a}}{{/each}}",
      { v: [{ b: 1 }] },
      /{{nix}} got no value/,
    ],
    ["too many values", "{{nix a b}}", { a: 1, b: 2 }, /{{nix}} takes one value/],
    ["too many values for text", "{{env a b}}", { a: "1", b: "2" }, /{{env}} takes one value/],
    ["an inherited method", "{{nix toString}}", {}, /{{nix}} got no value/],
    ["a constructor", "{{nix constructor}}", {}, /{{nix}} got no value/],
    ["a prototype", "{{nix __proto__}}", {}, /{{nix}} got no value/],
  ])("%s", (_, source, context, message) => {
    expect(refusal(source, context)).toMatch(message);
  });
});

test("names that objects inherit are values like any other when they are given", () => {
  const context = { toString: "a", constructor: "b" };
  expect(render("{{line toString}}{{line constructor}}", context)).toBe("ab");
});

test("if takes either side, and each keeps the order", () => {
  const source =
    "{{#if yes}}a{{else}}b{{/if}}{{#if no}}a{{else}}b{{/if}}{{#each l}}{{line this}}{{/each}}";
  expect(render(source, { yes: true, no: false, l: ["3", "1", "2"] })).toBe("ab312");
});

test("nothing is escaped for HTML", () => {
  expect(render("{{line value}}", { value: "<a href='x'>&\"" })).toBe("<a href='x'>&\"");
});

test("a value that looks like a template is text", () => {
  expect(render("{{nix value}}", { value: "{{nix value}}" })).toBe('"{{nix value}}"');
  expect(render("{{line value}}", { value: "{{> x}}" })).toBe("{{> x}}");
});

test("a value of several lines takes the indentation of its line", () => {
  const source = "{\n  a = {{nix a}};\n    b = {{nix b}};\n}\n";
  expect(render(source, { a: { c: [1, 2] }, b: "x\ny\n" })).toBe(`{
  a = {
    c = [
      1
      2
    ];
  };
    b = ''
      x
      y
    '';
}
`);
});

test("two values on one line are both laid out for that line", () => {
  const source = "  f {{nix a}} {{nix b}};\n";
  expect(render(source, { a: { x: 1 }, b: ["y", "z"] })).toBe(`  f {
    x = 1;
  } [
    "y"
    "z"
  ];
`);
});

test("a value knows what stands before and after it on its line", () => {
  const value = ["w".repeat(85)];
  const source = (name: string): string => `${name} = {{nix value}};`;
  expect(render(source("a"), { value })).toBe(`a = [ "${"w".repeat(85)}" ];`);
  expect(render(source("abcdef"), { value })).toBe(`abcdef = [\n  "${"w".repeat(85)}"\n];`);
});

test("code is written as code in one helper alone", () => {
  expect(render("{{nix value}}", { value: nixText`${nixName("x")}/bin` })).toBe('"${x}/bin"');
  expect(refusal("{{env value}}", { value: nixName("x") })).toMatch(/takes text, got object/);
});

test("text goes into a table, a label and a name with that format's own escapes", () => {
  expect(render("{{cell v}}", { v: "a|b\\c" })).toBe("a\\|b\\\\c");
  expect(render("{{mermaid v}}", { v: 'say "#1"' })).toBe("say #quot;#35;1#quot;");
  expect(render("{{nixName v}}", { v: "a.b" })).toBe('"a.b"');
});

test("what YAML does not count as printable is written as an escape", () => {
  expect(render("{{yaml v}}", { v: "a\u0000\u007f" })).toBe('"a\\u0000\\u007f"');
});

test("rendering goes on after a rendering that failed", () => {
  const templates = new Templates(new Map([["t", "{{nix value}}"]]));
  expect(() => templates.render("t", {})).toThrow(ValueError);
  expect(templates.render("t", { value: [1, 2] })).toBe("[\n  1\n  2\n]");
});

describe("the templates of the house", () => {
  const sources = readTemplates(join(import.meta.dirname, "../../../templates"));

  test("all compile", () => {
    expect(() => new Templates(sources).compileAll()).not.toThrow();
    expect(sources.size).toBeGreaterThan(0);
  });

  test.each([...sources.keys()])("%s is used by some construct", async (name) => {
    const others = new Map([...sources].filter(([other]) => other !== name));
    const app = appOf(everything);
    new ConfigurationPapers(app, "configuration");
    await expect(synthesize(app, new Templates(others))).rejects.toThrow(
      `templates/${name}.hbs: there is no such template`,
    );
  });
});
