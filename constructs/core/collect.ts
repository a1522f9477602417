import type { IConstruct } from "constructs";
import { type Problem, UserError, ValueError } from "./errors.ts";
import type { FileSpec } from "./file-spec.ts";
import { GeneratedFile } from "./generated-file.ts";
import type { Templates } from "./template.ts";

/**
 * Turns a tree into its files, sorted by path: the same tree gives the same bytes. Pure; every
 * construct is validated first. Throws one UserError with all that is wrong in the tree.
 */
export function collect(root: IConstruct, templates: Templates): readonly FileSpec[] {
  const constructs = root.node.findAll();
  refuse(validationProblems(root));
  const problems: Problem[] = [];
  const files: FileSpec[] = [];
  for (const construct of constructs) {
    if (!(construct instanceof GeneratedFile)) continue;
    const { path, source } = construct;
    try {
      const { text, digest } = construct.render(templates);
      files.push({ path, source, content: text, digest });
    } catch (error) {
      if (error instanceof UserError) problems.push(...error.problems);
      else if (error instanceof ValueError)
        problems.push({ where: source, message: error.message });
      else throw error;
    }
  }
  refuse(problems);
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** Everything that the constructs of a tree object to, each with the construct's path. */
export function validationProblems(root: IConstruct): readonly Problem[] {
  return root.node.findAll().flatMap(validate);
}

function validate(construct: IConstruct): readonly Problem[] {
  return construct.node
    .validate()
    .map((message) => ({ where: construct.node.path || "(root)", message }));
}

function refuse(problems: readonly Problem[]): void {
  const seen = new Set<string>();
  const distinct = problems.filter(({ where, message }) => {
    const key = `${where}: ${message}`;
    return !seen.has(key) && seen.add(key);
  });
  if (distinct.length > 0) throw new UserError(distinct);
}
