// `npm run host -- <command>`: a host for a person to look around in, with what this checkout has
// generated.
import { join } from "node:path";
import { whatHostsLack } from "../tools.ts";
import { bootHost } from "./host.ts";
import { Machine } from "./machine/machine.ts";
import { removeLeftovers } from "./machine/throwaway.ts";
import { fillOperatorFiles, rememberedSystem, rememberSystem } from "./person.ts";
import { redirectRecipes } from "./system/redirect.ts";
import { switchSystem } from "./system/switch.ts";
import { buildSystem } from "./system/system.ts";

const usage = `npm run host -- <command>

  up              boots the host that out/ describes, with certificates of its own making
  shell [words]   a root shell in it, or one command
  status          what converge says of every piece
  converge …      runs converge in it, with what follows
  switch          applies what out/ says now, as nixos-rebuild switch would
  reboot          shuts it down in order and boots it again
  down            ends it, and removes everything that it was`;

const checkout = join(import.meta.dirname, "../..");

async function main(command: string | undefined, rest: readonly string[]): Promise<number> {
  const lack = whatHostsLack();
  if (lack !== undefined) throw new Error(lack);
  switch (command) {
    case "up":
      return await up();
    case "shell":
      // An interrupt is for the shell.
      process.on("SIGINT", () => {});
      return running().interact(shellOf(rest));
    case "status":
      return running().interact(["converge", "status", ...rest]);
    case "converge":
      return running().interact(["converge", ...rest]);
    case "switch":
      return await switchToCheckout(running());
    case "reboot":
      await running().reboot();
      console.log("host: it is booting: npm run host -- status");
      return 0;
    case "down":
      return await down();
    case undefined:
    case "help":
    case "--help":
      console.log(usage);
      return 0;
    default:
      console.error(`host: there is no command '${command}'\n\n${usage}`);
      return 64;
  }
}

function running(): Machine {
  const machine = Machine.persons();
  if (machine === undefined) throw new Error("no host is up: run 'npm run host -- up'");
  return machine;
}

async function up(): Promise<number> {
  if (Machine.persons() !== undefined) {
    throw new Error("a host is up already: use it, or run 'npm run host -- down' first");
  }
  const started = performance.now();
  const host = await bootHost({
    configuration: { app: { checkout } },
    certificate: null,
    purpose: "person",
    prepare: (root, { system, authority }) => fillOperatorFiles(root, system, authority),
  });
  rememberSystem(host.machine, host.system);
  // What it signed is in the host; it has a folder of its own on this machine.
  host.authority[Symbol.dispose]();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`host: it is up (${seconds} s), and its units are at work`);
  console.log("host: npm run host -- status | shell | converge plan | switch | reboot | down");
  return 0;
}

/** At a terminal a shell that asks, else one that reads its commands. */
function shellOf(words: readonly string[]): readonly string[] {
  if (words.length > 0) return ["bash", "-c", words.join(" ")];
  return process.stdin.isTTY ? ["bash", "-i"] : ["bash"];
}

async function down(): Promise<number> {
  const machine = Machine.persons();
  await machine?.remove();
  // Of runs that were killed, too.
  await removeLeftovers();
  console.log(machine === undefined ? "host: none was up" : "host: it is gone");
  return 0;
}

async function switchToCheckout(machine: Machine): Promise<number> {
  const next = await buildSystem({ app: { checkout } });
  redirectRecipes(machine.root, next);
  const result = await switchSystem(machine, rememberedSystem(machine), next);
  if (result.refusal !== "") {
    console.log(`host: refused: ${result.refusal}`);
    return result.exitStatus;
  }
  rememberSystem(machine, next);
  console.log(`host: ran ${result.ran.join(", ") || "nothing"}`);
  for (const unit of result.failed) console.log(`host: ${unit} failed: journalctl -u ${unit}`);
  return result.exitStatus;
}

try {
  process.exitCode = await main(process.argv[2], process.argv.slice(3));
} catch (error) {
  console.error(`host: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
