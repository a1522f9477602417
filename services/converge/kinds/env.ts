import { readEnvText } from "../adapters/env-text.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import { defineLines } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";

export const envLines = defineLines({
  "env-source-missing": {
    as: "failed",
    says: "{source}, which the .env {path} is made from, is not there: run 'nixos-rebuild switch' again",
  },
});

type Env = ResourceOf<"env">;

/**
 * The text without the line that abra rewrites: it puts there the version that it deployed, and after
 * an undeploy too.
 */
export function withoutType(text: string): string {
  return text.replaceAll(/^TYPE=.*(?:\n|$)/gm, "");
}

/** That line; empty when there is none. */
export function typeLineOf(text: string): string {
  return /^TYPE=.*$/m.exec(text)?.[0] ?? "";
}

/**
 * What the file should say. Undefined while something that fills a slot is not known yet.
 *
 * @throws {Stop} when the text that it is made from is not there
 */
export async function desiredEnv(resource: Env, context: Context): Promise<string | undefined> {
  return context.slots.findIn(await envTemplate(resource, context));
}

/** Compared without the line that abra rewrites, which a deploy puts right. */
function planEnv(
  { path }: Env,
  {
    actual,
    desired,
    perform,
  }: {
    readonly actual: string | undefined;
    /** Without its TYPE line; undefined while it is not known. */
    readonly desired: string | undefined;
    readonly perform: () => Promise<void>;
  },
): readonly Call[] {
  const why = whyWrite(actual, desired);
  return why === undefined
    ? []
    : [{ phase: "apply", verb: "env write", target: path, why, perform }];
}

function whyWrite(actual: string | undefined, desired: string | undefined): string | undefined {
  if (actual === undefined) return "there is no such file";
  if (desired === undefined) return "it names what is yet to be made";
  const names = differing(actual, desired);
  return names.length === 0 ? undefined : `it differs in ${names.join(", ")}`;
}

export function envSteps(resource: Env, context: Context): Steps {
  const { files } = context.world;
  return {
    phases: ["apply"],
    plan: async () => {
      const source = withoutType(await envTemplate(resource, context));
      return planEnv(resource, {
        actual: (await files.read(resource.path))?.toString("utf8"),
        desired: context.slots.findIn(source),
        perform: () => writeEnv(resource, context),
      });
    },
  };
}

/** @throws {Stop} when a slot is not filled */
export async function writeEnv(resource: Env, context: Context): Promise<void> {
  const text = context.slots.fillIn(await envTemplate(resource, context), resource.path);
  await context.world.files.write(resource.path, text);
}

/** The text with its slots, as the generator wrote it. */
export async function envTemplate({ path, content }: Env, context: Context): Promise<string> {
  const source = context.slots.get(content, path);
  const text = await context.world.files.read(source);
  if (text === undefined) throw envLines.stop("env-source-missing", { source, path });
  return text.toString("utf8");
}

/**
 * Names of variables that differ, but for TYPE; a value may be long, and is nobody's business. Not the
 * lines are compared: an abra that rewrites the file may put them in another order, or quote otherwise.
 */
export function differing(actual: string, desired: string): readonly string[] {
  const [ours, theirs] = [readEnvText(withoutType(desired)), readEnvText(withoutType(actual))];
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...names].filter((name) => ours[name] !== theirs[name]).sort();
}
