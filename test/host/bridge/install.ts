import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nodeFlags } from "../../bridge/process.ts";

/** The program of the bridge on a host, as nix/packages builds it. */
const program = "/usr/share/cc-ci/cc-ci-bridge.cjs";

/**
 * What the Nix package of the image has in it, from the host's own files: Node with what it is linked to, and the
 * bridge. Under the name that the host was told of.
 */
const loader = `#!/bin/sh
set -eu
name=$(jq --raw-output '.pieces[] | select(.slots.loader) | .slots.image' /etc/cc-ci/pieces.json)
libraries=$(ldd /usr/local/bin/node | grep --only-matching '/[^ ]*')
tar --create --dereference --absolute-names /usr/local/bin/node $libraries ${program} |
  docker import \\
    --change 'CMD ${JSON.stringify(["/usr/local/bin/node", ...nodeFlags, program])}' \\
    --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \\
    - "$name"
`;

/** Puts the program into the root of a host that has Docker load the bridge's image. */
export function installBridgeLoader(root: string): void {
  const path = join(root, "usr/bin/load-image");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, loader);
  chmodSync(path, 0o755);
}
