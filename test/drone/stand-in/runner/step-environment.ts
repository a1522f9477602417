import { join } from "node:path";
import { now } from "../environment.ts";
import type { Details, Stage, Step } from "../records.ts";

type Variables = Readonly<Record<string, string>>;

/** The part that a parameter of the build cannot replace. */
function known({ build, repository, system }: Details, stage: Stage): Variables {
  const bad = ["error", "failure", "killed"];
  const failedSteps = (stage.steps ?? []).filter(({ status }) => bad.includes(status));
  const hasFailed = bad.includes(stage.status) || failedSteps.length > 0;
  const buildFailed = bad.includes(build.status) || bad.includes(stage.status);
  const time = String(now());
  return {
    ...{ CI: "true", DRONE: "true" },
    ...{ DRONE_SYSTEM_PROTO: system.proto, DRONE_SYSTEM_HOST: system.host },
    ...{ DRONE_SYSTEM_HOSTNAME: system.host, DRONE_SYSTEM_VERSION: system.version },
    ...{ DRONE_REPO: repository.slug, DRONE_REPO_SCM: repository.scm },
    ...{ DRONE_REPO_OWNER: repository.namespace, DRONE_REPO_NAMESPACE: repository.namespace },
    ...{ DRONE_REPO_NAME: repository.name, DRONE_REPO_LINK: repository.link },
    ...{ DRONE_REPO_BRANCH: repository.default_branch, DRONE_REMOTE_URL: repository.git_http_url },
    ...{ DRONE_GIT_HTTP_URL: repository.git_http_url, DRONE_GIT_SSH_URL: repository.git_ssh_url },
    ...{ DRONE_REPO_VISIBILITY: repository.visibility },
    DRONE_REPO_PRIVATE: String(repository.private),
    ...{ DRONE_BRANCH: build.target, DRONE_SOURCE_BRANCH: build.source },
    ...{ DRONE_TARGET_BRANCH: build.target, DRONE_COMMIT: build.after },
    ...{ DRONE_COMMIT_SHA: build.after, DRONE_COMMIT_BEFORE: build.before },
    ...{ DRONE_COMMIT_AFTER: build.after, DRONE_COMMIT_REF: build.ref },
    ...{ DRONE_COMMIT_BRANCH: build.target, DRONE_COMMIT_LINK: build.link },
    ...{ DRONE_COMMIT_MESSAGE: build.message, DRONE_COMMIT_AUTHOR: build.author_login },
    ...{ DRONE_COMMIT_AUTHOR_EMAIL: build.author_email },
    ...{ DRONE_COMMIT_AUTHOR_AVATAR: build.author_avatar },
    ...{ DRONE_COMMIT_AUTHOR_NAME: build.author_name },
    DRONE_BUILD_NUMBER: String(build.number),
    DRONE_BUILD_PARENT: String(build.parent ?? 0),
    ...{ DRONE_BUILD_EVENT: build.event, DRONE_BUILD_ACTION: build.action },
    DRONE_BUILD_STATUS: buildFailed ? "failure" : "success",
    ...(buildFailed ? { DRONE_FAILED_STAGES: bad.includes(stage.status) ? stage.name : "" } : {}),
    DRONE_BUILD_CREATED: String(build.created),
    DRONE_BUILD_STARTED: String(build.started || time),
    ...{ DRONE_BUILD_FINISHED: time, DRONE_DEPLOY_TO: "" },
    DRONE_BUILD_LINK: `${system.link}/${repository.slug}/${build.number}`,
    ...{ DRONE_STAGE_KIND: stage.kind, DRONE_STAGE_TYPE: stage.type },
    ...{ DRONE_STAGE_NAME: stage.name, DRONE_STAGE_NUMBER: String(stage.number) },
    ...{ DRONE_STAGE_MACHINE: stage.machine ?? "", DRONE_STAGE_OS: stage.os },
    ...{ DRONE_STAGE_ARCH: stage.arch, DRONE_STAGE_VARIANT: "", DRONE_STAGE_DEPENDS_ON: "" },
    DRONE_STAGE_STATUS: hasFailed ? "failure" : "success",
    ...(hasFailed ? { DRONE_FAILED_STEPS: failedSteps.map(({ name }) => name).join(",") } : {}),
    DRONE_STAGE_STARTED: String(stage.started || time),
    DRONE_STAGE_FINISHED: time,
    // By the names of an older Drone.
    ...{ CI_REPO: repository.slug, CI_REPO_NAME: repository.slug, CI_REPO_LINK: repository.link },
    ...{ CI_REPO_REMOTE: repository.git_http_url, CI_REMOTE_URL: repository.git_http_url },
    ...{ CI_REPO_PRIVATE: String(repository.private), CI_BUILD_NUMBER: String(build.number) },
    CI_PARENT_BUILD_NUMBER: String(build.parent ?? 0),
    ...{ CI_BUILD_CREATED: String(build.created), CI_BUILD_STARTED: String(build.started) },
    ...{ CI_BUILD_FINISHED: String(build.finished), CI_BUILD_STATUS: build.status },
    ...{ CI_BUILD_EVENT: build.event, CI_BUILD_LINK: build.link, CI_BUILD_TARGET: "" },
    ...{ CI_COMMIT_SHA: build.after, CI_COMMIT_REF: build.ref, CI_COMMIT_BRANCH: build.target },
    ...{ CI_COMMIT_MESSAGE: build.message, CI_COMMIT_AUTHOR: build.author_login },
    ...{ CI_COMMIT_AUTHOR_NAME: build.author_name, CI_COMMIT_AUTHOR_EMAIL: build.author_email },
    CI_COMMIT_AUTHOR_AVATAR: build.author_avatar,
  };
}

/** Where the runner's own environment says how to reach others, both spellings say so. */
function proxies(): Variables {
  const names = ["no_proxy", "http_proxy", "https_proxy"];
  const found = names.flatMap((name) => {
    const value = process.env[name.toUpperCase()] || process.env[name];
    return value ? [[name, value] as const, [name.toUpperCase(), value] as const] : [];
  });
  return Object.fromEntries(found);
}

/** What replaces `${NAME}` in the text of a pipeline. */
export function substitutes(details: Details, stage: Stage, environ: Variables): Variables {
  return { ...environ, ...known(details, stage), ...details.build.params };
}

/**
 * All that a step finds, weakest first: two variables of the runner's own, what its settings add, the
 * parameters of the build, what Drone knows, the folders, and what the pipeline says.
 */
export function stepEnvironment(
  details: Details,
  stage: Stage,
  step: Step,
  more: { readonly root: string; readonly environ: Variables; readonly own: Variables },
): Variables {
  const { build } = details;
  const { PATH, USER } = process.env;
  const home = join(more.root, "home/drone");
  const workspace = join(more.root, "drone/src");
  const author = build.author_name || "drone";
  const email = build.author_email || "noreply@drone";
  return {
    ...(PATH ? { PATH } : {}),
    ...(USER ? { USER } : {}),
    ...more.environ,
    ...build.params,
    ...proxies(),
    ...known(details, stage),
    ...{ GIT_AUTHOR_NAME: author, GIT_AUTHOR_EMAIL: email },
    ...{ GIT_COMMITTER_NAME: author, GIT_COMMITTER_EMAIL: email, GIT_TERMINAL_PROMPT: "0" },
    ...{ HOME: home, HOMEPATH: home, USERPROFILE: home },
    ...{ DRONE_HOME: workspace, DRONE_WORKSPACE: workspace },
    ...more.own,
    ...{ DRONE_STEP_NAME: step.name, DRONE_STEP_NUMBER: String(step.number) },
  };
}

/**
 * A text with `${NAME}` replaced, and `$$` by one of them, before anybody reads it as YAML.
 *
 * @throws {Error} for what else Drone can put there
 */
export function substituted(text: string, variables: Variables): string {
  return text.replaceAll(/\$\$|\$\{([^}]*)\}/g, (found, name: string | undefined) => {
    if (found === "$$") return "$";
    if (name === undefined || !/^\w+$/.test(name)) throw new Error(`stand-in: ${found}: unknown`);
    const value = variables[name] ?? "";
    return value.includes("\n") ? JSON.stringify(value) : value;
  });
}
