import { existsSync } from "node:fs";
import * as z from "zod";
import type { Machine } from "../machine/machine.ts";
import { until } from "../machine/processes.ts";
import { installStore, installSystem } from "./install.ts";
import type { InstalledSystem, System } from "./system.ts";
import { unitChanges } from "./unit-changes.ts";

export interface SwitchResult {
  /** What `nixos-rebuild switch` would exit with: 0, 1 when a check was against it, or 4 when a unit failed. */
  readonly exitStatus: 0 | 1 | 4;
  /** What the check said that was against it; nothing changed then. Empty where there was none. */
  readonly refusal: string;
  /** Services of the new system that ran, or run now, since the switch began. */
  readonly ran: readonly string[];
  readonly failed: readonly string[];
  readonly stopped: readonly string[];
  readonly restarted: readonly string[];
  readonly reloaded: readonly string[];
}

/** Longer than any piece may take; NixOS waits without a limit. */
const limitSeconds = 3600;

/**
 * Replaces the system of a running machine by another one, as NixOS' switch-to-configuration does:
 * stop, put in place, reset-failed, daemon-reload, reload, restart, start.
 */
export async function switchSystem(
  machine: Machine,
  before: InstalledSystem,
  after: System,
): Promise<SwitchResult> {
  const systemctl = async (...args: readonly string[]): Promise<boolean> => {
    const options = { timeoutSeconds: limitSeconds, mayFail: true };
    return (await machine.exec(["systemctl", ...args], options)).exitCode === 0;
  };
  const units = async (verb: string, names: readonly string[]): Promise<boolean> =>
    names.length === 0 || (await systemctl(verb, "--", ...names));

  installStore(machine.root, after);
  await using checks = await preSwitchChecks(machine, after);
  const { refusal } = checks;
  if (refusal !== "") {
    const nothing = { ran: [], failed: [], stopped: [], restarted: [], reloaded: [] };
    return { exitStatus: 1, refusal, ...nothing };
  }
  const listed = await listUnits(machine);
  const active = new Set(
    listed.filter((unit) => /^activ(?:e|ating)$/.test(unit.active)).map(({ unit }) => unit),
  );
  const changes = unitChanges(before, after, active);
  const runsBefore = await invocations(machine, after);

  await units("stop", changes.stop);
  installSystem(machine.root, after, before);
  await systemctl("reset-failed");
  await systemctl("daemon-reload");
  await machine.exec(["systemd-tmpfiles", "--create", "--remove", "--exclude-prefix=/dev"], {
    mayFail: true,
  });
  const succeeded = [
    await units("reload", changes.reload),
    await units("restart", changes.restart),
    // Starting an active target again starts what it wants and is not active.
    await units("start", [...changes.start, ...(await startableTargets(machine, active))]),
  ];
  const failed = (await listUnits(machine))
    .filter(({ active: state, sub }) => state === "failed" || sub === "auto-restart")
    .map(({ unit }) => unit);
  const runsAfter = await invocations(machine, after);
  return {
    exitStatus: succeeded.every(Boolean) && failed.length === 0 ? 0 : 4,
    refusal,
    ran: [...runsAfter].filter(([unit, id]) => id !== runsBefore.get(unit)).map(([unit]) => unit),
    failed,
    stopped: changes.stop,
    restarted: changes.restart,
    reloaded: changes.reload,
  };
}

/** Goes from check to check, and stands for the switch then, until its folder is gone. */
const checking = `folder=$1 toplevel=$2; shift 2
while [ $# -gt 0 ]; do
  bash -euc "$2" "$1" "$toplevel" switch 2>&1 || { echo "Pre-switch check '$1' failed"; exit 1; }
  shift 2
done
: >"$folder/passed"
while [ -e "$folder" ]; do sleep 0.1; done`;

/**
 * Runs the checks of the system that is to come, each with its folder and the action, as NixOS does: they are
 * children of a process that goes on to switch. That lives until it is disposed of.
 */
async function preSwitchChecks(
  machine: Machine,
  after: System,
): Promise<AsyncDisposable & { readonly refusal: string }> {
  const { stdout } = await machine.exec(["mktemp", "--directory", "/run/switch-XXXXXX"]);
  const folder = stdout.trim();
  const words = Object.entries(after.preSwitchChecks).flat();
  let refusal: string | undefined;
  const switching = machine
    .exec(["bash", "-c", checking, "switch", folder, after.toplevel, ...words], {
      mayFail: true,
      timeoutSeconds: limitSeconds,
    })
    .then(({ stdout: said }) => {
      refusal = said;
    });
  const passed = machine.inside(`${folder}/passed`);
  await Promise.race([
    switching,
    until("the checks before a switch", limitSeconds, () =>
      existsSync(passed) || refusal !== undefined ? true : undefined,
    ),
  ]);
  return {
    refusal: refusal ?? "",
    [Symbol.asyncDispose]: async () => {
      await machine.exec(["rm", "-rf", folder]);
      await switching;
    },
  };
}

const listSchema = z.array(z.object({ unit: z.string(), active: z.string(), sub: z.string() }));

async function listUnits(machine: Machine): Promise<z.infer<typeof listSchema>> {
  const { stdout } = await machine.exec(["systemctl", "list-units", "--all", "--output=json"]);
  return listSchema.parse(JSON.parse(stdout));
}

/** Active targets that a person may start. */
async function startableTargets(
  machine: Machine,
  active: ReadonlySet<string>,
): Promise<readonly string[]> {
  const targets = [...active].filter((unit) => unit.endsWith(".target"));
  const shown = await showUnits(machine, targets, ["Id", "RefuseManualStart"]);
  return shown.filter((unit) => unit.RefuseManualStart !== "yes").map(({ Id = "" }) => Id);
}

async function invocations(
  machine: Machine,
  { units }: System,
): Promise<ReadonlyMap<string, string>> {
  const names = Object.keys(units).filter((name) => /[^@]\.service$/.test(name));
  const shown = await showUnits(machine, names, ["Id", "InvocationID"]);
  return new Map(
    shown.flatMap(({ Id = "", InvocationID = "" }) =>
      InvocationID === "" ? [] : [[Id, InvocationID]],
    ),
  );
}

/** Properties of units, in the order of the names. */
export async function showUnits(
  machine: Pick<Machine, "exec">,
  names: readonly string[],
  properties: readonly string[],
): Promise<readonly Readonly<Record<string, string>>[]> {
  if (names.length === 0) return [];
  const { stdout } = await machine.exec([
    ...["systemctl", "show", `--property=${properties.join(",")}`, "--", ...names],
  ]);
  // One paragraph for each unit, one line for each property.
  return stdout
    .trimEnd()
    .split("\n\n")
    .map((text) =>
      Object.fromEntries(
        text.split("\n").map((line) => {
          const at = line.indexOf("=");
          return [line.slice(0, at), line.slice(at + 1)];
        }),
      ),
    );
}
