import type { Construct } from "constructs";
import { HostFile } from "../nixos/host-file.ts";
import { stateFolders, statePath } from "../nixos/state-folders.ts";

export interface HostMadeFileProps {
  /** Of which the content is made, as hex digits: two for each byte. */
  readonly randomBytes: number;
  readonly purpose: string;
  /** The stack whose volumes can be read by it alone. @default none */
  readonly opens?: string;
  /** What to do when it is no good. @default to remove it */
  readonly remedy?: string;
}

/** A secret of the host's own, which it makes when there is none: nobody has to know it. */
export function hostMadeFile(
  scope: Construct,
  name: string,
  { randomBytes, purpose, opens, remedy }: HostMadeFileProps,
): HostFile {
  const path = `${statePath(stateFolders.secrets)}/${name}`;
  return new HostFile(scope, name, {
    path,
    purpose,
    remedy: remedy ?? `remove it, and the host makes a new one: rm ${path}`,
    origin: { by: "host", randomBytes, ...(opens === undefined ? {} : { opens }) },
    demand: { format: "token", minBytes: 16 },
  });
}
