import { runRequestSchema } from "../../services/lib/run.ts";
import type { BridgeOptions } from "./bridge-options.ts";
import { forgeNameRule, isForgeName } from "./forge-names.ts";

/** More than this between two looks, in seconds, is too long for somebody who waits for the answer. */
const mostPollSeconds = 300;

/** What is wrong with what a bridge was given, as far as it can be told without the rest of the host. */
export function bridgeProblems(props: BridgeOptions): string[] {
  return [
    ...people(props),
    ...recipes(props),
    ...numbers(props),
    ...keys(props),
    ...dashboard(props),
  ];
}

function people({ organisation, only: given, ignore = [] }: BridgeOptions): string[] {
  const only = given ?? [];
  const ignored = new Set(ignore.map((login) => login.toLowerCase()));
  return [
    ...(isForgeName(organisation)
      ? []
      : [
          `organisation: ${JSON.stringify(organisation)} must be the name of an organisation on the forge, ${forgeNameRule}, as in recipes`,
        ]),
    ...Object.entries({ only, ignore }).flatMap(([property, logins]) =>
      logins
        .filter((login) => !isForgeName(login))
        .map(
          (login) =>
            `${property}: ${JSON.stringify(login)} must be a login on the forge, ${forgeNameRule}, as in member`,
        ),
    ),
    ...(given?.length === 0
      ? [
          "only: names nobody, which would mean everybody: name who may ask, or take it out to let every member ask",
        ]
      : []),
    ...only
      .filter((login) => ignored.has(login.toLowerCase()))
      .map(
        (login) =>
          `ignore: ${JSON.stringify(login)} stands in only too, and can ask for nothing then: take it out of one of the two`,
      ),
  ];
}

function recipes({ repositories }: BridgeOptions): string[] {
  const twice = repositories.filter((name, index) => repositories.indexOf(name) < index);
  return [
    ...repositories
      .filter((name) => !runRequestSchema.shape.recipe.safeParse(name).success)
      .map(
        (name) =>
          `repositories: ${JSON.stringify(name)} must be the name of a recipe, up to 64 lower-case letters, digits and inner dashes, as in wiki: rename the repository on the forge, for the recipe has its name, or leave it out`,
      ),
    ...[...new Set(twice)].map((name) => `repositories: ${name} stands there twice: take one out`),
  ];
}

function numbers({ pollSeconds, team, limits = {} }: BridgeOptions): string[] {
  const isPoll = isCount(pollSeconds ?? 1) && (pollSeconds ?? 1) <= mostPollSeconds;
  return [
    ...(isPoll
      ? []
      : [`pollSeconds: must be a whole number of seconds, from 1 to ${mostPollSeconds}`]),
    ...Object.entries({ team, ...prefixed(limits) })
      .filter(([, count]) => count !== undefined && !isCount(count))
      .map(([property]) => `${property}: must be a whole number, 1 or more`),
  ];
}

function prefixed(
  limits: NonNullable<BridgeOptions["limits"]>,
): Record<string, number | undefined> {
  return Object.fromEntries(
    Object.entries(limits).map(([name, count]) => [`limits.${name}`, count]),
  );
}

/** One that is written as it is meant, and not in powers of ten. */
function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 1;
}

function keys({ mode, webhookKey, previousWebhookKey }: BridgeOptions): string[] {
  const given = Object.entries({ webhookKey, previousWebhookKey });
  return [
    ...(mode === "webhook" ? [] : given.filter(([, path]) => path !== undefined)).map(
      ([property]) =>
        `${property}: is of use in mode webhook alone: put 'mode: webhook' beside it, or take it out`,
    ),
    ...(webhookKey === undefined && previousWebhookKey !== undefined
      ? ["previousWebhookKey: needs webhookKey beside it, the key that takes its place"]
      : []),
  ];
}

/** A recipe's name is put behind it, in a link of Markdown. */
function dashboard({ dashboard: address }: BridgeOptions): string[] {
  if (address === undefined) return [];
  const isPlain = /^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[A-Za-z0-9._~-]+)*$/.test(address);
  return isPlain && URL.canParse(address)
    ? []
    : [
        `dashboard: ${JSON.stringify(address)} must be the https address of the dashboard without a slash at its end, as in https://dashboard.ci.example.org`,
      ];
}
