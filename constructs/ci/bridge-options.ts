import type { BridgeSettings } from "../../services/lib/bridge-settings.ts";

/** What an operator decides of a bridge. */
export interface BridgeOptions {
  /** How it learns of comments: it asks the forge, or is told and asks seldom. @default poll */
  readonly mode?: BridgeSettings["mode"] | undefined;
  /** The forge's organisation of recipes, whose members may ask for tests. */
  readonly organisation: string;
  /** Absolute path of the token of the bridge's account on the forge. */
  readonly forgeToken: string;
  /** Names of the organisation's repositories that are recipes. */
  readonly repositories: readonly string[];
  /** Pull requests from forks: none, those whose commit was named in full, or all. */
  readonly forks: BridgeSettings["forks"];
  /** Number of a team of the organisation whose members alone may ask. @default all members */
  readonly team?: number | undefined;
  /** Logins that alone may ask, of those. @default all of them */
  readonly only?: readonly string[] | undefined;
  /** Logins whose comments are no commands, such as other programs'. @default none */
  readonly ignore?: readonly string[] | undefined;
  /** Between two looks at the forge in mode poll, in seconds. @default 15 */
  readonly pollSeconds?: number | undefined;
  /** Absolute path of the key that deliveries of hooks are signed with. @default the host makes one */
  readonly webhookKey?: string | undefined;
  /** Absolute path of the key before that, which counts as well. @default none */
  readonly previousWebhookKey?: string | undefined;
  /** Address of the dashboard; a recipe's page there is its name. @default there is none */
  readonly dashboard?: string | undefined;
  readonly limits?: Partial<BridgeLimits> | undefined;
}

interface BridgeLimits {
  /** Tests that one person may ask for within an hour. @default 10 */
  readonly perPersonAndHour: number | undefined;
  /** And for one pull request. @default 6 */
  readonly perPullAndHour: number | undefined;
  /** Tests that wait or go on, over all recipes. @default 20 */
  readonly waiting: number | undefined;
}
