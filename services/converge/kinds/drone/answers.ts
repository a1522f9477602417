import { DroneRefusal, isSilence, type Trouble } from "../../../lib/drone/trouble.ts";
import { ForgeRefusal } from "../../../lib/forge/trouble.ts";
import { defineLines, type Stop } from "../../engine/line.ts";
import type { Context } from "../../engine/steps.ts";
import { waitFor } from "../../engine/waiting.ts";

export const droneAnswerLines = defineLines({
  "drone-silent": {
    as: "pending",
    says: "{server} does not answer as Drone ({words}): look at 'converge status drone' and 'docker service logs' of it; the next run asks again",
  },
  "drone-forge-silent": {
    as: "pending",
    says: "the forge {forge} does not answer ({words}): what runs goes on running; the next run asks again",
  },
  "forge-refused": {
    as: "failed",
    says: "{forge} refused what was asked of it with the token in {file} ({status}): {words}: put a token there of an account that is admin of {repository}, with the scope write:repository",
  },
  "drone-owner-refused": {
    as: "pending",
    says: "{server} does not take the token of its owner's account in {path}: 'systemctl start cc-ci-drone-repository' sees to that; the next run asks again",
  },
  "token-file-missing": {
    as: "failed",
    says: "{path} is not there, and holds {purpose}: 'systemctl start cc-ci-drone' makes the tokens of Drone's accounts; others are yours to put there",
  },
});

/** How often Drone is asked again that does not answer, in seconds. */
const everySeconds = 2;

/**
 * Noes for which accounts and logins are made anew, or a person is called. Drone gives the first too while its
 * database is busy, and hands on whatever the forge says: so nothing is decided by one of them.
 */
const grave: readonly Trouble[] = ["token-refused", "login-dead"];

interface Asked {
  readonly server: string;
  readonly forge: string;
  readonly waitSeconds: number;
}

/**
 * What Drone answers. Silence is waited out, within the bound, in a run that may wait: the server may just
 * be starting anew. A grave no is asked for a second time there.
 *
 * @throws {DroneRefusal} for the noes that the caller tells apart
 * @throws {Stop} where nothing can be said about Drone
 */
export async function droneAnswer<Answer>(
  { server, forge, waitSeconds }: Asked,
  context: Context,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const { world, report, mayWait } = context;
  let silence: DroneRefusal | undefined;
  const answer = await waitFor(
    world.clock,
    { seconds: mayWait ? waitSeconds : 0, everySeconds },
    async () => {
      try {
        return { is: await askedForSure(context, ask) };
      } catch (error) {
        if (!isSilence(error)) throw error;
        silence = error;
        report.waiting(`${server}: ${silence.message}`);
        return undefined;
      }
    },
  ).catch((error: unknown) => {
    if (!(error instanceof DroneRefusal)) throw error;
    if (error.trouble !== "forge-silent") throw error;
    throw droneAnswerLines.stop("drone-forge-silent", { forge, words: error.message });
  });
  if (answer !== undefined) return answer.is;
  const words = silence?.message ?? "";
  // A forge that takes a question and never answers keeps Drone waiting, and so whoever asked Drone.
  if (silence?.trouble === "late" && (await isAwake(server, context))) {
    const why = `Drone answers, but not what it would ask the forge: ${words}`;
    throw droneAnswerLines.stop("drone-forge-silent", { forge, words: why });
  }
  throw droneAnswerLines.stop("drone-silent", { server, words });
}

async function askedForSure<Answer>(
  { world, mayWait }: Context,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    const isGrave = error instanceof DroneRefusal && grave.includes(error.trouble);
    if (!isGrave || !mayWait) throw error;
    await world.clock.sleep(everySeconds);
    return await ask();
  }
}

/** Whether Drone answers what it knows without the forge: that nobody has that token. */
async function isAwake(server: string, { world }: Context): Promise<boolean> {
  try {
    await world.drone({ server, token: "of-nobody" }).user();
  } catch (error) {
    return error instanceof DroneRefusal && error.trouble === "token-refused";
  }
  return true;
}

/** What Drone answers to its owner. @throws {Stop} where it does not know the owner by that token */
export async function ownerAnswer<Answer>(
  asked: Asked & { readonly ownerTokenFile: string },
  context: Context,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await droneAnswer(asked, context, ask);
  } catch (error) {
    if (!isRefusedToken(error)) throw error;
    const { server, ownerTokenFile: path } = asked;
    throw droneAnswerLines.stop("drone-owner-refused", { server, path });
  }
}

function isRefusedToken(error: unknown): boolean {
  return error instanceof DroneRefusal && error.trouble === "token-refused";
}

/**
 * Whether a plan asked in vain with a token that the owner's account, which comes before in the same piece,
 * would have renewed by then: a run ends there.
 */
export function isRenewedBefore(
  error: unknown,
  ownerTokenFile: string,
  { mayWait, resources }: Context,
): boolean {
  return (
    !mayWait &&
    isRefusedToken(error) &&
    resources.some(
      (each) =>
        each.kind === "drone-account" &&
        each.account.role === "owner" &&
        each.tokenFile === ownerTokenFile,
    )
  );
}

interface AskedOfForge {
  readonly forge: string;
  readonly forgeTokenFile: string;
  readonly repository: string;
}

/** What the forge answers. @throws {Stop} for every no */
export async function forgeAnswer<Answer>(
  asked: AskedOfForge,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ForgeRefusal)) throw error;
    throw forgeStop(asked, error);
  }
}

/** What a run says that ends with a no of the forge's. */
export function forgeStop(
  { forge, forgeTokenFile: file, repository }: AskedOfForge,
  { status, trouble, message: words }: ForgeRefusal,
): Stop {
  return trouble === "silent"
    ? droneAnswerLines.stop("drone-forge-silent", { forge, words })
    : droneAnswerLines.stop("forge-refused", { forge, file, repository, status, words });
}

/** A token, without the line break at its end. @throws {Stop} when its file is not there */
export async function tokenIn(path: string, purpose: string, context: Context): Promise<string> {
  const content = await context.judged.read(path, context.world.files);
  if (content === undefined) throw droneAnswerLines.stop("token-file-missing", { path, purpose });
  return content.toString("utf8").trim();
}

/** Whether a plan foresees that Drone is deployed before this would run: then it may answer otherwise. */
export function isToBeDeployed(server: string, { foreseen }: Context): boolean {
  const { hostname } = new URL(server);
  return foreseen.has(`app deploy ${hostname}`) || foreseen.has("app deploy *");
}
