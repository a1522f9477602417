import { setTimeout as sleep } from "node:timers/promises";
import type { Details, Filter, LogLine, Stage, Step } from "../records.ts";
import type { Settings } from "./settings.ts";

/** Between an answer that says "nothing yet", or none, and the next question, in milliseconds. */
const pauseMilliseconds = 10_000;

/** Somebody else has it, or it has been ended. */
export class Overtaken extends Error {}

/** Speaks to the server. It asks again where there was no answer, and for a status above 501. */
export class Client {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** @throws {Error} when there is no good answer at once */
  async ping(): Promise<void> {
    const { ok, status } = await this.#once("POST", "ping");
    if (!ok) throw new Error(String(status));
  }

  /** The next stage, however long it takes. @throws {Error} when the server says no, or `stop` is raised */
  async take(filter: Filter, stop: AbortSignal): Promise<Stage> {
    return (await (await this.#ask("POST", "stage", filter, stop)).json()) as Stage;
  }

  async accept(id: number, machine: string): Promise<Stage> {
    const path = `stage/${id}?${new URLSearchParams({ machine })}`;
    return (await (await this.#ask("POST", path)).json()) as Stage;
  }

  async details(id: number): Promise<Details> {
    return (await (await this.#ask("GET", `stage/${id}`)).json()) as Details;
  }

  async updateStage(stage: Stage): Promise<Stage> {
    return (await (await this.#ask("PUT", `stage/${stage.id}`, stage)).json()) as Stage;
  }

  async updateStep(step: Step): Promise<Step> {
    return (await (await this.#ask("PUT", `step/${step.id}`, step)).json()) as Step;
  }

  async upload(stepId: number, lines: readonly LogLine[]): Promise<void> {
    await this.#ask("POST", `step/${stepId}/logs/upload`, lines);
  }

  /** Returns when the build was ended by somebody. @throws {Error} when that will not be known */
  async ended(buildId: number, stop: AbortSignal): Promise<void> {
    await this.#ask("POST", `build/${buildId}/watch`, undefined, stop);
  }

  async #ask(method: string, path: string, body?: unknown, stop?: AbortSignal): Promise<Response> {
    for (;;) {
      let answer: Response | undefined;
      try {
        answer = await this.#once(method, path, body, stop);
      } catch {
        stop?.throwIfAborted();
      }
      if (answer !== undefined && answer.status <= 501 && answer.status !== 204) {
        if (answer.status === 409) throw new Overtaken("Optimistic Lock Error");
        if (!answer.ok) throw new Error((await answer.text()) || answer.statusText);
        return answer;
      }
      // Not to be cut short by the end of the runner either.
      await sleep(pauseMilliseconds);
    }
  }

  async #once(method: string, path: string, body?: unknown, stop?: AbortSignal): Promise<Response> {
    return await fetch(`${this.#settings.server}/rpc/v2/${path}`, {
      method,
      headers: { "X-Drone-Token": this.#settings.secret },
      redirect: "manual",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(stop === undefined ? {} : { signal: stop }),
    });
  }
}
