import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Build } from "../../services/lib/drone/schemas.ts";
import { runVersion } from "../../services/lib/run.ts";
import { type Drone, pipeline } from "../drone/scene.ts";
import type { OpenPull } from "./forge.ts";

/** Builds that do what they were told for a pull request, and leave what a run leaves. */
export class Builds {
  /** Where they leave it. */
  readonly runs: string;
  readonly #acts: string;
  readonly #drone: Drone;
  readonly #ci: string;

  /** @param ci the repository that they are builds of, where nobody says another one */
  constructor(scratch: string, drone: Drone, ci: string) {
    this.runs = join(scratch, "runs");
    this.#acts = join(scratch, "acts");
    this.#drone = drone;
    this.#ci = ci;
    for (const folder of [this.runs, this.#acts]) mkdirSync(folder);
  }

  /** Builds in Drone that are about a pull request, the oldest first. */
  async of(
    { repository, number }: Pick<OpenPull, "repository" | "number">,
    ci = this.#ci,
  ): Promise<readonly Build[]> {
    const all = await this.#drone.client.builds(ci);
    const isOfIt = ({ params: { CCCI_REPOSITORY, CCCI_PULL } }: Build): boolean =>
      CCCI_REPOSITORY === repository && CCCI_PULL === String(number);
    return all.filter(isOfIt).toReversed();
  }

  /** Has builds of a pull request wait, before they do anything else. */
  hold(pull: OpenPull): void {
    this.#act(pull, "hold", "");
  }

  release({ repository, number }: OpenPull): void {
    rmSync(join(this.#acts, `${nameOf(repository)}.${number}.hold`), { force: true });
  }

  /** Has builds of a pull request fail from now on. @param printed what they print before */
  fail(pull: OpenPull, reason: string, printed = ""): void {
    this.#act(pull, "log", JSON.stringify(printed));
    this.#act(pull, "fail", JSON.stringify(reason));
  }

  #act({ repository, number }: OpenPull, what: string, text: string): void {
    writeFileSync(join(this.#acts, `${nameOf(repository)}.${number}.${what}`), text);
  }

  /** What builds do, as the text of a pipeline. */
  pipeline(options: Parameters<typeof pipeline>[1] = {}): string {
    const step = join(this.#acts, "step.sh");
    writeFileSync(step, stepScript(this.#acts, this.runs));
    // In the shell's own place: what ends that ends it too.
    return pipeline([`exec sh ${step}`], options);
  }
}

/** The last part of a repository's name, which the recipe has too. */
export function nameOf(repository: string): string {
  return repository.split("/")[1] ?? "";
}

/** What a build does instead of asking the host for a run; it leaves what a run would. */
function stepScript(acts: string, runs: string): string {
  const [from, to] = ["2026-01-01T10:00:00.000Z", "2026-01-01T10:01:40.000Z"];
  return `set -eu
folder=${runs}/$CCCI_ID
act=${acts}/$CCCI_RECIPE.$CCCI_PULL
mkdir -p "$folder"
while [ -e "$act.hold" ]; do sleep 0.2; done
outcome=passed reason=null
if [ -e "$act.fail" ]; then
  outcome=failed reason=$(cat "$act.fail")
  printf '{"at":"${from}","from":"stdout","text":%s}\\n' "$(cat "$act.log")" > "$folder/log.jsonl"
fi
cat > "$folder/new" <<END
{
  "version": ${runVersion},
  "request": {
    "id": "$CCCI_ID", "recipe": "$CCCI_RECIPE", "repository": "$CCCI_REPOSITORY",
    "pull": $CCCI_PULL, "commit": "$CCCI_COMMIT", "quick": $CCCI_QUICK
  },
  "outcome": "$outcome", "reason": $reason, "startedAt": "${from}", "endedAt": "${to}",
  "stages": [
    {
      "name": "install", "status": "$outcome", "reason": $reason,
      "startedAt": "${from}", "endedAt": "${to}"
    }
  ]
}
END
mv "$folder/new" "$folder/results.json"
[ $outcome = passed ]
`;
}
