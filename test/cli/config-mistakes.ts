import { expect, test } from "vitest";
import { checkoutWith, runCli } from "./cli.ts";
import { contentsOf } from "./tree.ts";

/**
 * One problem that is expected: the text that stands where the error points to (its first place, or
 * the first behind `after`), and what follows the position.
 */
interface Expected {
  readonly at: string;
  readonly after?: string;
  readonly says: string;
}

/** A `cc-ci.yaml` with all that is wrong in it. */
export interface Mistakes {
  readonly name: string;
  readonly yaml: string;
  readonly problems: readonly Expected[];
}

/** One test for each: all is reported at its place, with exit status 2, and nothing is written. */
export function testMistakes(cases: readonly Mistakes[]): void {
  test.for(cases)(
    "$name: all is reported at its place, and nothing is written",
    async ({ yaml, problems }) => {
      // given
      const root = checkoutWith({ "cc-ci.yaml": yaml });

      // when
      const { code, stdout, stderr } = await runCli(root, ["synth"]);

      // then: a mistake of YAML has no path yet
      const syntax = problems.some(({ says }) => says.endsWith("mend the YAML here"));
      const lines = problems.map(
        (problem) => `${position(yaml, problem)}${syntax ? ":" : ""} ${problem.says}`,
      );
      expect(stderr.split("\n").slice(0, -1).sort()).toEqual([...lines].sort());
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect([...contentsOf(root).keys()].filter((path) => path !== "cc-ci.yaml")).toEqual([]);
    },
  );
}

/** `cc-ci.yaml:3:5` of the expected place, counted in the text itself. */
function position(yaml: string, { at, after }: Expected): string {
  const start = after === undefined ? 0 : yaml.indexOf(after) + after.length;
  const offset =
    at === "" ? (yaml === "" || yaml.startsWith("#") ? 0 : yaml.length) : yaml.indexOf(at, start);
  const lines = yaml.slice(0, offset).split("\n");
  return `cc-ci.yaml:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}
