import type { HostFacts } from "./facts.ts";
import type { Reasoned } from "./reasoned.ts";

/** What a change of each setting does, once the switch is over. */
const effects: Readonly<Record<string, (before: string, after: string) => string>> = {
  maxTests: (before, after) =>
    Number(after) < Number(before)
      ? "those that go on end by themselves, and no new one begins while there are as many"
      : "further ones begin at once",
  timeoutMinutes: () =>
    "for runs that go on too, from when each began; the switch is refused where one would end at once",
  keepDays: () => "the next sweep removes what is older",
  keepRuns: () => "the next sweep removes the oldest of what is more",
  keepGiB: () => "the next sweep removes the oldest of what is more",
};

/** What the next switch changes for test runs, in sentences. Pure. */
export function runChanges(
  before: HostFacts,
  after: HostFacts,
  restarts: readonly Reasoned[],
): readonly string[] {
  const [old, wanted] = [before.settings.runs, after.settings.runs];
  if (wanted === undefined) {
    return old === undefined
      ? []
      : [
          "the host takes no more of them: the switch is refused as long as one goes on, and names it",
        ];
  }
  const docker = restarts.some(({ name }) => name === "docker.service")
    ? ["Docker restarts: the switch is refused as long as one goes on, and names it"]
    : [];
  if (old === undefined) return ["the host takes some from now on"];
  const changes = Object.keys(wanted).flatMap((name) => {
    const [from, to] = [String(old[name]), String(wanted[name])];
    const effect = effects[name]?.(from, to);
    return from === to || effect === undefined ? [] : [`${name} ${from} → ${to}: ${effect}`];
  });
  return [...docker, ...changes];
}
