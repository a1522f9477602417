import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { isDockerRestarted } from "../../../services/run/commands/may-switch.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A system with these files in its folder of units. */
function system(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "cc-ci-system-"));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, "etc/systemd/system", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return root;
}

const usual = {
  "docker.service": "[Service]\nExecStart=/a\n",
  "docker.service.d/overrides.conf": "[Service]\nExecStartPre=/b\n",
  "docker.socket": "[Socket]\nListenStream=/c\n",
};

test.for<[string, Readonly<Record<string, string>>, boolean]>([
  ["nothing changes", usual, false],
  ["another unit changes", { ...usual, "nginx.service": "[Service]\n" }, false],
  ["its unit changes", { ...usual, "docker.service": "[Service]\nExecStart=/b\n" }, true],
  ["what lies over it changes", { ...usual, "docker.service.d/overrides.conf": "" }, true],
  ["more lies over it", { ...usual, "docker.service.d/own.conf": "[Service]\nNice=1\n" }, true],
  ["its socket changes", { ...usual, "docker.socket": "[Socket]\n" }, true],
  ["it goes", { "docker.socket": usual["docker.socket"] }, true],
])("a switch restarts Docker or not: %s", async ([, after, isRestarted]) => {
  expect(await isDockerRestarted(system(usual), system(after))).toBe(isRestarted);
});

test("a switch that brings Docker restarts nothing", async () => {
  expect(await isDockerRestarted(system({}), system(usual))).toBe(false);
});
