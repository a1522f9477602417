import { Construct } from "constructs";
import { holdSeconds, placeSeconds, runPlaces } from "../../services/lib/run.ts";
import { type NixAttributes, nixJoin, nixName } from "../core/nix.ts";
import { confined } from "../nixos/hardening.ts";
import { Machine } from "../nixos/machine.ts";
import { NixosModule } from "../nixos/nixos-module.ts";
import { stateFolders, statePath } from "../nixos/state-folders.ts";
import { type HasUnit, SystemdUnit } from "../nixos/systemd-unit.ts";

export interface RunBoundaryProps {
  /** Full name of Docker's unit, which a run outlives by no moment. */
  readonly service: string;
  /** How many runs there are at once; more have to wait. @default 2 */
  readonly maxTests?: number | undefined;
  /** How long a run may take, its teardown not counted, in minutes. @default 60 */
  readonly timeoutMinutes?: number | undefined;
  /** For how long runs are kept, in days. @default 30 */
  readonly keepDays?: number | undefined;
  /** How many runs are kept. @default 500 */
  readonly keepRuns?: number | undefined;
  /** How much of runs is kept, in GiB. @default 5 */
  readonly keepGiB?: number | undefined;
}

/** Whom builds belong to: alone in a group of that name, which may ask for runs and has no other right. */
const runnerAccount = "cc-ci-runner";

/**
 * What the last command of a run may take at the most: the harness ends within 20 s or is ended, and its
 * teardown within 180 s (services/run/harness.ts).
 */
const stopSeconds = 300;

/** What a run may use. A test of a recipe deploys with Docker: what it deploys is not of its unit. */
const limits: NixAttributes = { LimitCORE: 0, MemoryMax: "2G", TasksMax: 1024 };

/**
 * The way from a build to a test run: a socket that only the builds' user may connect to, and a service for
 * each connection. A build can ask for a run so, and for nothing else that root could do.
 *
 * Nothing of it is restarted by a rebuild: a run goes on. What changed holds at once, its limits for what runs too;
 * where that would end a run, the switch is refused (cc-ci-run may-switch).
 */
export class RunBoundary extends Construct implements HasUnit {
  /** The user that builds must belong to. */
  readonly account = runnerAccount;
  /** The socket. */
  readonly unit: SystemdUnit;
  /** How many runs there are at once. */
  readonly maxTests: number;
  /** The longest that a run takes, its teardown included, in seconds. */
  readonly longestSeconds: number;
  /** The longest that a build of one takes, with its waits for the host, in seconds. */
  readonly longestBuildSeconds: number;

  constructor(scope: Construct, id: string, props: RunBoundaryProps) {
    super(scope, id);
    const settings = {
      maxTests: props.maxTests ?? 2,
      timeoutMinutes: props.timeoutMinutes ?? 60,
      keepDays: props.keepDays ?? 30,
      keepRuns: props.keepRuns ?? 500,
      keepGiB: props.keepGiB ?? 5,
    };
    this.maxTests = settings.maxTests;
    this.longestSeconds = settings.timeoutMinutes * 60 + stopSeconds;
    this.longestBuildSeconds = this.longestSeconds + placeSeconds + holdSeconds;
    Machine.of(this).tells("runs", settings);
    const module = new NixosModule(this, "module", {
      name: "runs",
      template: "ci/run-boundary.nix",
      context: () => ({ account: runnerAccount }),
    });
    this.unit = new SystemdUnit(this, "socket", {
      name: "cc-ci-run",
      kind: "socket",
      module,
      options: () => ({
        description: "Take requests for test runs",
        wantedBy: ["sockets.target"],
        listenStreams: [runPlaces.socket],
        socketConfig: {
          Accept: true,
          MaxConnections: settings.maxTests,
          SocketUser: "root",
          SocketGroup: runnerAccount,
          SocketMode: "0660",
          RemoveOnStop: true,
          // A storm of clients would end the socket for good; how many are looked at in a while is limited
          // all the same (PollLimitBurst=).
          TriggerLimitIntervalSec: 0,
        },
      }),
    });
    const run = new SystemdUnit(this, "service", {
      name: "cc-ci-run@",
      kind: "service",
      module,
      options: () => ({
        description: "Test run %i",
        // A run is ended before this goes, for it would lose its last command (cc-ci-run may-switch).
        restartIfChanged: false,
        unitConfig: {
          // However a run ends: what is left of it is its folder, and not a failed unit.
          CollectMode: "inactive-or-failed",
        },
        environment: { NODE_COMPILE_CACHE: `/var/cache/${compileCache}` },
        serviceConfig: {
          Type: "exec",
          ExecStart: nixJoin([nixName("run"), " serve ", nixName("harness")]),
          ExecStopPost: nixJoin([nixName("run"), " end ", nixName("harness")]),
          StandardInput: "socket",
          StandardOutput: "journal",
          StandardError: "journal",
          RuntimeMaxSec: `${settings.timeoutMinutes}min`,
          TimeoutStopSec: `${stopSeconds}s`,
          // The program ends what it started in order; what does not end so is killed.
          KillMode: "mixed",
          RuntimeDirectory: `${runPlaces.living.replace("/run/", "")}/%i`,
          RuntimeDirectoryMode: "0700",
          ...folders,
          ...limits,
          ...runHardening,
          // It looks whether a process still lives that lets no run begin, and who has more rights is hidden.
          ProtectProc: undefined,
        },
      }),
    });
    run.needsForeign(props.service, "after");
    this.#addSweep(module, settings, props.service);
    this.node.addValidation({ validate: () => problemsOf(settings) });
  }

  #addSweep(module: NixosModule, settings: Settings, service: string): void {
    const { keepDays, keepRuns, keepGiB } = settings;
    const flags = `--keep-days ${keepDays} --keep-runs ${keepRuns} --keep-gib ${keepGiB}`;
    const sweep = new SystemdUnit(this, "sweep", {
      name: "cc-ci-runs",
      kind: "service",
      module,
      options: () => ({
        description: "End test runs that were left alone, and remove old ones",
        startLimitIntervalSec: 0,
        environment: { NODE_COMPILE_CACHE: `/var/cache/${compileCache}` },
        serviceConfig: {
          Type: "oneshot",
          ExecStart: nixJoin([nixName("run"), " sweep ", nixName("harness"), ` ${flags}`]),
          // A teardown for each run that a power cut left.
          TimeoutStartSec: "30min",
          ...folders,
          ...runHardening,
        },
      }),
    });
    sweep.needsForeign(service, "after");
    new SystemdUnit(this, "timer", {
      name: "cc-ci-runs",
      kind: "timer",
      module,
      options: () => ({
        description: "Look after test runs at boot and at intervals",
        wantedBy: ["timers.target"],
        timerConfig: { OnBootSec: "1min", OnUnitInactiveSec: "10min", AccuracySec: "30s" },
      }),
    });
  }
}

interface Settings {
  readonly maxTests: number;
  readonly timeoutMinutes: number;
  readonly keepDays: number;
  readonly keepRuns: number;
  readonly keepGiB: number;
}

/** Below /var/cache: what Node made of the program, which takes half of the time that it needs to start. */
const compileCache = "cc-ci/run";

const folders: NixAttributes = {
  StateDirectory: stateFolders.runs,
  StateDirectoryMode: "0700",
  CacheDirectory: compileCache,
  CacheDirectoryMode: "0700",
  UMask: "0077",
};

/**
 * What a run can do without. It is root's, for it works with Docker's socket, which equals root; it fetches
 * recipes and asks what it deployed, so the network stays. Node makes code as it runs, so
 * MemoryDenyWriteExecute cannot be. What else of the host is secret is none of a test's business.
 */
const runHardening: NixAttributes = {
  ...confined,
  // What a test mounts into its containers, these fill with folders of users of their own, which have to be counted
  // and removed all the same.
  CapabilityBoundingSet: "CAP_DAC_OVERRIDE",
  InaccessiblePaths: [`-${statePath(stateFolders.secrets)}`, `-${statePath(stateFolders.pieces)}`],
};

const ranges: Readonly<Record<keyof Settings, readonly [from: number, to: number]>> = {
  maxTests: [1, 32],
  timeoutMinutes: [1, 1440],
  keepDays: [1, 3650],
  keepRuns: [1, 100_000],
  keepGiB: [1, 10_000],
};

function problemsOf(settings: Settings): string[] {
  return (Object.keys(ranges) as (keyof Settings)[]).flatMap((name) => {
    const [[from, to], value] = [ranges[name], settings[name]];
    const isGood = Number.isInteger(value) && value >= from && value <= to;
    return isGood ? [] : [`${name}: must be a whole number from ${from} to ${to}`];
  });
}
