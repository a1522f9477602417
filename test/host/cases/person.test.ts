import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { Machine } from "../machine/machine.ts";

const checkout = join(import.meta.dirname, "../../..");

/** `npm run host -- …`, as a person types it. */
async function host(...words: readonly string[]) {
  const { exitCode, stdout, stderr } = await execa("npm", ["run", "-s", "host", "--", ...words], {
    cwd: checkout,
    reject: false,
    stdin: "ignore",
  });
  return { exitCode, stdout, stderr };
}

/** A person's own host, which is up already, is theirs. */
const isTaken = Machine.persons() !== undefined;

describe("a host for a person", { timeout: 600_000 }, () => {
  beforeEach((context: TestContext) => {
    requireHosts(context);
    if (!isTaken) return;
    const reason = "needs the one place of such a host: 'npm run host -- down' first";
    if (process.env.CI === "true") throw new Error(reason);
    context.skip(reason);
  });
  afterAll(async () => {
    if (!isTaken) await host("down");
  });

  test("needs to be up first, and says so", async () => {
    expect(await host("status")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("host -- up"),
    });
  });

  test("comes up, converges, switches, reboots, takes commands, and is gone", async () => {
    expect((await host("up")).stdout).toContain("it is up");
    expect((await host("up")).stderr).toContain("a host is up already");
    await host("shell", "systemctl start cc-ci.target cc-ci-traefik");
    expect(await host("status")).toMatchObject({ exitCode: 0 });
    expect((await host("converge", "plan")).stdout).toContain("as it should be");
    expect(await host("switch")).toMatchObject({ exitCode: 0 });
    expect((await host("reboot")).exitCode).toBe(0);
    const afterBoot = "systemctl is-system-running --wait; systemctl start cc-ci-traefik";
    expect(await host("shell", afterBoot)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await host("status")).toMatchObject({
      ...{ exitCode: 0, stderr: "", stdout: expect.stringMatching(/^traefik +converged/m) },
    });
    expect((await host("down")).stdout).toContain("it is gone");
    expect((await host("down")).stdout).toContain("none was up");
  });
});
