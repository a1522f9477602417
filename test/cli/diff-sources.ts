import { execa } from "execa";
import { checkoutWith } from "./cli.ts";
import { configuration, type HostLines } from "./yaml.ts";

export const wiki = { env: { A: "1" }, secrets: { db: "/s/db" } };
export const one: HostLines = { apps: { wiki } };
export const revision = "cf5e76507c6e23b59f7e0ffcc7baa2a39ddd8442";

/** What the state that is compared with is made of. */
export const sources = {
  "cc-ci.yaml": configuration({ one }),
  "flake.nix": `{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/${revision}"; }\n`,
  "nix/hosts/one/default.nix": "{ }\n",
};

export async function git(root: string, ...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
  await execa("git", ["-c", "init.defaultBranch=main", ...identity, ...args], { cwd: root });
}

/** A repository whose one commit has these files. */
export async function repositoryOf(files: Readonly<Record<string, string>>): Promise<string> {
  const root = checkoutWith(files);
  await git(root, "init", "--quiet");
  await git(root, "add", "--all");
  await git(root, "commit", "--quiet", "--message=first");
  return root;
}
