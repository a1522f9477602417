/** What the stand-in is asked to do. */
export type Command =
  | { readonly name: "version" }
  | { readonly name: "deploy"; readonly domain: string; readonly version: string }
  | { readonly name: "deploy-checkout"; readonly domain: string }
  | { readonly name: "undeploy"; readonly domain: string };

/** An argument that is the caller's to choose, by its name in the command. */
const forms = [
  { name: "version", words: "--version" },
  { name: "deploy", words: "app deploy <domain> <version> -n -o -D -c -f" },
  { name: "deploy-checkout", words: "app deploy <domain> -n -o -D -c -f -C" },
  { name: "undeploy", words: "app undeploy <domain> -n" },
] as const;

/** The whole table, for whoever used anything else. */
export const usage = forms.map(({ words }) => `abra ${words}`).join("\n");

/** The command, or undefined for arguments that nobody may use: order and number count as well. */
export function parseArguments(args: readonly string[]): Command | undefined {
  for (const { name, words } of forms) {
    const match = matched(words.split(" "), args);
    if (match === undefined) continue;
    const { domain = "", version = "" } = match;
    if (name === "version") return { name };
    return name === "deploy" ? { name, domain, version } : { name, domain };
  }
  return undefined;
}

function matched(
  words: readonly string[],
  args: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (words.length !== args.length) return undefined;
  const chosen: Record<string, string> = {};
  for (const [index, word] of words.entries()) {
    const argument = args[index] ?? "";
    const slot = /^<(.*)>$/.exec(word)?.[1];
    if (slot === undefined ? argument !== word : argument === "" || argument.startsWith("-")) {
      return undefined;
    }
    if (slot !== undefined) chosen[slot] = argument;
  }
  return chosen;
}
