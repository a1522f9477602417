import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { Background } from "../background.ts";
import { until } from "../host/machine/processes.ts";
import { findTool } from "../tools.ts";
import { ForgeAccount } from "./account.ts";
import { type GiteaCommands, type GiteaPlace, layOutGitea } from "./place.ts";

/** On a machine that is busy; alone it takes two. */
const startSeconds = 60;

/** It starts git, writes nothing into anybody's home, and looks for what it could throw away when there is much. */
const environment = { PATH: process.env.PATH ?? "", HOME: "/nonexistent", GOGC: "400" };

export type GiteaOptions = Pick<GiteaPlace, "accessSeconds" | "refreshOnce">;

/** A real Gitea on a loopback port of its own, without any account at first. */
export class Gitea {
  /** With a slash at its end. */
  readonly url: string;
  readonly #commands: GiteaCommands;
  readonly #server: Background;
  #admin: ForgeAccount | undefined;

  private constructor(url: string, commands: GiteaCommands, server: Background) {
    this.url = url;
    this.#commands = commands;
    this.#server = server;
  }

  /** @param scratch a folder that somebody removes, see `makeScratch` */
  static async start(scratch: string, options: GiteaOptions = {}): Promise<Gitea> {
    const program = findTool("gitea");
    if (program === undefined) throw new Error("no gitea in the cache: run 'npm run setup'");
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const folder = join(scratch, "gitea");
    const user = userInfo().username;
    const place = { program, folder, address: "127.0.0.1", port, url, user, ...options };
    const commands = layOutGitea(place);
    await run(commands.migrate);
    const server = new Background(commands.web, { env: environment });
    const gitea = new Gitea(url, commands, server);
    try {
      await until(
        "an answer of Gitea",
        startSeconds,
        () => answers(new URL("api/v1/version", url)),
        100,
      );
    } catch (error) {
      await gitea.stop();
      throw new Error(`${String(error)}:\n${server.printed}`);
    }
    return gitea;
  }

  /** The first administrator makes those after it: Gitea's program takes long to start. */
  async createAccount(login: string, { isAdmin = false } = {}): Promise<ForgeAccount> {
    const password = `password-of-${login}`;
    const account = new ForgeAccount(this.url, login, password);
    if (this.#admin === undefined || isAdmin) {
      await run(this.#commands.createUser(login, password, isAdmin));
      if (isAdmin) this.#admin = account;
    } else {
      const body = { username: login, password, email: `${login}@example.org` };
      const all = { ...body, must_change_password: false };
      await this.#admin.done(z.unknown(), "POST", "admin/users", all);
    }
    return account;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

/** Below those that the kernel gives to whoever connects to somewhere: one of them could be gone at any time. */
const ports = { first: 20_000, count: 12_000 };
const given = new Set<number>();

/** A port of the loopback that nobody listens on, and that this process is not given again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ports.first + randomInt(ports.count);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** True as soon as something says 200 there. */
export async function answers(url: URL): Promise<true | undefined> {
  try {
    const { ok } = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return ok || undefined;
  } catch {
    return undefined;
  }
}

async function run([program = "", ...args]: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(program, args, { env: environment });
  } catch (error) {
    const said = error instanceof Error && "stdout" in error ? `${error.stdout}` : "";
    throw new Error(`${program} ${args.join(" ")} failed: ${said}${String(error)}`);
  }
}
