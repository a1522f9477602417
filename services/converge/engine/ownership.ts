/** On all that converge makes in Docker; its value is the name of the host. */
export const managedLabel = "cc-ci.managed";

/**
 * On the config that says that a stack is ours: the piece that deployed it. A stack whose piece goes on
 * under another name is that piece's to undeploy, after all that it needs.
 */
export const pieceLabel = "cc-ci.piece";

/**
 * On the config that says that a stack is ours, one of two: the digest of the desired state that is
 * about to be deployed and was never seen to work, or of the one that was. What Docker took back, or
 * stopped half-way in, is not deployed again as it was, unless it worked before.
 */
export const triedLabel = "cc-ci.tried";
export const worksLabel = "cc-ci.works";

/** Whether this host's converge made it, so that it may remove it again. */
export function isOurs(labels: Readonly<Record<string, string>>, host: string): boolean {
  return Object.hasOwn(labels, managedLabel) && labels[managedLabel] === host;
}

/** The labels of what this host's converge makes. */
export function ownLabels(host: string): Readonly<Record<string, string>> {
  return { [managedLabel]: host };
}
