/** What a service came to. */
export interface UnitEnd {
  /** systemd's ActiveState: a oneshot that ended well is `inactive`. */
  readonly state: string;
  /** systemd's Result: `success`, `exit-code`, `timeout`, `signal`, … */
  readonly result: string;
  /** Of the program that it ran last. */
  readonly exitStatus: number;
  /** Another one after every start; empty when it never ran since boot. */
  readonly invocation: string;
}

/** From the properties ActiveState, Result, ExecMainStatus and InvocationID. */
export function unitEnd(unit: Readonly<Record<string, string>>): UnitEnd {
  return {
    state: unit.ActiveState ?? "",
    result: unit.Result ?? "",
    exitStatus: Number(unit.ExecMainStatus),
    invocation: unit.InvocationID ?? "",
  };
}
