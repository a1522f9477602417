import { verbs } from "../../../services/converge/engine/call.ts";

type Verb = keyof typeof verbs;

/**
 * The verbs at which each file of cases kills runs. The file finds its calls by itself, and compares what
 * it found with this; `test/unit/killed-verbs.test.ts` shows that no verb is missing in all of them.
 */
export const killedVerbs = {
  "killed-first-boot": ["swarm init", "swarm record", "network create"],
  "killed-first-deploy": [
    "secret create",
    "checkout clone",
    "checkout reset",
    "env write",
    "config create",
    "config mark",
    "app deploy",
    "service seal",
  ],
  "killed-rotation": [
    "secret create",
    "secret remove",
    "checkout fetch",
    "checkout reset",
    "env write",
    "config mark",
    "app deploy",
    "service seal",
  ],
  "killed-apps": [
    "secret remove",
    "checkout reset",
    "env write",
    "config mark",
    "config remove",
    "app deploy",
    "app undeploy",
    "service seal",
    "service remove",
  ],
  "killed-moved": [
    "secret create",
    "secret remove",
    "checkout clone",
    "checkout reset",
    "env write",
    "config create",
    "config mark",
    "config remove",
    "app deploy",
    "app undeploy",
    "service seal",
  ],
  "killed-seldom": [
    "swarm update",
    "network remove",
    "file create",
    "secret remove",
    "checkout repair",
    "checkout clone",
    "checkout reset",
    "config remove",
    "image pull",
    "docker restart",
    "container remove",
    "service remove",
  ],
  "killed-own-stack": [
    "secret create",
    "secret remove",
    "config create",
    "config mark",
    "config remove",
    "image load",
    "image remove",
    "stack deploy",
    "service seal",
  ],
  "killed-drone": [
    "drone login",
    "drone sync",
    "account create",
    "account remove",
    "token rotate",
    "token renew",
    "repository enable",
    "repository own",
    "repository set",
    "build cancel",
    "run stop",
    "service start",
    "service restart",
    "hook remove",
  ],
} as const satisfies Readonly<Record<string, readonly Verb[]>>;

/** The verbs of calls, each once, in the order of `verbs`. */
export function verbsOf(calls: readonly string[]): readonly Verb[] {
  const all = Object.keys(verbs) as Verb[];
  return all.filter((verb) => calls.some((call) => call.startsWith(`${verb} `)));
}
