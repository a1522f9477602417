import { fileURLToPath } from "node:url";
import { bundleOf } from "../bundle.ts";
import { forgeAddress, forgeUnit } from "../forge/install.ts";
import { droneAddress } from "../forge/seed.ts";
import type { DroneScene } from "./shared-drone.ts";

const node = "/usr/local/bin/node";
const program = "/root/person-log-in.cjs";
const env = { NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt" } as const;

/** Opens Drone's login page as an account of the forge, as a person would. @throws {Error} when that fails */
export async function logInByHand({ host, forge }: DroneScene, login: string): Promise<void> {
  const main = fileURLToPath(import.meta.resolve("./person-log-in-main.ts"));
  host.write(program, bundleOf(main));
  const password = forge.passwords[login] ?? "";
  const input = JSON.stringify({ server: droneAddress, forge: forgeAddress, login, password });
  await host.exec([node, program], { input, env });
}

const takeBack = `
const { DatabaseSync } = require("node:sqlite");
const forge = new DatabaseSync("/var/lib/test-forge/gitea.db", { timeout: 10000 });
const ofAccount = "user_id = (SELECT id FROM user WHERE lower_name = ?)";
const { changes } = forge.prepare("DELETE FROM oauth2_grant WHERE " + ofAccount).run(process.argv[1]);
if (changes !== 1) throw new Error(changes + " grants");
`;

/**
 * Ends the login that Drone has of an account, as the account does on the forge's page of applications;
 * the API has no word for that.
 */
export async function endLogin({ host }: DroneScene, login: string): Promise<void> {
  await host.exec([node, "-e", takeBack, login]);
}

/** The forge goes away, or comes back and answers. */
export async function forgeIs({ host }: DroneScene, state: "away" | "back"): Promise<void> {
  if (state === "away") await host.exec(["systemctl", "stop", forgeUnit]);
  else {
    const answers = `until curl --silent --fail --output /dev/null ${forgeAddress}/api/healthz; do sleep 0.2; done`;
    await host.exec(["sh", "-c", `systemctl start ${forgeUnit}; ${answers}`]);
  }
}
