/** What the host keeps, as folders below /var/lib: systemd's StateDirectory wants them so. */
export const stateFolders = {
  /** What each piece remembers: evidence, never a reason to skip. */
  pieces: "cc-ci/state",
  /** What abra works on, one folder an app. */
  apps: "cc-ci/abra",
  /** Host files that the host makes itself. */
  secrets: "cc-ci/secrets",
  /** One folder a test run. */
  runs: "cc-ci/runs",
  /** What an operator says to the bridge. */
  bridge: "cc-ci/bridge",
} as const;

/** The absolute path of a folder of the state. */
export function statePath(folder: string): string {
  return `/var/lib/${folder}`;
}
