// What the server keeps, and what server and runner tell each other, in the shapes of Drone's API.
// Times are seconds since 1970, 0 for what has not come to pass.

export type Status = "pending" | "running" | "success" | "failure" | "killed" | "error" | "skipped";

export interface User {
  readonly id: number;
  readonly login: string;
  email: string;
  machine: boolean;
  admin: boolean;
  readonly active: boolean;
  avatar: string;
  syncing: boolean;
  synced: number;
  readonly created: number;
  updated: number;
  last_login: number;
  /** Of the API; never in an answer that was not asked for it. */
  token: string;
  /** The login at the forge; empty when there has been none. */
  access: string;
  refresh: string;
  expiry: number;
}

export interface Repository {
  readonly id: number;
  /** The forge's number of it. */
  readonly uid: string;
  /** Who enabled it, and whose login at the forge is used; 0 for nobody. */
  user_id: number;
  readonly namespace: string;
  readonly name: string;
  readonly slug: string;
  readonly scm: "";
  readonly git_http_url: string;
  readonly git_ssh_url: string;
  readonly link: string;
  readonly default_branch: string;
  readonly private: boolean;
  visibility: string;
  active: boolean;
  config_path: string;
  trusted: boolean;
  protected: boolean;
  ignore_forks: boolean;
  ignore_pull_requests: boolean;
  auto_cancel_pull_requests: boolean;
  auto_cancel_pushes: boolean;
  auto_cancel_running: boolean;
  /** In minutes. */
  timeout: number;
  /** The number of its last build. */
  counter: number;
  readonly synced: number;
  readonly created: number;
  updated: number;
  version: number;
  /** What its hook on the forge is signed with. */
  signer: string;
  readonly archived: false;
}

export interface Permission {
  readonly user_id: number;
  readonly repo_uid: string;
  read: boolean;
  write: boolean;
  admin: boolean;
  synced: number;
}

export interface Build {
  readonly id: number;
  readonly repo_id: number;
  readonly trigger: string;
  readonly number: number;
  readonly parent?: number;
  status: Status;
  readonly error?: string;
  readonly event: string;
  readonly action: string;
  readonly link: string;
  readonly timestamp: 0;
  readonly message: string;
  readonly before: string;
  readonly after: string;
  readonly ref: string;
  readonly source_repo: "";
  readonly source: string;
  readonly target: string;
  readonly author_login: string;
  readonly author_name: string;
  readonly author_email: string;
  readonly author_avatar: string;
  readonly sender: string;
  readonly params?: Readonly<Record<string, string>>;
  started: number;
  finished: number;
  readonly created: number;
  updated: number;
  version: number;
}

export interface Stage {
  readonly id: number;
  readonly repo_id: number;
  readonly build_id: number;
  readonly number: number;
  readonly name: string;
  readonly kind: "pipeline";
  readonly type: string;
  status: Status;
  error?: string;
  readonly errignore: false;
  exit_code: number;
  machine?: string;
  readonly os: string;
  readonly arch: string;
  started: number;
  stopped: number;
  readonly created: number;
  updated: number;
  /** Rises with each change: who changes an older one is told so. */
  version: number;
  readonly on_success: true;
  readonly on_failure: false;
  readonly labels?: Readonly<Record<string, string>>;
  steps?: Step[];
}

export interface Step {
  id: number;
  readonly step_id: number;
  readonly number: number;
  readonly name: string;
  status: Status;
  error?: string;
  exit_code: number;
  started?: number;
  stopped?: number;
  version: number;
}

export interface LogLine {
  readonly pos: number;
  readonly out: string;
  /** In seconds since the step began. */
  readonly time: number;
}

interface System {
  readonly proto: string;
  readonly host: string;
  readonly link: string;
  readonly version: string;
}

/** What a runner gets to know of the stage that it took. */
export interface Details {
  readonly repository: Omit<Repository, "signer">;
  readonly build: Build & { readonly stages: readonly Stage[] };
  readonly stage: Stage;
  readonly config: string;
  readonly netrc: {
    readonly machine: string;
    readonly login: string;
    readonly password: string;
  } | null;
  readonly system: System;
}

/** What a runner takes. */
export interface Filter {
  readonly kind: string;
  readonly type: string;
  readonly os: string;
  readonly arch: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export function isDone(status: Status): boolean {
  return status !== "pending" && status !== "running";
}
