import type { Permissions } from "../../../lib/drone/schemas.ts";
import type { ResourceOf } from "../../desired-state.ts";
import { type Call, notYetKnown } from "../../engine/call.ts";

type DroneAccount = ResourceOf<"drone-account">;

/** What Drone says of an account, asked with the token that lies in its file. */
export type AccountSight =
  /** Drone is deployed before it is asked. */
  | { readonly is: "not-yet" }
  /** Nobody has this token. */
  | {
      readonly is: "refused";
      /** Whether there is an account of that login, under another token. */
      readonly isTaken: boolean;
      /** Whether Drone was started with this very token, and so will not come to take it. */
      readonly isStartedWith: boolean;
    }
  | {
      readonly is: "there";
      /** Whether it is of the kind that it should be. */
      readonly isRight: boolean;
      /** By its login on the forge; null where nobody asks for one. */
      readonly onForge: OnForge | null;
      /** Whether Drone knows that the account has the repository. */
      readonly isSynced: boolean;
      /** Whether the token stands in Drone's log. */
      readonly isLogged: boolean;
    };

export type OnForge =
  | { readonly is: "logged-in"; readonly permissions: Permissions | undefined }
  /** Drone has no login of it, or a dead one. */
  | { readonly is: "logged-out" };

export interface AccountWork {
  readonly logIn: () => Promise<void>;
  readonly sync: () => Promise<void>;
  readonly create: () => Promise<void>;
  readonly remove: () => Promise<void>;
  readonly rotate: () => Promise<void>;
  readonly renew: () => Promise<void>;
}

/** The calls that make the account what it should be, as far as this host can. */
export function planAccount(
  { login, account }: DroneAccount,
  sight: AccountSight,
  work: AccountWork,
): readonly Call[] {
  const call = (
    verb: Call["verb"],
    why: string,
    perform: Call["perform"],
    { phase = "apply", target = login }: Partial<Pick<Call, "phase" | "target">> = {},
  ): Call => ({ phase, verb, target, why, perform });
  const isPersons = account.role !== "metrics";
  const canLogIn = account.role !== "metrics" && account.passwordFile !== null;
  const logIn = (why: string) => (canLogIn ? [call("drone login", why, work.logIn)] : []);
  const sync = (why: string) => (isPersons ? [call("drone sync", why, work.sync)] : []);
  const create = (why: string) => call("account create", why, work.create);
  const remove = (why: string) => call("account remove", why, work.remove);
  const anew = (why: string) => [
    ...logIn(why),
    // Without a login there is nothing that Drone could read.
    ...(canLogIn ? sync("Drone has read nothing for it yet") : []),
  ];

  switch (sight.is) {
    case "not-yet": {
      const why = "Drone is deployed first";
      const open = (verb: Call["verb"], perform: Call["perform"], phase: Call["phase"] = "apply") =>
        call(verb, why, perform, { phase, target: notYetKnown });
      return [
        ...(account.role === "owner"
          ? []
          : [open("account remove", work.remove), open("account create", work.create)]),
        ...(canLogIn ? [open("drone login", work.logIn)] : []),
        ...(isPersons ? [open("drone sync", work.sync)] : []),
        ...(account.role === "owner" ? [open("token rotate", work.rotate, "seal")] : []),
      ];
    }
    case "refused":
      if (account.role === "owner") {
        return sight.isStartedWith
          ? [call("token renew", "Drone knows the account by another token", work.renew)]
          : [];
      }
      return [
        ...(sight.isTaken ? [remove("it has another token than the one in its file")] : []),
        create("there is none with the token in its file"),
        ...anew("it has no login on the forge yet"),
      ];
    case "there": {
      const { isRight, onForge, isSynced, isLogged } = sight;
      if (!isRight && account.role !== "owner") {
        const why = "it is not of the kind that it should be";
        return [remove(why), create(why), ...anew(why)];
      }
      const isLoggedOut = onForge?.is === "logged-out";
      return [
        ...(isLoggedOut ? logIn("Drone's login of it on the forge is none, or dead") : []),
        ...(isSynced || (isLoggedOut && !canLogIn)
          ? []
          : sync("Drone does not know which repositories it has")),
        ...(isLogged
          ? [call("token rotate", "it stands in Drone's log", work.rotate, { phase: "seal" })]
          : []),
      ];
    }
  }
}
