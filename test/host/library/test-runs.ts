import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import {
  parametersOf,
  type RunRequest,
  type RunResults,
  runPlaces,
  runResultsSchema,
} from "../../../services/lib/run.ts";
import { type Host, usualConfiguration } from "../host.ts";
import { until } from "../machine/processes.ts";
import { showUnits } from "../system/switch.ts";
import type { Configuration } from "../system/system.ts";
import { withoutPieces } from "./without-pieces.ts";

/** Whom builds belong to. */
export const runnerAccount = "cc-ci-runner";

/** The usual host, with these lines below `runs` of cc-ci.yaml, and without pieces: test runs need none. */
export function withRuns(...lines: readonly string[]): Configuration {
  const keys = lines.length === 0 ? " {}" : lines.map((line) => `\n  ${line}`).join("");
  return withoutPieces(usualConfiguration(`runs:${keys}`));
}

/** What a build came to. */
export interface BuildEnd {
  readonly status: number;
  readonly printed: string;
}

const listSchema = z.object({
  runs: z.array(z.object({ id: z.string(), recipe: z.string(), unit: z.string() })),
});

/** A build that asks for a run and waits for it. */
export interface Build {
  readonly id: string;
  /** The unit of the build itself, in which nothing but `ask` runs. */
  readonly unit: string;
  readonly end: Promise<BuildEnd>;
  /** Ends it as Drone ends a step: at once, and without a word to anybody. */
  cancel(): Promise<void>;
}

let made = 0;

/** A request for a run of a recipe that nobody has asked for yet. */
export function requestFor(recipe = "wiki"): RunRequest {
  made += 1;
  const id = (process.pid * 4096 + made).toString(16).padStart(16, "0");
  const commit = "0123456789abcdef0123456789abcdef01234567";
  return { id, recipe, repository: `recipes/${recipe}`, pull: 7, commit, quick: false };
}

/** Builds and runs on a host. */
export class TestRuns {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Says what runs of these recipes do; see services/rehearsal/script.ts. */
  script(scenes: Readonly<Record<string, unknown>>): void {
    this.#host.write("/var/lib/cc-ci/rehearsal.json", JSON.stringify(scenes), 0o600);
  }

  /** Starts a build, as the builds' user and in a unit of its own. */
  start(request: RunRequest = requestFor()): Build {
    const unit = `build-${request.id}.service`;
    const variables = Object.entries(parametersOf(request));
    const command = [
      ...["systemd-run", "--quiet", "--wait", "--pipe", "--collect", `--unit=${unit}`],
      ...[`--uid=${runnerAccount}`, "--property=KillSignal=SIGKILL"],
      ...variables.map(([name, value]) => `--setenv=${name}=${value}`),
      ...["--", "/usr/bin/cc-ci-run", "ask"],
    ];
    const end = this.#host
      .exec(command, { mayFail: true, timeoutSeconds: 1200 })
      .then(({ exitCode, stdout, stderr }) => ({ status: exitCode, printed: stdout + stderr }));
    const cancel = async () => {
      await this.#host.exec(["systemctl", "kill", "--signal=SIGKILL", unit], { mayFail: true });
    };
    return { id: request.id, unit, end, cancel };
  }

  /** A build from its start to its end. */
  async run(request?: RunRequest): Promise<BuildEnd> {
    return await this.start(request).end;
  }

  /** The runs that go on, as `cc-ci-run list` has them. */
  async list(): Promise<z.infer<typeof listSchema>["runs"]> {
    const { stdout } = await this.#host.exec(["cc-ci-run", "list", "--json"]);
    return listSchema.parse(JSON.parse(stdout)).runs;
  }

  /** The unit of a run, once its harness has printed these words. */
  async unitOf(id: string, words = "rehearses"): Promise<string> {
    return await until(`${words} of the run ${id}`, 60, async () => {
      if (!this.logOf(id).includes(words)) return undefined;
      return (await this.list()).find((each) => each.id === id)?.unit;
    });
  }

  /** What a run printed. */
  logOf(id: string): string {
    const path = join(this.#host.machine.root, runPlaces.runs, id, "log.jsonl");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** What a run came to; undefined as long as nobody has said. */
  resultsOf(id: string): RunResults | undefined {
    const path = join(this.#host.machine.root, runPlaces.runs, id, "results.json");
    if (!existsSync(path)) return undefined;
    return runResultsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  }

  /** How often the teardown of a run was asked. */
  tearDownsOf(id: string): number {
    const path = `${runPlaces.runs}/${id}/artefacts/torn-down.json`;
    if (!existsSync(join(this.#host.machine.root, path))) return 0;
    return z.object({ times: z.number() }).parse(JSON.parse(this.#host.read(path))).times;
  }

  /** Names in the folder of all runs. */
  folders(): readonly string[] {
    const folder = join(this.#host.machine.root, runPlaces.runs);
    return existsSync(folder) ? readdirSync(folder).toSorted() : [];
  }

  /** The units of runs that systemd knows, in whatever state. */
  async units(): Promise<readonly string[]> {
    const pattern = "cc-ci-run@*.service";
    const { stdout } = await this.#host.exec([
      ...["systemctl", "list-units", "--all", "--plain", "--no-legend", pattern],
    ]);
    return stdout.split("\n").flatMap((line) => line.split(/\s+/)[0] || []);
  }

  /** Waits until no run goes on, and shows that nothing of any is left but its folder. */
  async none(): Promise<void> {
    await until("the end of all runs", 120, async () =>
      (await this.units()).length === 0 ? true : undefined,
    );
    const { stdout } = await this.#host.exec(["sh", "-c", nothingLeft]);
    if (stdout !== "") throw new Error(`something of a run is left:\n${stdout}`);
    const strange = this.folders().filter((name) => !/^[0-9a-f]{16}$/.test(name));
    if (strange.length > 0) throw new Error(`left in the folder of runs: ${strange.join(", ")}`);
  }

  /** Whether the socket listens, and gives a run. */
  async serves(): Promise<boolean> {
    const [{ ActiveState } = {}] = await showUnits(
      this.#host.machine,
      ["cc-ci-run.socket"],
      ["ActiveState"],
    );
    const { status } = await this.run(requestFor("any"));
    return ActiveState === "active" && status === 0;
  }
}

/** Prints processes of rehearsals, and folders of instances. A sweep has the path of the rehearsal, and is none. */
const nothingLeft = `ls -A ${runPlaces.living} 2>/dev/null
ps -eo args | awk '/[c]c-ci-rehearsal|[s]leep 86400/ && !/ sweep /'`;

/** A program of Node's that runs as the builds' user, with what it prints. */
export async function asRunner(host: Host, program: string): Promise<BuildEnd> {
  const { exitCode, stdout, stderr } = await host.machine.runInUnit(
    ["/usr/local/bin/node", "-e", program],
    [`User=${runnerAccount}`],
    { mayFail: true, timeoutSeconds: 300 },
  );
  return { status: exitCode, printed: stdout + stderr };
}
