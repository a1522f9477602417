import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Host } from "../host.ts";

const checkout = join(import.meta.dirname, "../../..");

/** What a person's machine has otherwise: names are the host's, and it trusts whom the host trusts. */
const shared = ["/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"];

export interface CommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command of this checkout's command line as a person would whose machine reaches the host: in the
 * network of the host, with files of this machine.
 *
 * @param root a folder with a cc-ci.yaml
 */
export async function runOnNetworkOf(
  host: Host,
  root: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandEnd> {
  const mounts = shared.map((file) => `mount --bind ${join(host.machine.root, file)} ${file}`);
  const script = `${mounts.join(" && ")} && exec "$@"`;
  const command = [join(checkout, "bin/node24"), join(checkout, "constructs/cli.ts"), ...words];
  const { exitCode, stdout, stderr } = await execa(
    "nsenter",
    [
      ...["--target", String(host.machine.leader), "--net", "--", "unshare", "--mount", "--"],
      ...["sh", "-c", script, "sh", ...command, "--root", root],
    ],
    {
      env: { ...env, NODE_EXTRA_CA_CERTS: shared[1], GIT_SSL_CAINFO: shared[1] },
      reject: false,
      timeout: 180_000,
    },
  );
  return { exitCode: exitCode ?? 1, stdout, stderr };
}

/** A folder with that configuration alone. */
export function rootWith(folder: string, yaml: string): string {
  writeFileSync(join(folder, "cc-ci.yaml"), yaml);
  return folder;
}
