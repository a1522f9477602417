import { type Credentials, LoginRefusal } from "../../../lib/drone/login.ts";
import type { ResourceOf } from "../../desired-state.ts";
import type { Context } from "../../engine/steps.ts";
import type { World } from "../../engine/world.ts";
import { droneAccountLines } from "./account-lines.ts";

/** Before a login is tried again, in seconds. */
const againSeconds = 2;

/** @throws {Stop} when Drone has no login of the account after it */
export async function logIn(
  { server, forge, login }: ResourceOf<"drone-account">,
  passwordFile: string,
  context: Context,
): Promise<void> {
  const password = await context.judged.read(passwordFile, context.world.files);
  const path = passwordFile;
  try {
    const text = (password ?? Buffer.alloc(0)).toString("utf8").replace(/\r?\n$/, "");
    await logInAtLast({ server, forge, login, password: text }, context.world);
  } catch (error) {
    if (!(error instanceof LoginRefusal)) throw error;
    const { trouble, message: words } = error;
    switch (trouble) {
      case "silent":
        throw droneAccountLines.stop("drone-login-silent", { login, words });
      case "password-refused":
        throw droneAccountLines.stop("drone-password-refused", { forge, login, path });
      case "person-wanted":
        throw droneAccountLines.stop("drone-login-by-person", { login, words, server, forge });
      case "refused":
      case "elsewhere":
        throw droneAccountLines.stop("drone-login-refused", { login, words, forge, server });
    }
  }
}

/**
 * A login takes a dozen answers of two servers, one of which may just be busy: else it would wait for the next
 * run, and all that needs it. No password is given a second time to a forge that said no.
 */
async function logInAtLast(credentials: Credentials, { logIn, clock }: World): Promise<void> {
  try {
    await logIn(credentials);
  } catch (error) {
    if (!(error instanceof LoginRefusal && error.trouble === "silent")) throw error;
    await clock.sleep(againSeconds);
    await logIn(credentials);
  }
}
