/** Where the recipes of Co-op Cloud live. */
const publicRecipes = "https://git.coopcloud.tech/coop-cloud";

/** A recipe at a state that never moves: a release or a commit. */
export class Recipe {
  readonly name: string;
  readonly repository: string;
  readonly revision:
    | { readonly release: string; readonly commit?: string | undefined }
    | { readonly commit: string };

  private constructor(name: string, revision: Recipe["revision"], repository: string | undefined) {
    this.name = name;
    this.revision = revision;
    this.repository = repository ?? `${publicRecipes}/${name}.git`;
  }

  /**
   * A recipe at a release, as in `5.1.1+v3.6.15`. The `+upstream` part may be left out: the host takes
   * the one tag that matches, and refuses when there is none or more.
   * @param repository URL to clone from. @default the public one of that name
   * @param commit what the tag must lead to, all 40 hex digits. @default whatever it leads to
   */
  static release(name: string, release: string, repository?: string, commit?: string): Recipe {
    return new Recipe(name, { release, commit }, repository);
  }

  /**
   * A recipe at a commit, deployed as it lies in its checkout.
   * @param commit all 40 hex digits.
   * @param repository URL to clone from. @default the public one of that name
   */
  static commit(name: string, commit: string, repository?: string): Recipe {
    return new Recipe(name, { commit }, repository);
  }

  /** Whether abra deploys the checkout as it is, without a release. */
  get chaos(): boolean {
    return !("release" in this.revision);
  }

  /** What is wrong with it, each with the property it is about; empty when nothing is. */
  problems(): readonly string[] {
    const problems: string[] = [];
    if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(this.name)) {
      problems.push(
        `recipe: ${JSON.stringify(this.name)} is no name of a recipe: use lower-case letters, digits and inner dashes`,
      );
    }
    const { commit } = this.revision;
    if (commit !== undefined && !/^[0-9a-f]{40}$/.test(commit)) {
      problems.push(
        `commit: ${JSON.stringify(commit)} must be all 40 hex digits of the commit: a shorter one, a branch or a tag can move`,
      );
    }
    if (
      "release" in this.revision &&
      !/^\d+\.\d+\.\d+(?:\+[0-9A-Za-z][0-9A-Za-z._-]*)?$/.test(this.revision.release)
    ) {
      problems.push(
        `release: ${JSON.stringify(this.revision.release)} is no release: write it as in 5.1.1 or 5.1.1+v3.6.15`,
      );
    }
    if (!/^https:\/\/[A-Za-z0-9.-]+(?::\d+)?(?:\/[A-Za-z0-9._~-]+)+$/.test(this.repository)) {
      problems.push(
        `repository: ${JSON.stringify(this.repository)} must be an https address without user, password or query, as in ${publicRecipes}/traefik.git`,
      );
    }
    return problems;
  }
}
