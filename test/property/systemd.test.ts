import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, type TestContext, test } from "vitest";
import { pathProblems } from "../../constructs/nixos/host-file.ts";
import { isHostName, isUnitName } from "../../constructs/nixos/names.ts";
import { requireTool } from "../tools.ts";
import { writableText } from "./arbitraries.ts";
import { inScratchFolder } from "./oracles.ts";

/** The values of these keys as systemd holds them once it has read the units, and what it said. */
function readUnits(
  context: Pick<TestContext, "skip">,
  units: Readonly<Record<string, string>>,
): { readonly values: (key: string) => readonly string[]; readonly complaints: string } {
  const program = requireTool(context, "systemd-analyze");
  return inScratchFolder((folder) => {
    for (const [name, text] of Object.entries(units)) {
      // Without it they would need units that are the machine's own.
      writeFileSync(join(folder, name), `[Unit]\nDefaultDependencies=no\n${text}`);
    }
    const analyze = (level: string): { stdout: string; stderr: string } =>
      spawnSync(program, ["verify", "--man=no", ...Object.keys(units)], {
        cwd: folder,
        encoding: "utf8",
        maxBuffer: 2 ** 26,
        // Asked to say everything, it prints each unit as it holds it.
        env: {
          SYSTEMD_UNIT_PATH: folder,
          SYSTEMD_LOG_LEVEL: level,
          SYSTEMD_LOG_TARGET: "console",
          LC_ALL: "C.UTF-8",
        },
      });
    const { stdout } = analyze("debug");
    return {
      values: (key) =>
        [...stdout.matchAll(new RegExp(`^\\s*${key}: (.*)$`, "gm"))].map(([, value = ""]) => value),
      complaints: analyze("info").stderr,
    };
  });
}

const service = (...lines: readonly string[]): string =>
  ["[Service]", "Type=oneshot", "ExecStart=/bin/true", ...lines, ""].join("\n");

const several = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.uniqueArray(value, { minLength: 1, maxLength: 150, size: "max" });

/** Paths that our rule admits, from tries that mostly look like one. */
const admittedPath = fc
  .oneof(
    fc
      .array(fc.stringMatching(/^[A-Za-z0-9@_+=:,.~%$"'\\ ;#*-]{1,9}$/), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => `/${parts.join("/")}`),
    fc
      .array(fc.stringMatching(/^[A-Za-z0-9@_+=:,.~-]{1,9}$/), { minLength: 1, maxLength: 5 })
      .map((parts) => `/${parts.join("/")}`),
    writableText.map((text) => `/${text}`),
  )
  .filter((path) => pathProblems("path", path).length === 0);

const admittedDomain = fc
  .oneof(
    fc.domain(),
    fc.stringMatching(/^[a-z0-9-]{1,12}(?:\.[a-z0-9-]{1,8}){1,3}$/),
    fc.stringMatching(/^[a-z0-9%_ A-Z-]{1,5}\.[a-z0-9\\-]{1,5}$/),
  )
  .filter(isHostName);

test("the paths that are admitted are watched as they are", (context) => {
  fc.assert(
    fc.property(several(admittedPath), (paths) => {
      const lines = paths.map((path) => `PathChanged=${path}`);
      const { values, complaints } = readUnits(context, {
        "a.path": `[Path]\n${lines.join("\n")}\n`,
        "a.service": service(),
      });
      expect(complaints).toBe("");
      expect(values("PathChanged").toSorted()).toEqual(paths.toSorted());
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test("the domains that are admitted name state folders, a home and a description as they are", (context) => {
  fc.assert(
    fc.property(several(admittedDomain), (domains) => {
      const folders = domains.map((domain) => `cc-ci/abra/${domain}`);
      const [domain = ""] = domains;
      const { values, complaints } = readUnits(context, {
        "a.service": `[Unit]\nDescription=Converge ${domain}, an app\n${service(
          ...folders.map((folder) => `StateDirectory=${folder}`),
          ...domains.map((name, index) => `Environment="V${index}=/var/lib/${name}"`),
          ...domains.map((name) => `ExecStart=/bin/true apply /nix/store/x-${name}.json`),
        )}`,
      });
      expect(complaints).toBe("");
      expect(values("Description")[0]).toBe(`Converge ${domain}, an app`);
      expect(values("StateDirectory").toSorted()).toEqual(folders.toSorted());
      expect(values("Environment")).toEqual(
        domains.map((name, index) => `V${index}=/var/lib/${name}`),
      );
      expect(values("Command Line")).toEqual([
        "/bin/true",
        ...domains.map((name) => `/bin/true apply /nix/store/x-${name}.json`),
      ]);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test("the unit names that are admitted are waited for as they are", (context) => {
  const name = fc
    .oneof(
      fc.stringMatching(/^[a-z][a-zA-Z0-9:_.-]{0,10}[a-z]\.(?:service|target|path|timer|socket)$/),
      fc.stringMatching(/^[a-z%$ "']{1,6}\.service$/),
      fc.constantFrom("sops-install-secrets.service", "srv-a\\x2db.mount", "getty@tty1.service"),
    )
    .filter(isUnitName);
  fc.assert(
    fc.property(several(name), (names) => {
      const { values, complaints } = readUnits(context, {
        "the-one.service": `[Unit]\nAfter=${names.join(" ")}\n${service()}`,
      });
      expect(complaints).toBe("");
      const seen = values("After").map((value) => value.replace(/ .*$/, ""));
      expect(seen).toEqual(expect.arrayContaining(names));
    }),
    { numRuns: 4, endOnFailure: true },
  );
});
