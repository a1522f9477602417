/** In the order in which a run goes through them. */
export const phases = ["prepare", "apply", "seal"] as const;

/**
 * prepare: get what apply needs, without touching what runs. apply: change what differs. seal: after
 * all is verified, say so, and remove what is superseded.
 */
export type Phase = (typeof phases)[number];

/** Everything that converge ever does to the world, and what each means. */
export const verbs = {
  "swarm init": "make this node a swarm of its own",
  "swarm update": "set the life of the node certificates",
  "swarm record": "note the swarm's id in the unit's state folder",
  "network create": "make an overlay network",
  "network remove": "remove an overlay network of ours that no piece names any more",
  "file create": "make an internal host file of random bytes",
  "secret create": "make a swarm secret from a host file",
  "secret remove": "remove a swarm secret of ours that nothing uses any more",
  "checkout repair": "remove what a git that died has left",
  "checkout clone": "clone the recipe",
  "checkout fetch": "fetch the recipe's tags and commits",
  "checkout reset": "bring the recipe's files to the pinned state, clean",
  "env write": "write the app's .env, whole",
  "config create": "make the swarm config that says that the stack is ours",
  "config mark": "note on that config what is about to be deployed, or that it was seen to work",
  "config remove": "remove a swarm config of ours: that a stack is, or what one read before",
  "image pull": "get an image that this machine does not have",
  "image load": "load an image that comes with the host into Docker",
  "image remove": "take its name from an image that came with the host, and was superseded",
  "docker restart": "have the daemon start anew, since it lost count of its ports in a power cut",
  "app deploy": "let abra deploy the stack",
  "stack deploy": "let Docker deploy the stack from our own compose file",
  "app undeploy": "let abra undeploy the stack",
  "service seal": "put the seal on a service that was seen to work",
  "container remove": "remove what a power cut has left of a task of a retired stack",
  "service remove": "remove a service that the recipe's files no longer name",
  "drone login": "log an account of the forge in to Drone, with its password",
  "drone sync": "have Drone read from the forge which repositories an account has",
  "account create": "make an account in Drone, with the token that lies in its file",
  "account remove": "remove an account from Drone, to make it anew",
  "token rotate": "have Drone make another token, in place of one that stood in its log",
  "token renew": "write another token to start Drone with, since none that is known counts there",
  "repository enable": "have Drone take builds of the repository",
  "repository own": "make the owner's account the one whose login Drone uses for the repository",
  "repository set": "change settings of the repository in Drone",
  "build cancel": "end a build in Drone that nobody works on",
  "run stop": "end a test run whose build has ended",
  "service start": "start a service of ours",
  "service restart": "have a service of ours start anew, once it is done with what it has begun",
  "hook remove": "remove the hook that Drone made on the forge, which nobody needs",
} as const;

type Verb = keyof typeof verbs;

/** Stands for targets that are known only once earlier calls are done: none, one or several. */
export const notYetKnown = "*";

/** One mutating call: what plan prints, and what apply performs. */
export interface Call {
  readonly phase: Phase;
  readonly verb: Verb;
  /** Name of what is changed, or `notYetKnown`. */
  readonly target: string;
  /** What was seen to differ, as the end of the sentence "…, because". */
  readonly why: string;
  /** Safe to be the last thing that ever happened, and to be done again. */
  readonly perform: () => Promise<void>;
}
