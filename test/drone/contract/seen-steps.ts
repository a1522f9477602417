import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Build } from "../../../services/lib/drone/schemas.ts";
import { until } from "../../host/machine/processes.ts";
import { type Drone, pipeline, type Scene } from "../scene.ts";

/** What the first step of a build printed. */
export async function printed(
  scene: Scene,
  commands: readonly string[],
  parameters: Readonly<Record<string, string>> = {},
  options: Parameters<typeof pipeline>[1] = {},
): Promise<{ readonly lines: readonly string[]; readonly build: Build }> {
  const { client } = await scene.shared();
  const place = await scene.place(await scene.ci(), pipeline(commands, options));
  const number = await scene.build(place, parameters);
  const build = await scene.ended(place, number);
  const log = await client.log(place.repository, number, 1, options.clone ? 2 : 1);
  const lines = log.join("").trimEnd().split("\n");
  return { lines: lines.filter((line) => !line.startsWith("+ ")), build };
}

/** A build whose step says some words, then waits. @returns its words, and how to look at it */
export async function waiting(
  scene: Scene,
  commands: readonly string[],
  more: {
    readonly drone?: Drone;
    readonly repository?: string;
    readonly options?: Parameters<typeof pipeline>[1];
  } = {},
) {
  const repository = more.repository ?? (await scene.ci());
  const note = join(scene.folder(), "note");
  const script = [`(${commands.join("; ")}) > ${note}.new`, `mv ${note}.new ${note}`];
  const text = pipeline([...script, "sleep 100 > /dev/null 2>&1 & wait"], more.options);
  const place = await scene.place(repository, text);
  const number = await scene.build(place, {}, more.drone);
  await until(`the note of ${repository} ${number}`, 60, () => existsSync(note) || undefined, 100);
  return { place, number, note: readFileSync(note, "utf8").trimEnd().split("\n") };
}

/** A command that ends when it is let go of, by the name of a build or for all of them. */
export function held(scene: Scene) {
  const folder = scene.folder();
  const isLeft = `[ ! -e ${folder}/all ] && [ ! -e ${folder}/$DRONE_BUILD_NUMBER ]`;
  return {
    command: `while ${isLeft}; do sleep 0.2; done`,
    letGo: (number: number | "all"): void => writeFileSync(join(folder, String(number)), ""),
  };
}

/** What `ps` says of a process; empty when there is none. */
export function ofProcess(pid: number, field: "pgid" | "ppid" | "args"): string {
  try {
    const args = ["-o", `${field}=`, "-p", String(pid)];
    return execFileSync("ps", args, { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

/** Processes with that as their parent. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const found = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    return found.split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
