import { describe, expect, test } from "vitest";
import { ValueError } from "../../../constructs/core/errors.ts";
import {
  type NixValue,
  nixApply,
  nixJoin,
  nixName,
  nixPath,
  nixText,
} from "../../../constructs/core/nix.ts";
import { printNix } from "../../../constructs/core/nix-printer.ts";
import { evaluateNix, nixfmt } from "../../property/oracles.ts";

const force = (value: NixValue): NixValue => nixApply(nixName("lib", "mkForce"), value);
const long = "w".repeat(90);

/** The value as that of a binding, where most of them stand. */
const bound = (value: NixValue): string =>
  `{\n  a = ${printNix(value, { indent: 2, column: 6, after: 1 })};\n}\n`;

describe("numbers", () => {
  test.each([
    [0, "0"],
    [-0, "0"],
    [7, "7"],
    [-1, "-1"],
    [2 ** 53 - 1, "9007199254740991"],
    [-(2 ** 53 - 1), "-9007199254740991"],
  ])("%d is written as %s", (value, written) => {
    expect(printNix(value)).toBe(written);
  });

  test("a negative one stands in parentheses in a list and as an argument", (context) => {
    expect(printNix([-1])).toBe("[ (-1) ]");
    expect(printNix(nixApply(nixName("f"), -1))).toBe("f (-1)");
    expect(evaluateNix(context, `let f = x: [ x ]; in ${printNix([[-1, 1]])}`)).toEqual([[-1, 1]]);
  });

  test.each([0.5, -1.5, 1e-7, 2 ** 53, 1e21, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY])(
    "%d is refused",
    (value) => {
      expect(() => printNix(value)).toThrow(
        new ValueError(`${value} cannot be written in Nix: only integers up to 2^53 - 1 are`),
      );
    },
  );
});

describe("a value that is neither data nor code is refused", () => {
  test.each([
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a big integer", 1n],
    ["nothing", undefined],
  ])("%s", (_, value) => {
    const given: unknown = value;
    expect(() => printNix(given as NixValue)).toThrow(
      new ValueError(`a value of type ${typeof value} cannot be printed as Nix`),
    );
  });
});

test("true, false and null are written as they are", (context) => {
  expect(evaluateNix(context, printNix([true, false, null]))).toEqual([true, false, null]);
});

test("sets are sorted by name, and members that are undefined left out", () => {
  expect(printNix({ b: 1, a: undefined, "": 2, B: 3 })).toBe('{\n  "" = 2;\n  B = 3;\n  b = 1;\n}');
  expect(printNix({ a: undefined })).toBe("{ }");
});

test("names that objects of JavaScript have are names like any other", (context) => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const value = Object.fromEntries(names.map((name) => [name, name]));
  const text = JSON.stringify(evaluateNix(context, printNix(value)));
  expect(text).toBe(
    JSON.stringify(Object.fromEntries(names.toSorted().map((name) => [name, name]))),
  );
});

describe("paths", () => {
  test.each([
    ["a.json", "./a.json"],
    ["a", "./a"],
    ["sub/a+b_c-d.nix", "./sub/a+b_c-d.nix"],
    ["../a.nix", "./../a.nix"],
    ["a b", '(./. + "/a b")'],
    ["a${b}", '(./. + "/a\\${b}")'],
    ["é", '(./. + "/é")'],
    ["a@b", '(./. + "/a@b")'],
    ["~/a", '(./. + "/~/a")'],
    ["a//b", '(./. + "/a//b")'],
    ["", '(./. + "/")'],
  ])("%j is written as %s", (path, written) => {
    expect(printNix(nixPath(path))).toBe(written);
  });

  test("are read by Nix as paths beside the file", (context) => {
    const paths = ["a.json", "sub/b", "a b", "a${b}", "é"];
    const list = paths.map((path) => printNix(nixPath(path))).join(" ");
    const here = evaluateNix(context, "toString ./.");
    expect(evaluateNix(context, `map toString [ ${list} ]`)).toEqual(
      paths.map((path) => `${String(here)}/${path}`),
    );
  });
});

describe("names in scope", () => {
  test("attributes are selected, in quotes where they must be", () => {
    expect(printNix(nixName("config", "services", "a.b", "in", "${x}"))).toBe(
      'config.services."a.b"."in"."\\${x}"',
    );
  });

  test.each(["a.b", "if", "", "1", "${x}", "a b"])(
    "%j is refused at the start, where quotes would make a string of it",
    (name) => {
      expect(() => printNix(nixName(name))).toThrow(
        new ValueError(`${JSON.stringify(name)} cannot be a name in Nix`),
      );
    },
  );
});

describe("text with values in it", () => {
  const x = nixName("x");

  test.each([
    ["a value alone", nixText`${x}`, '"${x}"'],
    ["text alone", nixText`a"b`, '"a\\"b"'],
    ["nothing", nixText``, '""'],
    ["text around a value", nixText`a ${x} b`, '"a ${x} b"'],
    ["text that is embedded", nixText`a ${"${b}"} c`, '"a \\${b} c"'],
    ["text in text", nixText`a ${nixText`b ${x}`} c`, '"a b ${x} c"'],
    ["a path", nixText`${nixPath("a.json")}`, '"${./a.json}"'],
    ["a call", nixText`${nixApply(nixName("f"), 1)}`, '"${f 1}"'],
    ["text that ends in a dollar sign", nixText`$${x}`, '"\\$${x}"'],
    ["text that ends in two of them", nixText`$$${x}`, '"$\\$${x}"'],
    ["a brace after a dollar sign from another part", nixJoin(["$", "{b}"]), '"\\${b}"'],
    ["several lines", nixText`a\n${x}\n`, '"a\\n${x}\\n"'],
  ])("%s", (_, value, written) => {
    expect(printNix(value)).toBe(written);
  });

  test("a dollar sign before a value stays one", (context) => {
    const list = [nixText`$${x}`, nixText`$$${x}`, nixText`\\$${x}`].map((text) => printNix(text));
    expect(evaluateNix(context, `let x = "v"; in [ ${list.join(" ")} ]`)).toEqual([
      "$v",
      "$$v",
      "\\$v",
    ]);
  });

  test("text that cannot be written is refused inside as well", () => {
    expect(() => printNix(nixText`a\u0000${x}`)).toThrow(ValueError);
  });
});

test("the layout is nixfmt's own, kind of value by kind", (context) => {
  const values: Readonly<Record<string, NixValue>> = {
    "an empty set": {},
    "an empty list": [],
    "a set of one member": { a: 1 },
    "sets in sets": { a: { b: { c: [] } }, d: {} },
    "a list of one element": ["a"],
    "a list of two": ["a", 1],
    "a list of one that just fits": ["w".repeat(89)],
    "a list of one that just does not fit": ["w".repeat(90)],
    "a list of one long string": ["w".repeat(150)],
    "a list of a list": [["a"]],
    "a list of an empty list and an empty set": [[], {}],
    "a list of one empty set": [{}],
    "a list of one small set": [{ a: 1 }],
    "a list of one set of two": [{ a: 1, b: 2 }],
    "a list of sets": [{ a: 1 }, { a: [1, 2] }, { b: { c: 1 } }],
    "a list of negative numbers": [-1, [-1]],
    "a long string": "w".repeat(150),
    "a long string below a quoted name": { "a b": "w".repeat(150) },
    "a list below a quoted name": { "a b": ["w".repeat(150)] },
    "a long name": { b: nixName("lib", "w".repeat(150)) },
    "text of several lines": "a\n  b\n\n\tc ${x} ''d'' \\ \"\n",
    "text of several lines in a list": ["a\nb\n", "a\nb\n"],
    "text of several lines alone in a list": ["a\nb\n"],
    "a path with a blank": [nixPath("a b")],
    "a call with a word": force("a"),
    "a call with a long string": force("w".repeat(150)),
    "a call with a long string below a quoted name": { "a b": force("w".repeat(150)) },
    "a call with an empty set": force({}),
    "a call with a small set": force({ a: 1 }),
    "a call with a set": force({ a: 1, b: { c: 1 } }),
    "a call with a list": force([1, 2]),
    "a call with text of several lines": force("a\nb\n"),
    "a call in a list": [force({ a: 1, b: 2 }), force("a")],
    "a call with a call": force(force("a")),
    "a call with a call that has a set": force(force({ a: 1, b: 2 })),
    "a call with a call of a plain name": force(nixApply(nixName("f"), [1, 2])),
    "a call with a call that is too long": force(force(`${long}${long}`)),
    "a call with two arguments": nixApply(nixName("lib", "mkOverride"), 90, [1, 2]),
    "a call in text": nixText`${nixApply(nixName("f"), { a: 1, b: 2 })}/bin`,
    "text in a list that just fits": [nixText`${nixName("x")}${"w".repeat(85)}`],
  };
  const printed = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, bound(value)]),
  );
  const names = Object.keys(printed);
  const formatted = nixfmt(context, Object.values(printed));
  expect(Object.fromEntries(formatted.map((text, index) => [names[index], text]))).toEqual(printed);
});

test("the layout of a whole value is this", () => {
  expect(
    bound({
      if: force({ a: 1, b: ["x", -1] }),
      list: [{ a: 1 }],
      text: "one\ntwo ${x}\n",
    }),
  ).toBe(`{
  a = {
    "if" = lib.mkForce {
      a = 1;
      b = [
        "x"
        (-1)
      ];
    };
    list = [ { a = 1; } ];
    text = ''
      one
      two ''\${x}
    '';
  };
}
`);
});

test("a call with more arguments than nixfmt lays out on one line is valid Nix all the same", (context) => {
  const call = nixApply(nixName("f"), { a: 1, b: 2 }, nixApply(nixName("g"), [1, 2]), "c\nd\n");
  expect(
    evaluateNix(context, `let f = a: b: c: [ a b c ]; g = x: x; in ${printNix(call)}`),
  ).toEqual([{ a: 1, b: 2 }, [1, 2], "c\nd\n"]);
});
