import type { Clock } from "../../../../services/converge/adapters/clock.ts";
import { Docker } from "../../../../services/converge/adapters/docker.ts";
import {
  DockerRefusal,
  type DockerRequest,
} from "../../../../services/converge/adapters/docker-socket.ts";

/** A clock that stands still but for sleeping. `during` is told the seconds that have been slept. */
export function fakeClock(now: Date, during: (slept: number) => void = () => undefined): Clock {
  let slept = 0;
  return {
    now: () => new Date(now.getTime() + slept * 1000),
    monotonic: () => slept,
    sleep: async (seconds) => {
      slept += seconds;
      during(slept);
    },
  };
}

/** An adapter before a daemon that gives these answers: by `<method> <path>`, with no query. */
export function fakeDocker(answers: Readonly<Record<string, unknown>>): {
  readonly docker: Docker;
  readonly asked: readonly DockerRequest[];
} {
  const asked: DockerRequest[] = [];
  const docker = new Docker(async (request) => {
    asked.push(request);
    const answer = answers[`${request.method} ${request.path}`];
    if (answer instanceof Error) throw answer;
    if (answer === undefined) throw new DockerRefusal(404, `no ${request.path}`);
    return JSON.stringify(typeof answer === "function" ? answer() : answer);
  });
  return { docker, asked };
}

/** What was sent, by its path. */
export function sent(asked: readonly DockerRequest[]): readonly (readonly [string, unknown])[] {
  return asked.filter(({ method }) => method !== "GET").map(({ path, body }) => [path, body]);
}
