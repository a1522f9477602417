import { randomBytes } from "node:crypto";
import * as z from "zod";
import type { Build } from "../../../services/lib/drone/schemas.ts";
import { buildSchema, repositorySchema, userSchema } from "../../../services/lib/drone/schemas.ts";
import { parametersOf, type RunRequest } from "../../../services/lib/run.ts";
import { forgeAddress } from "../forge/install.ts";
import { ciRepository, droneAddress, type SeededForge } from "../forge/seed.ts";
import type { Host } from "../host.ts";
import { until } from "../machine/processes.ts";

/** An answer, whatever its status; 0 where there was none. */
export interface Answer {
  readonly status: number;
  /** The JSON of its body, else its text. */
  readonly body: unknown;
}

interface Question {
  readonly method?: string;
  readonly token?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Where the host keeps the tokens of Drone's accounts. */
export const tokenFiles = {
  owner: "/var/lib/cc-ci/secrets/drone-admin-token",
  bridge: "/var/lib/cc-ci/secrets/drone-bridge-token",
  metrics: "/var/lib/cc-ci/secrets/drone-metrics-token",
} as const;

/** Asks a server of the host, from the host. @param scheme what stands before the token */
async function ask(host: Host, url: URL, question: Question, scheme: string): Promise<Answer> {
  const { method = "GET", token, query = {}, body } = question;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const { stdout } = await host.exec(
    [
      ...["curl", "--silent", "--max-time", "60", "--request", method],
      ...["--write-out", "\n%{http_code}"],
      // Read, lest it stand in arguments.
      ...(token === undefined ? [] : ["--header", "@-"]),
      ...(body === undefined ? [] : ["--header", "Content-Type: application/json"]),
      ...(body === undefined ? [] : ["--data", JSON.stringify(body)]),
      url.href,
    ],
    {
      ...{ mayFail: true, timeoutSeconds: 90 },
      ...(token === undefined ? {} : { input: `Authorization: ${scheme} ${token}\n` }),
    },
  );
  const at = stdout.lastIndexOf("\n");
  const text = stdout.slice(0, at);
  return { status: Number(stdout.slice(at + 1)), body: jsonOr(text) };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Drone as somebody sees it who has a token. */
export class DroneApi {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** The token that the host keeps for one of its accounts. */
  token(account: keyof typeof tokenFiles): string {
    return this.#host.read(tokenFiles[account]).trim();
  }

  /** @param path such as `/api/user`; as the owner, where no token is given */
  async ask(path: string, question: Question = {}): Promise<Answer> {
    const token = question.token ?? this.token("owner");
    return await ask(this.#host, new URL(path, droneAddress), { ...question, token }, "Bearer");
  }

  /** Waits until it answers: it may just have been started. */
  async answers(): Promise<void> {
    await until("an answer of Drone", 120, async () =>
      (await this.ask("/healthz")).status === 200 ? true : undefined,
    );
  }

  async user(token?: string): Promise<z.infer<typeof userSchema>> {
    const { body } = await this.ask("/api/user", token === undefined ? {} : { token });
    return userSchema.parse(body);
  }

  async repository(): Promise<z.infer<typeof repositorySchema>> {
    return repositorySchema.parse((await this.ask(`/api/repos/${ciRepository}`)).body);
  }

  /** Starts a build as the bridge does. */
  async start(
    forge: SeededForge,
    request: Partial<RunRequest> = {},
    more: Readonly<Record<string, string>> = {},
  ): Promise<Build> {
    const parameters = parametersOf(requestOf(request));
    const answer = await this.ask(`/api/repos/${ciRepository}/builds`, {
      ...{ method: "POST", token: this.token("bridge") },
      query: { branch: "main", commit: forge.commit, ...parameters, ...more },
    });
    return buildSchema.parse(answer.body);
  }

  async build(number: number): Promise<Build> {
    return buildSchema.parse((await this.ask(`/api/repos/${ciRepository}/builds/${number}`)).body);
  }

  /** The newest first, without stages. */
  async builds(): Promise<readonly Build[]> {
    const { body } = await this.ask(`/api/repos/${ciRepository}/builds?per_page=100`);
    return z.array(buildSchema).parse(body ?? []);
  }

  /** What the step of a build printed. */
  async log(number: number): Promise<string> {
    const { body } = await this.ask(`/api/repos/${ciRepository}/builds/${number}/logs/1/1`);
    const lines = z.array(z.object({ out: z.string() })).safeParse(body);
    return (lines.data ?? []).map(({ out }) => out).join("");
  }

  async cancel(number: number): Promise<void> {
    await this.ask(`/api/repos/${ciRepository}/builds/${number}`, { method: "DELETE" });
  }

  /** Waits until a build is as wanted. @throws {Error} with what it is, when the time is over */
  async until(number: number, wanted: (build: Build) => boolean, seconds = 60): Promise<Build> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const build = await this.build(number);
      if (wanted(build)) return build;
      if (performance.now() > end) {
        throw new Error(
          `build ${number} is not as wanted after ${seconds} s: ${JSON.stringify(build)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** A request for a run of the recipe `wiki`, with an id that none had before. */
export function requestOf(parts: Partial<RunRequest> = {}): RunRequest {
  return {
    ...{ id: randomBytes(8).toString("hex"), recipe: "wiki", repository: "recipes/wiki" },
    ...{ pull: 7, commit: "0123456789abcdef0123456789abcdef01234567", quick: false },
    ...parts,
  };
}

/** The forge as an account of it sees it. */
export async function askForge(
  host: Host,
  path: string,
  question: Question & { readonly token: string },
): Promise<Answer> {
  return await ask(host, new URL(`/api/v1/${path}`, forgeAddress), question, "token");
}

const hookSchema = z.array(z.object({ id: z.int(), config: z.object({ url: z.string() }) }));

/** Addresses that the forge calls when something happens in the CI repository. */
export async function hooksOf(host: Host, { tokens }: SeededForge): Promise<readonly string[]> {
  const token = tokens["forge-admin"] ?? "";
  const { body } = await askForge(host, `repos/${ciRepository}/hooks`, { token });
  return hookSchema.parse(body).map(({ config }) => config.url);
}
