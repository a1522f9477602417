import { gitServerUnit, recipesFolder } from "../git-server/install.ts";
import type { Host } from "../host.ts";
import type { RecipeName } from "../recipes/repositories.ts";

const folder = `/run/systemd/system/${gitServerUnit}.d`;

export interface StalledUpstream extends AsyncDisposable {
  readonly relieve: () => Promise<void>;
}

/** In bytes. Far more than the list of what upstream has, and than one packet of a pack. */
const [given, large] = [100_000, 300_000] as const;

/** Ends what is short as always; of what is longer it gives out a part, and then nothing more. */
const stalling = `#!/bin/sh
/usr/bin/git "$@" | {
  head --bytes=${given}
  [ "$(head --bytes=1 | wc --bytes)" = 0 ] || sleep 600
}
`;

/** A branch with a file that cannot be compressed. */
const makeLarge = `set -e
cd ${recipesFolder}/$1.git
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x
git() { command git -c safe.directory='*' "$@"; }
blob=$(head --bytes=${large} /dev/urandom | git hash-object -w --stdin)
tree=$(printf '100644 blob %s\\tlarge\\n' "$blob" | git mktree)
git update-ref refs/heads/large "$(git commit-tree -m large "$tree")"`;

/**
 * From now on what the upstream of a recipe has is still listed, but no pack of commits arrives whole:
 * it stops somewhere in the middle.
 *
 * @returns `relieve` lets it go on as before
 */
export async function stallUpstream(host: Host, recipe: RecipeName): Promise<StalledUpstream> {
  const shell = async (script: string, input = "") =>
    await host.exec(["sh", "-c", script, "sh", recipe], { input });
  const restart = `systemctl daemon-reload && systemctl restart ${gitServerUnit}`;
  await shell(makeLarge);
  await shell(
    "mkdir /run/stalling && cat >/run/stalling/git && chmod +x /run/stalling/git",
    stalling,
  );
  await shell(
    `mkdir ${folder} && cat >${folder}/90-stalling.conf && ${restart}`,
    "[Service]\nEnvironment=PATH=/run/stalling:/usr/local/bin:/usr/bin:/bin\n",
  );
  const relieve = async () => {
    await shell(`rm -rf ${folder} /run/stalling && ${restart}`);
  };
  return { relieve, [Symbol.asyncDispose]: relieve };
}
