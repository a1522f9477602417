import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { outcomeOf } from "../../../services/lib/drone/outcome.ts";
import { kill, startOf, until } from "../../host/machine/processes.ts";
import { pipeline } from "../scene.ts";
import type { ContractEntry } from "./entry.ts";

import { childrenOf, ofProcess, printed, waiting } from "./seen-steps.ts";

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

/** What the steps of a build see, and how they end. */
export const steps: readonly ContractEntry[] = [
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
];
