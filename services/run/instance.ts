import { dirname } from "node:path";
import { defineLines } from "../lib/line.ts";

export const instanceLines = defineLines({
  "run-outside-its-unit": {
    as: "refused",
    says: "'{command}' runs in a service that the socket starts, and nowhere else: a build asks for a run with 'cc-ci-run ask'",
  },
});

/** The service that serves one connection, as systemd tells it to its processes. */
export interface Instance {
  /** Its folder below /run, which goes with it. */
  readonly runtimeFolder: string;
  /** The folder of all runs. */
  readonly runsFolder: string;
  /** Of those who let no run begin, beside that of the folders of runs that go on. */
  readonly holdsFolder: string;
  /** Of no other service, ever: 32 hex digits. */
  readonly invocation: string;
}

/** @throws {Stop} for a process of another kind of unit, or of none */
export function instanceIn(
  environment: Readonly<Record<string, string | undefined>>,
  command: string,
): Instance {
  const { RUNTIME_DIRECTORY, STATE_DIRECTORY, INVOCATION_ID = "" } = environment;
  if (!RUNTIME_DIRECTORY || !STATE_DIRECTORY || !/^[0-9a-f]{32}$/.test(INVOCATION_ID)) {
    throw instanceLines.stop("run-outside-its-unit", { command });
  }
  return {
    runtimeFolder: RUNTIME_DIRECTORY,
    runsFolder: STATE_DIRECTORY,
    holdsFolder: `${dirname(RUNTIME_DIRECTORY)}-holds`,
    invocation: INVOCATION_ID,
  };
}
