import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findTool } from "../tools.ts";

/**
 * What `systemd-analyze verify` says about these units, each by its file name; "" when they are
 * good. Any output is a failure: an unknown key or a bad value is a line, and exit code 0.
 *
 * The machine's own units and files play no part. A unit that ours name and that is not among them
 * is there as an empty stand-in, and so is a program for each `/nix/store` path. A unit that a
 * timer, path or socket starts must be among them, unless `Unit=` or `Service=` names it; a program
 * must be an absolute path. Of these two systemd says nothing before the unit is due.
 *
 * @throws {Error} when systemd-analyze is missing or does not end
 */
export async function verifyUnits(units: Readonly<Record<string, string>>): Promise<string> {
  // Its name stands in command lines and comes back in what is printed, from which it is taken out.
  const scratch = await mkdtemp(join(tmpdir(), "cc-ci-units-"));
  try {
    await writeUnits(scratch, units);
    const files = Object.keys(units).map((name) => join(unitFolder(scratch), name));
    const { output, ending } = await analyze(scratch, files);
    const lines = [...oversights(units), output.replaceAll(`${unitFolder(scratch)}/`, "")];
    const text = lines.join("").replaceAll(scratch, "");
    return text === "" ? ending : text;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const unitFolder = (scratch: string): string => join(scratch, "units");

/** A set of units takes a tenth of a second; this ends what hangs. */
const limitMilliseconds = 60_000;

async function analyze(
  scratch: string,
  files: readonly string[],
): Promise<{ output: string; ending: string }> {
  const program = findTool("systemd-analyze");
  if (program === undefined) throw new Error("needs systemd-analyze: run 'npm run setup'");
  const child = spawn(program, ["verify", "--man=no", "--", ...files], {
    cwd: scratch,
    // Nothing of the caller's environment: SYSTEMD_LOG_LEVEL alone would change what is said. No
    // colon at the end of SYSTEMD_UNIT_PATH: that would add the machine's own folders.
    env: {
      PATH: process.env.PATH,
      HOME: scratch,
      LC_ALL: "C.UTF-8",
      SYSTEMD_COLORS: "0",
      SYSTEMD_LOG_TARGET: "console",
      SYSTEMD_UNIT_PATH: unitFolder(scratch),
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limitMilliseconds,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const ending = code === 0 ? "" : `systemd-analyze ended with ${signal ?? code}\n`;
      resolve({ output, ending });
    });
  });
}

async function writeUnits(scratch: string, units: Readonly<Record<string, string>>): Promise<void> {
  const files = new Map<string, string>();
  for (const name of [...alwaysThere, ...Object.values(units).flatMap(namedUnits)]) {
    files.set(fileOf(name), standIn(fileOf(name), scratch));
  }
  for (const [name, text] of Object.entries(units)) {
    // The unit's own store is below the scratch folder, so that nothing is looked up in a real one.
    files.set(
      name,
      text.replaceAll(storePath, (path) => `${scratch}${path}`),
    );
  }
  await mkdir(unitFolder(scratch));
  for (const [name, text] of files) await writeFile(join(unitFolder(scratch), name), text);

  const paths = Object.values(units).flatMap((text) => text.match(storePath) ?? []);
  // A package may be named by itself as well as with a program in it: then it is a folder.
  const isFolder = (path: string): boolean => paths.some((each) => each.startsWith(`${path}/`));
  for (const path of new Set([...paths, standInProgram])) {
    if (!isFolder(path)) await makeProgram(join(scratch, path));
  }
}

/** A path in the store, up to what cannot stand in one unquoted: a quote, a colon in a PATH, … */
const storePath = /\/nix\/store\/[^\s"'`;:,=$%(){}[\]\\]+/g;
const standInProgram = "/nix/store/stand-in";

async function makeProgram(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "#!/bin/sh\n", { mode: 0o755 });
}

/** What systemd adds to units of its own accord (`DefaultDependencies=`), and what is hung on it. */
const alwaysThere = [
  "-.mount",
  "basic.target",
  "multi-user.target",
  "network-online.target",
  "paths.target",
  "shutdown.target",
  "sockets.target",
  "sysinit.target",
  "time-set.target",
  "time-sync.target",
  "timers.target",
  "umount.target",
];

const unitName =
  /(?<![\w@.:/%\\-])[\w:.\\-]+(?:@[\w:.\\%-]*)?\.(?:service|socket|timer|path|target|mount|automount|swap|slice|scope)(?![\w@./-])/g;

/** Every unit that a unit names in one of its values, but for text and command lines. */
function namedUnits(text: string): string[] {
  return assignments(text)
    .filter(({ key }) => !/^(?:Description|Documentation|Exec\w+)$/.test(key))
    .flatMap(({ value }) => value.match(unitName) ?? []);
}

function assignments(text: string): { key: string; value: string }[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => {
      const [, key, value] = /^\s*([A-Z]\w*)\s*=\s*(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [{ key, value }];
    });
}

/** The file that a unit comes from: for an instance its template's. */
function fileOf(name: string): string {
  return name.replace(/@.*(?=\.)/, "@");
}

/** The least unit of its kind that systemd loads without a word. */
function standIn(name: string, scratch: string): string {
  const program = `${scratch}${standInProgram}`;
  const bodies: Readonly<Record<string, string>> = {
    service: `[Service]\nType=oneshot\nExecStart=${program}\n`,
    socket: `[Socket]\nListenStream=/run/${name}\n`,
    timer: "[Timer]\nOnBootSec=1d\n",
    path: `[Path]\nPathExists=/run/${name}\n`,
    mount: `[Mount]\nWhat=none\nType=tmpfs\nWhere=${mountPoint(name)}\n`,
    automount: `[Automount]\nWhere=${mountPoint(name)}\n`,
    swap: `[Swap]\nWhat=${mountPoint(name)}\n`,
  };
  const kind = name.slice(name.lastIndexOf(".") + 1);
  return `[Unit]\nDescription=stand-in\nDefaultDependencies=no\n\n${bodies[kind] ?? ""}`;
}

/** The path that a mount's name says (`systemd-escape --path`, read backwards). */
function mountPoint(name: string): string {
  const path = name.slice(0, name.lastIndexOf("."));
  if (path === "-") return "/";
  const plain = path.replaceAll("-", "/");
  return `/${plain.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))}`;
}

/** What systemd lets pass and finds out only when the unit is due: one line each. */
function oversights(units: Readonly<Record<string, string>>): string[] {
  return Object.entries(units).flatMap(([name, text]) => {
    const partner = partnerOf(name, text);
    const isThere = partner === undefined || fileOf(partner) in units;
    return [
      ...(isThere || namedUnits(text).includes(partner)
        ? []
        : [`${name}: starts ${partner}, which is not among the units.\n`]),
      // It would be searched for in folders that differ between Debian and NixOS.
      ...assignments(text)
        .filter(({ key, value }) => key.startsWith("Exec") && /^[-@:+!|]*["']?[\w.]/.test(value))
        .map(({ key, value }) => `${name}: ${key}=${value}: not an absolute path.\n`),
    ];
  });
}

/** The unit that a timer, path or socket starts (systemd.timer(5), systemd.socket(5)). */
function partnerOf(name: string, text: string): string | undefined {
  const base = name.replace(/\.(?:timer|path|socket)$/, "");
  if (base === name) return undefined;
  const values = new Map(assignments(text).map(({ key, value }) => [key, value.trim()]));
  const named = values.get("Unit") ?? values.get("Service");
  if (named !== undefined) return named;
  const accepts = /^(?:yes|y|true|t|on|1)$/i.test(values.get("Accept") ?? "");
  return accepts ? `${base}@.service` : `${base}.service`;
}
