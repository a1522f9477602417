import type { Build } from "../../../../services/lib/drone/schemas.ts";
import { DroneRefusal } from "../../../../services/lib/drone/trouble.ts";
import type { RunRequest, RunResults } from "../../../../services/lib/run.ts";
import { parametersOf, requestIn, runVersion } from "../../../../services/lib/run.ts";
import type { Clock } from "./clock.ts";
import { Trouble } from "./trouble.ts";

type Stage = Build["stages"][number];

export interface FakeBuild {
  readonly number: number;
  readonly params: Readonly<Record<string, string>>;
  readonly after: string;
  readonly created: Date;
  status: Build["status"];
  error: string;
  started: Date | null;
  finished: Date | null;
  stages: readonly Stage[];
  /** Its runner was killed: nobody will ever say how it ends. */
  isLost: boolean;
}

/** How the next start goes. */
export type StartMood =
  | "well"
  /** Drone has its answer only when nobody waits for it any more, and the build later still. */
  | "late"
  /** It fails with 500 having made it, or not. */
  | "failing-after"
  | "failing-before"
  /** Nobody takes the connection. */
  | "unsent"
  /** Its forge is away, or the login with it is dead. */
  | "forge-silent"
  | "login-dead"
  /** The CI repository's pipeline is not as it should be. */
  | ("not-triggered" | "config-wrong" | "config-missing" | "other-commit");

/** How a build comes out. */
export type Result =
  | "passed"
  | "failed"
  /** Passed, with results that come too late, or not at all. */
  | ("passed-late" | "passed-silent")
  /** The runner ends it, for its time is over. */
  | "timed-out"
  /** Somebody ends it in Drone. */
  | "killed"
  /** Its run was ended, and says so. */
  | "aborted"
  /** Its runner may not take it. */
  | "error";

/** Who is told of what the server is asked for, whatever comes of that. */
export interface Told {
  readonly asks: (request: RunRequest) => void;
  readonly cancels: (build: FakeBuild) => void;
}

/** How long a build takes, in milliseconds. */
const buildMilliseconds = 20_000;

/** What a Drone server knows, with a runner that takes two builds at once; and what runs leave. */
export class FakeDrone {
  readonly trouble = new Trouble();
  start: StartMood = "well";
  /** And those after it. */
  usualStart: StartMood = "well";
  /** Builds of which it gives an answer that nobody understands when it is asked for the one, by their numbers. */
  readonly unreadable = new Set<number>();
  /** Whether it notes of a build that it is ended, and only later of what is in it. */
  isSlowToEnd = false;
  /** Whether the bridge's account may end builds. */
  mayCancel = true;
  /** All that there ever was, the oldest first. */
  readonly builds: FakeBuild[] = [];
  readonly results = new Map<string, RunResults>();
  readonly clock: Clock;
  readonly told: Told;

  constructor(clock: Clock, told: Told) {
    this.clock = clock;
    this.told = told;
  }

  make(after: string, request: RunRequest, error = ""): FakeBuild {
    const isWrong = error !== "";
    const build: FakeBuild = {
      ...{ number: this.builds.length + 1, params: parametersOf(request), after, error },
      ...{ created: this.clock.second(), started: null, isLost: false },
      finished: isWrong ? this.clock.second() : null,
      status: isWrong ? "error" : "pending",
      stages: isWrong ? [] : [stageOf("pending", [])],
    };
    this.builds.push(build);
    return build;
  }

  /** Loses its database, and numbers builds from 1 on again. */
  forget(): void {
    this.builds.length = 0;
  }

  /** The runner takes the oldest build that waits, if it has a place. @returns whether it did */
  begin(): boolean {
    const next = this.builds.find(({ status }) => status === "pending");
    if (this.#running().length >= 2 || next === undefined) return false;
    next.status = "running";
    next.started = this.clock.second();
    next.stages = [
      stageOf("running", [stepOf("clone", "success", 0), stepOf("run", "running", 0)]),
    ];
    return true;
  }

  /** What a runner does by itself: all that it takes passes. */
  work(): void {
    while (this.begin());
    const [oldest] = this.#running();
    if (oldest?.started == null) return;
    if (this.clock.now() - oldest.started.getTime() >= buildMilliseconds) this.finish("passed");
  }

  /** Ends the oldest build that runs. */
  finish(how: Result): void {
    const [oldest] = this.#running();
    if (oldest !== undefined) this.#finish(oldest, how);
  }

  #running(): readonly FakeBuild[] {
    return this.builds.filter(({ status, isLost }) => status === "running" && !isLost);
  }

  #finish(build: FakeBuild, how: Result): void {
    const left = (outcome: RunResults["outcome"]) => this.#leaveResults(build, outcome);
    switch (how) {
      case "passed":
        left("passed");
        this.#ends(build, "success", "success", 0);
        return;
      case "failed":
        left("failed");
        this.#ends(build, "failure", "failure", 1);
        return;
      case "passed-late":
        this.#ends(build, "success", "success", 0);
        this.clock.plan(20_000, () => left("passed"));
        return;
      case "passed-silent":
        this.#ends(build, "success", "success", 0);
        return;
      case "timed-out":
        this.#ends(build, "killed", "killed", 137);
        return;
      case "killed":
        this.end(build);
        return;
      case "aborted":
        left("aborted");
        this.#ends(build, "failure", "failure", 1);
        return;
      case "error":
        build.error = "insufficient permission to run the pipeline";
        this.#ends(build, "error", "error", 255);
    }
  }

  /** As somebody ends it by hand, which does nothing to one that has ended. */
  end(build: FakeBuild): void {
    if (build.status !== "pending" && build.status !== "running") return;
    const { stages } = build;
    this.#ends(build, "killed", "killed", 130);
    if (!this.isSlowToEnd) return;
    const ended = build.stages;
    build.stages = stages;
    this.clock.plan(3000, () => {
      build.stages = ended;
    });
  }

  #ends(
    build: FakeBuild,
    status: Build["status"],
    step: Stage["steps"][number]["status"],
    code: number,
  ): void {
    build.status = status;
    build.finished = this.clock.second();
    const [clone] = build.stages[0]?.steps ?? [];
    const steps = clone === undefined ? [] : [clone, stepOf("run", step, code)];
    build.stages = [stageOf(status, steps)];
  }

  #leaveResults({ params }: FakeBuild, outcome: RunResults["outcome"]): void {
    const request = requestIn(params);
    const at = this.clock.second().toISOString();
    const reason = outcome === "passed" ? null : `the page | of @somebody: ${outcome}`;
    const times = { startedAt: at, endedAt: at };
    this.results.set(request.id, {
      ...{ version: runVersion, request, outcome, reason, ...times },
      stages: [{ name: "install", status: outcome, reason, ...times }],
    });
  }

  /** The build of that number. @throws {DroneRefusal} where there is none */
  numbered(number: number): FakeBuild {
    const found = this.builds[number - 1];
    if (found === undefined) throw new DroneRefusal("not-found", 404, "sql: no rows in result set");
    return found;
  }
}

export function isOver({ status }: FakeBuild): boolean {
  return status !== "pending" && status !== "running";
}

function stageOf(status: Stage["status"], steps: Stage["steps"]): Stage {
  const machine = status === "pending" ? "" : "runner";
  return {
    ...{ number: 1, name: "test", status, error: "", machine, steps },
    ...{ started: null, updated: null },
  };
}

function stepOf(name: string, status: Stage["status"], code: number): Stage["steps"][number] {
  return { number: name === "clone" ? 1 : 2, name, status, exit_code: code };
}
