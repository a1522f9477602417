import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { outcomeOf } from "../../../services/lib/drone/outcome.ts";
import type { Build } from "../../../services/lib/drone/schemas.ts";
import { Background } from "../../background.ts";
import { answers, freePort } from "../../forge/gitea.ts";
import { kill, startOf, until } from "../../host/machine/processes.ts";
import { outOfTurn } from "../out-of-turn.ts";
import { type Drone, pipeline, type Scene } from "../scene.ts";
import type { ContractEntry } from "./entry.ts";

/** Names of all that a step finds in its environment, in a build that has not failed. */
const stepVariables = `
  CI CI_BUILD_CREATED CI_BUILD_EVENT CI_BUILD_FINISHED CI_BUILD_LINK CI_BUILD_NUMBER CI_BUILD_STARTED
  CI_BUILD_STATUS CI_BUILD_TARGET CI_COMMIT_AUTHOR CI_COMMIT_AUTHOR_AVATAR CI_COMMIT_AUTHOR_EMAIL
  CI_COMMIT_AUTHOR_NAME CI_COMMIT_BRANCH CI_COMMIT_MESSAGE CI_COMMIT_REF CI_COMMIT_SHA
  CI_PARENT_BUILD_NUMBER CI_REMOTE_URL CI_REPO CI_REPO_LINK CI_REPO_NAME CI_REPO_PRIVATE CI_REPO_REMOTE
  DRONE DRONE_BRANCH DRONE_BUILD_ACTION DRONE_BUILD_CREATED DRONE_BUILD_EVENT DRONE_BUILD_FINISHED
  DRONE_BUILD_LINK DRONE_BUILD_NUMBER DRONE_BUILD_PARENT DRONE_BUILD_STARTED DRONE_BUILD_STATUS
  DRONE_COMMIT DRONE_COMMIT_AFTER DRONE_COMMIT_AUTHOR DRONE_COMMIT_AUTHOR_AVATAR
  DRONE_COMMIT_AUTHOR_EMAIL DRONE_COMMIT_AUTHOR_NAME DRONE_COMMIT_BEFORE DRONE_COMMIT_BRANCH
  DRONE_COMMIT_LINK DRONE_COMMIT_MESSAGE DRONE_COMMIT_REF DRONE_COMMIT_SHA DRONE_DEPLOY_TO
  DRONE_GIT_HTTP_URL DRONE_GIT_SSH_URL DRONE_HOME DRONE_REMOTE_URL DRONE_REPO DRONE_REPO_BRANCH
  DRONE_REPO_LINK DRONE_REPO_NAME DRONE_REPO_NAMESPACE DRONE_REPO_OWNER DRONE_REPO_PRIVATE
  DRONE_REPO_SCM DRONE_REPO_VISIBILITY DRONE_SOURCE_BRANCH DRONE_STAGE_ARCH DRONE_STAGE_DEPENDS_ON
  DRONE_STAGE_FINISHED DRONE_STAGE_KIND DRONE_STAGE_MACHINE DRONE_STAGE_NAME DRONE_STAGE_NUMBER
  DRONE_STAGE_OS DRONE_STAGE_STARTED DRONE_STAGE_STATUS DRONE_STAGE_TYPE DRONE_STAGE_VARIANT
  DRONE_STEP_NAME DRONE_STEP_NUMBER DRONE_SYSTEM_HOST DRONE_SYSTEM_HOSTNAME DRONE_SYSTEM_PROTO
  DRONE_SYSTEM_VERSION DRONE_TARGET_BRANCH DRONE_WORKSPACE
  GIT_AUTHOR_EMAIL GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_NAME GIT_TERMINAL_PROMPT
  HOME HOMEPATH PATH USER USERPROFILE`
  .trim()
  .split(/\s+/);

/** What the first step of a build printed. */
async function printed(
  scene: Scene,
  commands: readonly string[],
  parameters: Readonly<Record<string, string>> = {},
  options: Parameters<typeof pipeline>[1] = {},
): Promise<{ readonly lines: readonly string[]; readonly build: Build }> {
  const { client } = await scene.shared();
  const place = await scene.place(await scene.ci(), pipeline(commands, options));
  const number = await scene.build(place, parameters);
  const build = await scene.ended(place, number);
  const log = await client.log(place.repository, number, 1, options.clone ? 2 : 1);
  const lines = log.join("").trimEnd().split("\n");
  return { lines: lines.filter((line) => !line.startsWith("+ ")), build };
}

/** A build whose step says some words, then waits. @returns its words, and how to look at it */
async function waiting(
  scene: Scene,
  commands: readonly string[],
  more: {
    readonly drone?: Drone;
    readonly repository?: string;
    readonly options?: Parameters<typeof pipeline>[1];
  } = {},
) {
  const repository = more.repository ?? (await scene.ci());
  const note = join(scene.folder(), "note");
  const script = [`(${commands.join("; ")}) > ${note}.new`, `mv ${note}.new ${note}`];
  const text = pipeline([...script, "sleep 100 > /dev/null 2>&1 & wait"], more.options);
  const place = await scene.place(repository, text);
  const number = await scene.build(place, {}, more.drone);
  await until(`the note of ${repository} ${number}`, 60, () => existsSync(note) || undefined, 100);
  return { place, number, note: readFileSync(note, "utf8").trimEnd().split("\n") };
}

/** A command that ends when it is let go of, by the name of a build or for all of them. */
function held(scene: Scene) {
  const folder = scene.folder();
  const isLeft = `[ ! -e ${folder}/all ] && [ ! -e ${folder}/$DRONE_BUILD_NUMBER ]`;
  return {
    command: `while ${isLeft}; do sleep 0.2; done`,
    letGo: (number: number | "all"): void => writeFileSync(join(folder, String(number)), ""),
  };
}

/** What `ps` says of a process; empty when there is none. */
function ofProcess(pid: number, field: "pgid" | "ppid" | "args"): string {
  try {
    const args = ["-o", `${field}=`, "-p", String(pid)];
    return execFileSync("ps", args, { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

/** Processes with that as their parent. */
function childrenOf(pid: number): readonly number[] {
  try {
    const found = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    return found.split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The exec runner, and what its steps see. */
export const runners: readonly ContractEntry[] = [
  {
    id: "step-environment",
    facts: "3.2",
    says: "a step sees what Drone knows, the parameters, and of the runner's environment PATH, USER and proxies alone",
    probe: async (scene) => {
      const { lines } = await printed(
        scene,
        ["env -0 | cut -z -d= -f1 | sort -z | xargs -0 -n 1"],
        {
          ...{ CCCI_ID: "1", lower: "2" },
        },
      );
      // A shell adds some of its own.
      const own = lines.filter(
        (name) => !["PWD", "OLDPWD", "SHLVL", "_", "COLUMNS"].includes(name),
      );
      expect(own).toEqual([...stepVariables, "CCCI_ID", "lower", "no_proxy", "NO_PROXY"].sort());
    },
  },
  {
    id: "links",
    facts: "2.5",
    says: "a step knows the address of its build's page; the link of its commit leads to the forge's API",
    probe: async (scene) => {
      const { server } = await scene.shared();
      const commands = ["echo $DRONE_BUILD_LINK", "echo $DRONE_COMMIT_LINK", "echo $DRONE_REPO"];
      const { build, lines } = await printed(scene, commands);
      const ci = await scene.ci();
      expect(lines).toEqual([
        ...[`${server.url}/${ci}/${build.number}`, expect.stringContaining("/api/v1/"), ci],
      ]);
    },
  },
  {
    id: "workspace",
    facts: "3.2",
    says: "a step is in a workspace of its own that nobody else may look into, and that is gone afterwards",
    probe: async (scene) => {
      const { lines } = await printed(scene, [
        ...["pwd", "stat -c %a . $HOME", "echo $HOME", "ls -A . $HOME | wc -l"],
      ]);
      const [workspace = "", ...rest] = lines;
      expect(workspace).toMatch(/\/workspaces\/drone-[^/]+\/drone\/src$/);
      const root = dirname(dirname(workspace));
      expect(rest.slice(0, 3)).toEqual(["700", "700", join(root, "home/drone")]);
      await until("the end of the workspace", 10, () => !existsSync(root) || undefined);
    },
  },
  {
    id: "parameters-override",
    facts: "3.2",
    says: "parameters replace PATH, USER and what the runner adds, and neither HOME nor what is Drone's",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("environ") };
      const file = join(scene.folder(), "added.env");
      await writeFile(file, "FILED=runner\nFILED_TOO=runner\n");
      await scene.runner(drone, {
        DRONE_RUNNER_LABELS: `of:${labels.of}`,
        DRONE_RUNNER_ENVIRON: "ADDED:runner,KEPT:runner",
        DRONE_RUNNER_ENVFILE: file,
      });
      const parameters = {
        ...{
          USER: "mine",
          ADDED: "mine",
          FILED: "mine",
          HOME: "/mine",
          DRONE_REPO: "mine",
          CI: "mine",
        },
        PATH: `${process.env.PATH}:/mine`,
      };
      const commands = [
        "echo $USER $ADDED $KEPT $CI $FILED $FILED_TOO",
        "echo $HOME",
        "echo $DRONE_REPO",
        "echo $PATH",
      ];
      const { lines } = await printed(scene, commands, parameters, { labels });
      expect(lines).toEqual([
        "mine mine runner true mine runner",
        expect.stringMatching(/\/home\/drone$/),
        await scene.ci(),
        parameters.PATH,
      ]);
    },
  },
  {
    id: "runner-path",
    facts: "3.2",
    says: "the runner's settings can give steps another PATH than its own",
    probe: async (scene) => {
      const labels = { of: scene.name("path") };
      const path = `${process.env.PATH}:/of/the/runner`;
      await scene.runner(await scene.shared(), {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_PATH: path },
      });
      expect((await printed(scene, ["echo $PATH"], {}, { labels })).lines).toEqual([path]);
    },
  },
  {
    id: "parameters-break-path",
    facts: "3.2",
    says: "so that a parameter PATH has the clone fail with 127",
    probe: async (scene) => {
      const { build } = await printed(scene, ["true"], { PATH: "/mine" }, { clone: true });
      expect(build).toMatchObject({
        ...{ status: "failure", stages: [{ steps: [{ name: "clone", exit_code: 127 }, {}] }] },
      });
    },
  },
  {
    id: "text-replaced",
    facts: "3.2",
    says: "a name in braces is replaced in the pipeline's text, so that a value can change a command, and of two dollars one is left",
    probe: async (scene) => {
      const value = "it's";
      const good = await printed(
        scene,
        ['echo "$CCCI_TEXT"', 'echo "$${CCCI_TEXT}"', "echo a$$b"],
        {
          CCCI_TEXT: value,
        },
      );
      expect(good.lines).toEqual([value, value, "a"]);
      const bad = await printed(scene, ["echo ${CCCI_TEXT}"], { CCCI_TEXT: value });
      expect(bad.build).toMatchObject({
        status: "failure",
        stages: [{ steps: [{ exit_code: 2 }] }],
      });
    },
  },
  {
    id: "values-as-they-are",
    facts: "3.2",
    says: "a parameter reaches the step as it is, whatever it holds",
    probe: async (scene) => {
      const value = "a'b\"c $(id) `id` \\ {} é\nand a second line";
      const { lines } = await printed(scene, ['printf "%s" "$CCCI_TEXT" | base64 -w0; echo'], {
        CCCI_TEXT: value,
      });
      expect(Buffer.from(lines[0] ?? "", "base64").toString()).toBe(value);
    },
  },
  {
    id: "failure",
    facts: "3.2",
    says: "a step that fails ends the build as a failure, after steps that run then",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const more = {
        ...{ good: { on: ["success"], commands: ["true"] } },
        bad: { on: ["failure"], commands: ["true"] },
        always: { on: ["success", "failure"], commands: ["echo $DRONE_BUILD_STATUS"] },
      };
      const { build } = await printed(scene, ["exit 3"], {}, { more });
      expect(build).toMatchObject({
        status: "failure",
        stages: [
          {
            status: "failure",
            steps: [
              { name: "work", status: "failure", exit_code: 3 },
              { name: "good", status: "skipped" },
              { name: "bad", status: "success" },
              { name: "always", status: "success" },
            ],
          },
        ],
      });
      const lines = await client.log(await scene.ci(), build.number, 1, 4);
      expect(lines).toContain("failure\n");
    },
  },
  {
    id: "skip-status",
    facts: "3.2",
    says: "status 78 ends the stage as a success and skips the rest",
    probe: async (scene) => {
      const more = { always: { on: ["success", "failure"], commands: ["true"] } };
      const { build } = await printed(scene, ["exit 78"], {}, { more });
      expect(build).toMatchObject({
        status: "success",
        stages: [
          {
            status: "success",
            steps: [{ status: "success", exit_code: 78 }, { status: "skipped" }],
          },
        ],
      });
    },
  },
  {
    id: "output-held",
    facts: "3.2",
    says: "a step ends only when nobody holds its output any more",
    probe: async (scene) => {
      const before = performance.now();
      const { build } = await printed(scene, ["sleep 6 & echo begun"]);
      expect(build.status).toBe("success");
      expect(performance.now() - before).toBeGreaterThan(6000);
    },
  },
  {
    id: "commit-not-on-branch",
    facts: "3.1",
    says: "a commit that its branch does not have is taken, and cannot be cloned: 128",
    probe: async (scene) => {
      const text = pipeline(["true"], { clone: true });
      const place = await scene.place(await scene.ci(), text);
      const number = await scene.build({ ...place, branch: "main" });
      expect(await scene.ended(place, number)).toMatchObject({
        ...{ status: "failure", stages: [{ steps: [{ name: "clone", exit_code: 128 }, {}] }] },
      });
    },
  },
  {
    id: "cancelled",
    facts: "3.3",
    says: "a cancel kills the shell and nothing that it started; no step runs after it, and the slot is free",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const more = { always: { on: ["success", "failure"], commands: ["true"] } };
      const { note, number, place } = await waiting(scene, ["pwd", "echo $$$$"], {
        options: { more },
      });
      const [workspace = "", shell = ""] = note;
      const children = childrenOf(Number(shell));
      expect(children).toHaveLength(1);
      await client.cancel(place.repository, number);
      const build = await client.build(place.repository, number);
      expect(build).toMatchObject({
        status: "killed",
        stages: [
          {
            status: "killed",
            steps: [{ status: "killed", exit_code: 130 }, { status: "skipped" }],
          },
        ],
      });
      await until(
        "the end of the shell",
        15,
        () => startOf(Number(shell)) === undefined || undefined,
      );
      await until("the end of the workspace", 15, () => !existsSync(workspace) || undefined);
      const [child = 0] = children;
      expect(ofProcess(child, "args")).toBe("sleep 100");
      expect(ofProcess(child, "ppid")).not.toBe(shell);
      kill(child);
      expect(outcomeOf(build)).toBe("cancelled");
      // What the runner says of it later changes nothing.
      await sleep(1000);
      expect(await client.build(place.repository, number)).toMatchObject({
        ...{ status: "killed", stages: [{ status: "killed", steps: [{ exit_code: 130 }, {}] }] },
      });
    },
  },
  {
    id: "exec-cancelled",
    facts: "3.3",
    says: "a program that takes the place of the shell is what a cancel kills, and what ends with the runner",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("exec") };
      const settings = { DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "2" };
      const runner = await scene.runner(drone, settings);
      const begun = async () => {
        const note = join(scene.folder(), "note");
        const text = pipeline(
          [`echo $$$$ > ${note}`, "exec setpriv --pdeathsig KILL -- sleep 100"],
          { labels },
        );
        const place = await scene.place(await scene.ci(), text);
        const number = await scene.build(place);
        const isSleep = async (): Promise<number | undefined> => {
          const pid = existsSync(note) ? Number(readFileSync(note, "utf8")) : 0;
          return pid > 0 && ofProcess(pid, "args") === "sleep 100" ? pid : undefined;
        };
        return { number, place, pid: await until("the program", 60, isSleep, 200) };
      };
      const [first, second] = await Promise.all([begun(), begun()]);
      await drone.client.cancel(first.place.repository, first.number);
      await until("its end", 15, () => startOf(first.pid) === undefined || undefined);
      expect(startOf(second.pid)).toBeDefined();
      await runner.program.stop("SIGKILL");
      await until("its end", 5, () => startOf(second.pid) === undefined || undefined);
      await drone.client.cancel(second.place.repository, second.number);
    },
  },
  {
    id: "timeout",
    isSlow: true,
    facts: "2.6",
    says: "at the end of the repository's timeout the step is killed too, with 137",
    probe: async (scene) => {
      const { client } = await scene.shared();
      const repository = await scene.enabled();
      await client.change(repository, { timeout: 1 });
      const { note, number, place } = await waiting(scene, ["echo $$$$"], { repository });
      const [child = 0] = childrenOf(Number(note[0]));
      const build = await scene.ended(place, number, { seconds: 90 });
      expect(build).toMatchObject({
        ...{
          status: "killed",
          stages: [{ status: "killed", steps: [{ status: "killed", exit_code: 137 }] }],
        },
      });
      expect(outcomeOf(build)).toBe("timed-out");
      const seconds = ((build.finished?.getTime() ?? 0) - (build.started?.getTime() ?? 0)) / 1000;
      expect(seconds).toBeGreaterThanOrEqual(58);
      expect(seconds).toBeLessThan(90);
      expect(ofProcess(child, "args")).toBe("sleep 100");
      kill(child);
    },
  },
  {
    id: "runner-killed",
    facts: "2.6",
    says: "when the runner is killed, the build stays running, its step lives on, and its workspace stays",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("doomed") };
      const runner = await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}` });
      const { note, number, place } = await waiting(scene, ["pwd", "echo $$$$"], {
        options: { labels },
      });
      const [workspace = "", shell = ""] = note;
      await runner.program.stop("SIGKILL");
      const next = await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "1" },
      });
      const { build } = await printed(scene, ["true"], {}, { labels });
      expect(build.status).toBe("success");
      expect(await drone.client.build(place.repository, number)).toMatchObject({
        status: "running",
      });
      expect(startOf(Number(shell))).toBeDefined();
      expect(existsSync(workspace)).toBe(true);
      expect(next.workspaces).toEqual([]);
      const children = childrenOf(Number(shell));
      for (const pid of [Number(shell), ...children]) kill(pid);
      await drone.client.cancel(place.repository, number);
    },
  },
  {
    id: "runner-drains",
    facts: "3.1",
    says: "asked to end, a runner takes no more, lets what runs end, and then ends with status 1",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("draining") };
      const runner = await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "2" },
      });
      const { command, letGo } = held(scene);
      const place = await scene.place(await scene.ci(), pipeline([command], { labels }));
      const number = await scene.build(place);
      const isRunning = ({ status }: Build): boolean => status === "running";
      await scene.buildUntil(place.repository, number, isRunning);
      const stopping = runner.program.stop();
      await sleep(1000);
      const other = await scene.build(place);
      await sleep(1000);
      expect(runner.program.isRunning).toBe(true);
      letGo("all");
      expect(await stopping).toBe(1);
      expect(await scene.ended(place, number)).toMatchObject({ status: "success" });
      expect(await drone.client.build(place.repository, other)).toMatchObject({
        status: "pending",
      });
      await drone.client.cancel(place.repository, other);
    },
  },
  {
    id: "runner-idle-ends",
    facts: "3.1",
    says: "an idle one ends at once with status 1, and one that never reached its server with 0",
    probe: async (scene) => {
      const drone = await scene.shared();
      const idle = await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${scene.name("idle")}` });
      await until(
        "its first question",
        20,
        () => /polling/.test(idle.program.printed) || undefined,
      );
      await sleep(500);
      expect(await idle.program.stop()).toBe(1);
      const lost = await scene.runner(await scene.prepare());
      await until("an error", 20, () => /cannot ping/.test(lost.program.printed) || undefined);
      expect(await lost.program.stop()).toBe(0);
    },
  },
  {
    id: "runner-without-server",
    facts: "3.1",
    says: "a runner whose server cannot be reached, or refuses its secret, says so each second and stays healthy",
    probe: async (scene) => {
      const shared = await scene.shared();
      const lost = await scene.runner(await scene.prepare());
      const refused = await scene.runner(shared, { DRONE_RPC_SECRET: "wrong" });
      await sleep(3500);
      for (const runner of [lost, refused]) {
        const errors = runner.program.printed.match(/cannot ping the remote server/g) ?? [];
        expect(errors.length).toBeGreaterThanOrEqual(2);
        expect(runner.program.isRunning).toBe(true);
        expect(await answers(new URL("/healthz", runner.url))).toBe(true);
      }
    },
  },
  {
    id: "runner-settings-from-pipe",
    facts: "3.1",
    says: "a runner takes its settings from a pipe as well as from a file",
    probe: async (scene) => {
      const { server } = await scene.shared();
      const address = `127.0.0.1:${await freePort()}`;
      const settings = [
        ...["DRONE_RPC_PROTO=http", `DRONE_RPC_HOST=${new URL(server.url).host}`],
        ...["DRONE_RPC_SECRET=wrong", `DRONE_HTTP_BIND=${address}`, "DRONE_UI_DISABLE=true"],
      ];
      const pipe = join(scene.folder(), "settings");
      execFileSync("mkfifo", [pipe]);
      const command = [...scene.programs.runner, "daemon", pipe];
      const program = new Background(command, { env: { PATH: process.env.PATH ?? "" } });
      await writeFile(pipe, `${settings.join("\n")}\n`);
      try {
        const url = new URL("/healthz", `http://${address}`);
        await until("an answer of the runner", 20, () => answers(url));
      } finally {
        await program.stop("SIGKILL");
      }
    },
  },
  {
    id: "runner-without-settings",
    facts: "3.1",
    says: "a runner without its settings ends with status 1 and says which one it lacks",
    probe: async (scene) => {
      const command = [...scene.programs.runner, "daemon", "/nonexistent/runner.env"];
      const program = new Background(command, { env: { PATH: process.env.PATH ?? "" } });
      await until("its end", 20, () => !program.isRunning || undefined);
      expect(await program.stop()).toBe(1);
      await until(
        "what it lacks",
        20,
        () => program.printed.includes("DRONE_RPC_HOST") || undefined,
      );
    },
  },
  {
    id: "runner-page",
    facts: "3.1",
    says: "the runner says that it is healthy, and shows no page",
    probe: async (scene) => {
      const runner = await scene.runner(await scene.shared(), {
        DRONE_RUNNER_LABELS: "of:nobody-2",
      });
      expect((await fetch(new URL("/healthz", runner.url))).status).toBe(200);
      expect((await fetch(new URL("/", runner.url))).status).toBe(404);
      expect((await fetch(new URL("/metrics", runner.url))).status).toBe(404);
    },
  },
  {
    id: "runner-limits",
    facts: "3.1",
    says: "a build that a runner is not for is taken, and ends as an error that says so",
    probe: async (scene) => {
      const drone = await scene.shared();
      const ci = await scene.ci();
      const limits = {
        DRONE_LIMIT_REPOS: "ci/other",
        DRONE_LIMIT_EVENTS: "push",
        DRONE_LIMIT_TRUSTED: "1",
      };
      for (const [name, value] of Object.entries(limits)) {
        const labels = { of: scene.name("limited") };
        await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}`, [name]: value });
        const { build } = await printed(scene, ["true"], {}, { labels });
        expect(build).toMatchObject({
          status: "error",
          stages: [{ status: "error", error: "insufficient permission to run the pipeline" }],
        });
      }
      const labels = { of: scene.name("limited") };
      const fitting = { DRONE_LIMIT_REPOS: ci, DRONE_LIMIT_EVENTS: "custom" };
      await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}`, ...fitting });
      expect((await printed(scene, ["true"], {}, { labels })).build.status).toBe("success");
    },
  },
  {
    id: "process-group",
    facts: "3.2",
    says: "a step runs in the runner's own group of processes",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("group") };
      const runner = await scene.runner(drone, { DRONE_RUNNER_LABELS: `of:${labels.of}` });
      const { lines } = await printed(scene, ["ps -o pgid= -p $$$$"], {}, { labels });
      expect(lines[0]?.trim()).toBe(ofProcess(runner.program.pid, "pgid"));
    },
  },
  {
    id: "capacity",
    facts: "3.1",
    says: "of five builds two run at once, the oldest first, and a slot that is free is used at once",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("two") };
      await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "2" },
      });
      const { command, letGo } = held(scene);
      const place = await scene.place(await scene.ci(), pipeline([command], { labels }));
      const numbers: number[] = [];
      for (let count = 0; count < 5; count += 1) numbers.push(await scene.build(place));
      const [first = 0] = numbers;
      const states = async (): Promise<string> => {
        const all = numbers.map((number) => drone.client.build(place.repository, number));
        return (await Promise.all(all)).map(({ status }) => status.slice(0, 1)).join("");
      };
      const become = async (wanted: string): Promise<void> => {
        const look = async () => ((await states()) === wanted ? true : undefined);
        await until(wanted, 60, look, 300);
      };
      await become("rrppp");
      await sleep(2000);
      expect(await states()).toBe("rrppp");
      letGo(first);
      await become("srrpp");
      letGo("all");
      await become("sssss");
      const ended = await Promise.all(
        numbers.map((number) => drone.client.build(place.repository, number)),
      );
      const times = ended.map(({ started }) => started?.getTime() ?? 0);
      expect(outOfTurn(times, 2)).toEqual([]);
    },
  },
  {
    id: "labels",
    facts: "3.1",
    says: "a pipeline without the runner's labels stays pending, and one with labels that no runner has",
    probe: async (scene) => {
      const drone = await scene.shared();
      const repository = await scene.ci();
      const place = await scene.place(repository, pipeline(["true"], { labels: { of: "nobody" } }));
      const number = await scene.build(place);
      await sleep(5000);
      expect(await drone.client.build(repository, number)).toMatchObject({
        ...{ status: "pending", stages: [{ machine: "" }] },
      });
    },
  },
  {
    id: "pick-up-delay",
    isSlow: true,
    facts: "3.1",
    says: "after half a minute without work, a runner may take ten seconds to see some",
    probe: async (scene) => {
      const drone = await scene.shared();
      const labels = { of: scene.name("slow") };
      const place = await scene.place(await scene.ci(), pipeline(["true"], { labels }));
      const runner = await scene.runner(drone, {
        ...{ DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "1" },
      });
      await until(
        "its first question",
        20,
        () => /polling/.test(runner.program.printed) || undefined,
      );
      await sleep(31_500);
      const before = performance.now();
      const number = await scene.build(place);
      await scene.ended(place, number);
      const seconds = (performance.now() - before) / 1000;
      expect(seconds).toBeGreaterThan(4);
      expect(seconds).toBeLessThan(30);
    },
  },
  {
    id: "server-restarted",
    facts: "2.6",
    says: "a build survives a restart of the server with its whole log, and what waits is taken then",
    probe: async (scene) => {
      const drone = await scene.drone();
      const repository = await scene.enabledAt(drone.client);
      await scene.runner(drone, { DRONE_RUNNER_CAPACITY: "1" });
      const { command, letGo } = held(scene);
      const text = pipeline(["echo before", command, "echo after"]);
      const place = await scene.place(repository, text);
      const number = await scene.build(place, {}, drone);
      const waits = await scene.build(place, {}, drone);
      const isRunning = ({ status }: Build): boolean => status === "running";
      await scene.buildUntil(repository, number, isRunning, { drone });
      await sleep(1000);
      await drone.server.stop();
      await sleep(3000);
      await drone.server.start();
      expect(await drone.client.build(repository, number)).toMatchObject({ status: "running" });
      letGo("all");
      expect(await scene.ended(place, number, { drone })).toMatchObject({ status: "success" });
      const lines = (await drone.client.log(repository, number, 1, 1)).join("");
      expect(lines).toMatch(/^before\n[\s\S]*^after\n/m);
      expect(await scene.ended(place, waits, { drone })).toMatchObject({ status: "success" });
    },
  },
  {
    id: "credentials-chosen",
    facts: "2.7",
    says: "where the server has a login for git, private repositories are cloned by that",
    probe: async (scene) => {
      const drone = await scene.drone({
        ...{ DRONE_GIT_USERNAME: scene.writer.login, DRONE_GIT_PASSWORD: scene.writer.password },
      });
      await scene.runner(drone, { DRONE_RUNNER_CAPACITY: "1" });
      const repository = await scene.enabledAt(drone.client, { isPrivate: true });
      const text = pipeline(["cat $HOME/.netrc"], { clone: true });
      const place = await scene.place(repository, text);
      const number = await scene.build(place, {}, drone);
      expect(await scene.ended(place, number, { drone })).toMatchObject({ status: "success" });
      const { login, password } = scene.writer;
      const lines = (await drone.client.log(repository, number, 1, 2)).join("");
      expect(lines).toContain(`machine 127.0.0.1 login ${login} password ${password}`);
    },
  },
  {
    id: "proxy-without-server",
    facts: "3.1",
    says: "what a runner has to tell while a proxy answers 503 it tells later; while it answers 404, never",
    probe: async (scene) => {
      const drone = await scene.shared();
      const front = await scene.front(drone);
      const ends = [503, 404].map(async (answer) => {
        const labels = { of: scene.name("fronted") };
        const own = answer === 404 ? front : await scene.front(drone);
        const settings = { DRONE_RUNNER_LABELS: `of:${labels.of}`, DRONE_RUNNER_CAPACITY: "1" };
        await scene.runner(drone, { ...settings, DRONE_RPC_HOST: new URL(own.url).host });
        const { command, letGo } = held(scene);
        const place = await scene.place(await scene.ci(), pipeline([command], { labels }));
        const number = await scene.build(place);
        const isRunning = ({ stages, status }: Build): boolean =>
          status === "running" && stages[0]?.steps[0]?.status === "running";
        await scene.buildUntil(place.repository, number, isRunning);
        own.answer = answer;
        letGo(number);
        await sleep(6000);
        own.answer = undefined;
        await sleep(14_000);
        return (await drone.client.build(place.repository, number)).status;
      });
      expect(await Promise.all(ends)).toEqual(["success", "running"]);
    },
  },
  {
    id: "refused-and-hammering",
    facts: "3.1",
    says: "an idle runner that is told 404 or 401 asks again at once, and again",
    probe: async (scene) => {
      const drone = await scene.shared();
      for (const answer of [404, 401]) {
        const front = await scene.front(drone);
        const runner = await scene.runner(drone, {
          ...{ DRONE_RUNNER_LABELS: `of:${scene.name("told")}`, DRONE_RUNNER_CAPACITY: "1" },
          DRONE_RPC_HOST: new URL(front.url).host,
        });
        await until("its first question", 20, () => (front.asked > 1 ? true : undefined));
        front.answer = answer;
        front.cut();
        // After a connection that broke it waits.
        await until("many questions", 30, () => (front.asked > 50 ? true : undefined));
        expect(runner.program.printed).toMatch(/cannot request stage/);
        expect(await runner.program.stop()).toBe(1);
      }
    },
  },
  {
    id: "credentials-in-workspace",
    facts: "2.7",
    says: "steps of a private repository have the owner's login in their home, those of a public one do not",
    probe: async (scene) => {
      const commands = [
        "cat $HOME/.netrc 2> /dev/null | wc -w",
        "cat $HOME/.netrc | cut -d' ' -f1,2,5,6",
      ];
      const open = await printed(scene, commands.slice(0, 1));
      expect(open.lines.map((line) => line.trim())).toEqual(["0"]);
      const { client } = await scene.shared();
      const repository = await scene.enabled({ isPrivate: true });
      const place = await scene.place(repository, pipeline(commands.slice(1), { clone: true }));
      const number = await scene.build(place);
      expect(await scene.ended(place, number)).toMatchObject({ status: "success" });
      const lines = (await client.log(repository, number, 1, 2)).join("").trimEnd().split("\n");
      expect(lines.at(-1)).toBe("machine 127.0.0.1 password x-oauth-basic");
    },
  },
];
