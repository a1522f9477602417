import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { requireNixpkgs, requireTool } from "../tools.ts";
import { evaluateFile } from "./evaluate.ts";

/**
 * Expressions that must come to the same value, or both to an error, with our lib and with that of
 * nixpkgs. `one type definitions` is the option `x` with these definitions, `set options modules`
 * the configuration of these modules; `s` and `f` are submodules, `f` with a free form.
 */
const expressions: readonly string[] = [
  'map escapeShellArg [ "a" "a b" "" "a\'b" "a/b:c,d.e_f+g@h%i-j" "é" 1 "a=b" "~" "*" ]',
  'escapeShellArgs [ "a" "b c" "$x" ]',
  '[ (hasPrefix "a" "ab") (hasPrefix "" "x") (hasPrefix "abc" "ab") (hasSuffix "b" "ab") (hasSuffix "" "x") (hasSuffix "xab" "ab") ]',
  '[ (removePrefix "a" "ab") (removePrefix "b" "ab") (removeSuffix "b" "ab") (removeSuffix "a" "ab") (removeSuffix "" "ab") ]',
  '[ (splitString "." "a.b..c") (splitString "/" "/a/") (splitString "||" "a||b|c") (splitString "+" "a+b") (splitString "[" "a[b") (splitString "," "") ]',
  'toLower "ABCxyzÉ9_"',
  '[ (getName "foo-1.2") (getName { name = "a-b-3"; }) (getName { pname = "p"; name="q"; }) (getVersion "foo-1.2") (getVersion {version="9"; name="x-1";}) ]',
  '[ (versionAtLeast "1.10" "1.9") (versionOlder "24.05" "24.11") (versionOlder "1" "1") ]',
  "flatten [ 1 [ 2 [ [ 3 ] ] ] ]",
  "flatten 1",
  "unique [ 3 1 3 2 1 ]",
  "recursiveUpdate { a = { b = 1; c = 2; }; d = 1; } { a.b = 9; d = { e = 1; }; }",
  'filterAttrs (n: v: n == "a" || v == 2) { a = 1; b = 2; c = 3; }',
  'genAttrs [ "x" "y" ] (n: n + "1")',
  'mapAttrs\' (n: v: nameValuePair ("p" + n) (v + 1)) { a = 1; b = 2; }',
  'mapAttrsToList (n: v: n + "=" + toString v) { b = 1; a = 2; }',
  '[ (optional true 1) (optional false 1) (optionals true [1]) (optionals false [1]) (optionalAttrs false { a = 1; }) (optionalString true "x") (optionalString false "x") ]',
  '[ (concatMapStringsSep "," toString [ 1 2 ]) (concatMapStrings toString [1 2]) (concatLines [ "a" "b" ]) (concatStringsSep "-" ["a" "b"]) ]',
  "[ (toList 1) (toList [1]) ]",
  'makeBinPath [ "/a" "/b" ]',
  '[ (isDerivation { type = "derivation"; }) (isDerivation 1) ]',
  '[ (getExe { type="derivation"; outPath="/x"; name="n"; meta.mainProgram="m"; }) (getExe\' { type="derivation"; outPath="/x"; name="n"; } "q") ]',
  'getExe { type="derivation"; outPath="/x"; bin = {outPath="/xbin";}; name="n"; meta.mainProgram="m"; }',
  "importJSON ./data.json",
  '[ (elem 1 [1]) (any (x: x) [false]) (all (x: x) []) (head [1 2]) (tail [1 2]) (foldl\' (a: b: a - b) 10 [1 2]) (sort (a: b: a < b) [3 1 2]) (replaceStrings ["a"] ["b"] "aa") ]',
  "map (one t.bool) [ [ true ] [ true true ] [ true false ] [ 1 ] [ (mkForce false) true ] [ (mkDefault true) ] [ (mkIf false true) (mkDefault false) ] [ ] ]",
  'map (one t.int) [ [ 1 ] [ 1 2 ] [ "1" ] [ 1.0 ] [ (mkOverride 10 5) (mkForce 3) ] [ (mkMerge [ 1 1 ]) ] [ (mkMerge [ 1 2 ]) ] ]',
  'map (one t.str) [ [ "a" ] [ "a" "b" ] [ ./data.json ] [ 1 ] [ (mkBefore "a") ] ]',
  String.raw`map (one t.lines) [ [ "a" "b" ] [ "a\n" "b\n" ] [ (mkAfter "z") "a" ] [ 1 ] [] ]`,
  'map (one t.commas) [ [ "a" "b" ] ]',
  String.raw`map (one t.singleLineStr) [ [ "a" ] [ "a\n" ] [ "a\nb" ] [ "a\n\n" ] [ "" ] [ "a" "a\n" ] [ "a\rb" ] ]`,
  String.raw`map (one t.nonEmptyStr) [ [ "" ] [ " " ] [ "a" ] ["\n"] ]`,
  'map (one t.path) [ [ "/a" ] [ "a" ] [ ./data.json ] [ { outPath = "/x"; } ] [ 1 ] [ "/a" "/b" ] [ "" ] ]',
  'map (one t.package) [ [ { type = "derivation"; name = "a"; outPath = "/x"; } ] [ 1 ] ["a"] ]',
  'map (one t.port) [ [ 0 ] [ 65535 ] [ 65536 ] [ (-1) ] [ "80" ] ]',
  "map (one t.ints.positive) [ [ 0 ] [ 1 ] ] ++ map (one t.ints.unsigned) [ [ 0 ] [ (-1) ] ] ++ map (one (t.ints.between 2 4)) [ [ 1 ] [ 2 ] [ 5 ] ]",
  'map (one (t.listOf t.str)) [ [ [ "a" ] [ "b" ] ] [ "a" ] [ [ 1 ] ] [ [ (mkIf false "a") "b" ] ] [ (mkAfter [ "z" ]) [ "a" ] (mkBefore [ "0" ]) ] [ (mkForce [ "f" ]) [ "a" ] ] [ (mkMerge [ [ "a" ] [ "b" ] ]) ] [] ]',
  'map (one (t.attrsOf t.int)) [ [ { a = 1; } { b = 2; } ] [ { a = 1; } { a = 2; } ] [ { a = mkForce 1; } { a = 2; } ] [ { a = mkIf false 1; } ] [ (mkIf true { a = 1; }) ] [ { a = "x"; } ] [ (mkForce { a = 1; }) { b = 2; } ] [] ]',
  "map (one t.attrs) [ [ { a = 1; } { a = 2; b = 3; } ] [ { a = { x = 1; }; } { a = { y = 1; }; } ] [ 1 ] [] ]",
  'map (one t.anything) [ [ 1 ] [ 1 1 ] [ 1 2 ] [ { a.b = 1; } { a.c = 2; } ] [ { a = [ 1 ]; } { a = [ 1 ]; } ] [ [ 1 ] [ 2 ] ] [ "a" 1 ] [ { a = mkForce 1; } { a = 2; } ] [ { a.b = 1; } { a.b = 2; } ] ]',
  'map (one (t.nullOr t.int)) [ [ null ] [ 1 ] [ null 1 ] [ "a" ] [ null null ] [ (mkForce null) 1 ] ]',
  'map (one (t.enum [ "a" 1 ])) [ [ "a" ] [ 1 ] [ "b" ] [ "a" "a" ] [ "a" 1 ] ]',
  'map (one (t.either t.int (t.listOf t.int))) [ [ 1 ] [ [ 1 ] [ 2 ] ] [ 1 [ 2 ] ] [ "a" ] [ [ "a" ] ] ]',
  'map (one (t.attrsOf (t.nullOr (t.oneOf [ t.str t.path t.package ])))) [ [ { a = "x"; b = null; } ] [ { a = 1; } ] [ { a = "x"; } { a = "x"; } ] [ { a = "x"; } { a = "y"; } ] ]',
  'map (one (t.attrsOf s)) [ [ { m = { }; } ] [ { m.a = 2; } { m.b = [ "x" ]; } { m.b = [ "y" ]; } ] [ { m.a = "x"; } ] [ { m.c = 1; } ] [ { m = mkIf false { a = 2; }; n = { a = mkForce 3; }; } { n.a = 4; } ] [ { m = { lib, ... }: { a = 5; }; } ] [ { m = 1; } ] [] ]',
  "map (one (t.listOf s)) [ [ [ { a = 2; } { } ] ] [ [ 1 ] ] ]",
  'map (one f) [ [ { } ] [ { z = 1; } { y = 2; } ] [ { z = "x"; } ] [ { a = "q"; z = 1; } ] [ { a = 1; } ] [ (mkIf true { z = 1; }) ] [ { z = mkForce 1; } { z = 2; } ] ]',
  '[ (set { x = int 3; } [ ]) (set { x = int 3; } [ { x = mkDefault 4; } ]) (set { x = mkOption { type = t.listOf t.int; default = [ 1 ]; }; } [ { x = [ 2 ]; } ]) (set { x = mkOption { type = t.int; default = "a"; }; } [ ]) (set { x = mkOption { type = t.int; default = 1; apply = v: v + 1; }; } [ ]) (set { x = mkOption { type = t.int; readOnly = true; }; } [ { x = 1; } ]) (set { x = mkOption { type = t.int; readOnly = true; }; } [ { x = 1; } { x = 1; } ])]',
  "[ (set { a.b.c = int 1; } [ { a.b.c = 2; } ]) (set { a.b.c = int 1; } [ { a = mkIf false { b.c = 2; }; } ]) (set { a.b.c = int 1; } [ { a.b = 2; } ]) (set { a.b.c = int 1; } [ (mkIf true { a = mkMerge [ { b.c = mkDefault 4; } { b.c = 7; } ]; }) ]) (set { a.b.c = int 1; } [ { a = mkForce { b.c = 9; }; } { a.b.c = 2; } ]) (set { a.b.c = int 1; } [ { a.x = 1; } ]) ]",
  '[ (set { l = mkOption { type = t.listOf t.str; }; } [ { imports = [ { imports = [ { l = [ "deep" ]; } ]; l = [ "imp1" ]; } { l = [ "imp2" ]; } ]; l = [ "top1" ]; } ({ config, ... }: { imports = [ { l = [ "imp3" ]; } ]; l = [ "top2" ]; }) { config = { l = [ "top3" ]; }; } ]) (set { l = mkOption { type = t.listOf t.str; }; } [ { key = "k"; l = [ "a" ]; } { key = "k"; l = [ "b" ]; } ]) ]',
  "[ (set { x = int 1; } [ { options.x = int 1; } ]) ]",
  'one (t.attrsOf (t.submodule ({ name, config, ... }: { options.n = mkOption { type = t.str; default = name; }; options.m = mkOption { type = t.str; default = config.n + "!"; }; }))) [ { q = { }; r.n = "z"; } ]',
];

const cases = `lib:
with lib;
let
  attempt =
    value:
    let
      result = builtins.tryEval (builtins.deepSeq value value);
    in
    if result.success then result.value else "throws";
  one = type: definitions: set { x = mkOption { inherit type; }; } (map (x: { inherit x; }) definitions);
  set = options: modules: attempt (evalModules { modules = [ { inherit options; } ] ++ modules; }).config;
  t = types;
  int = default: mkOption { type = t.int; inherit default; };
  s = t.submodule {
    options.a = int 1;
    options.b = mkOption { type = t.listOf t.str; default = [ ]; };
  };
  f = t.submodule {
    freeformType = t.attrsOf t.int;
    options.a = mkOption { type = t.str; default = "d"; };
  };
in
map attempt [
${expressions.map((expression) => `  (${expression})`).join("\n")}
]
`;

const found = z.union([
  z.literal("too old"),
  z.object({
    missing: z.array(z.string()),
    ours: z.array(z.json()),
    real: z.array(z.json()),
  }),
]);

test("our lib, types and merging agree with those of nixpkgs", async (context) => {
  requireTool(context, "nix-instantiate");
  const nixpkgs = requireNixpkgs(context);
  const folder = await mkdtemp(join(tmpdir(), "cc-ci-agreement-"));
  try {
    // given
    await writeFile(join(folder, "data.json"), '{ "a": 1 }');
    await writeFile(join(folder, "cases.nix"), cases);
    // when
    const agreement = found.parse(
      await evaluateFile("agreement.nix", { nixpkgs, cases: join(folder, "cases.nix") }),
    );
    if (agreement === "too old") {
      return context.skip("needs a nixpkgs of 24.05 or newer in NIXPKGS");
    }
    // then
    const table = (values: readonly unknown[]) =>
      Object.fromEntries(values.map((value, index) => [expressions[index], value] as const));
    expect(agreement.missing).toEqual([]);
    expect(table(agreement.ours)).toEqual(table(agreement.real));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
