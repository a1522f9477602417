import { describe, expect, test } from "vitest";
import { usualConfiguration } from "../host.ts";
import { sharedHost } from "../library/shared-host.ts";
import type { Configuration } from "../system/system.ts";

/** A service that runs on, one that runs once under the target, and their changes. */
function withServices(text: string): Configuration {
  return { app: usualConfiguration(), modules: [`{ pkgs, lib, ... }: {\n${text}\n}`] };
}

const daemon = (seconds: number, more = ""): string => `
  systemd.services.daemon = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "\${lib.getExe' pkgs.coreutils "sleep"} ${seconds}";
    ${more}
  };`;

const once = (program: string): string => `
  systemd.services.once = {
    wantedBy = [ "cc-ci.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = lib.getExe' pkgs.coreutils "${program}"; };
  };`;

const usual = withServices(daemon(9999) + once("true"));

describe("a switch", { timeout: 600_000 }, () => {
  const shared = sharedHost({ configuration: usual }, async (host) => {
    await host.exec(["systemctl", "is-system-running", "--wait"], { mayFail: true });
  });
  const runningDaemon = async () => (await shared().unit("daemon.service")).invocation;

  test("leaves what is unchanged, and runs what runs once again", async () => {
    const before = await runningDaemon();
    const { ran, stopped, restarted } = await shared().switchTo(usual);
    expect(ran).toContain("once.service");
    expect([...stopped, ...restarted]).toEqual([]);
    expect(await runningDaemon()).toBe(before);
  });

  test("stops what is gone, and restarts what is another", async () => {
    const host = shared();
    const before = await runningDaemon();
    const changed = await host.switchTo(withServices(daemon(8888)));
    expect(changed).toMatchObject({ stopped: ["daemon.service"], reloaded: [], restarted: [] });
    expect(changed.ran).toContain("daemon.service");
    expect(await runningDaemon()).not.toBe(before);
    expect((await host.switchTo(usualConfiguration())).stopped).toEqual(["daemon.service"]);
    expect((await host.exec(["systemctl", "cat", "daemon"], { mayFail: true })).exitCode).toBe(1);
  });

  test("obeys what a unit says of its own restart", async () => {
    const host = shared();
    const keep = "restartIfChanged = false;";
    await host.switchTo(withServices(daemon(9999, keep)));
    const before = await runningDaemon();
    const { stopped, ran } = await host.switchTo(withServices(daemon(8888, keep)));
    expect([...stopped, ...ran.filter((unit) => unit === "daemon.service")]).toEqual([]);
    expect(await runningDaemon()).toBe(before);
    const described = `description = "another"; ${keep}`;
    expect((await host.switchTo(withServices(daemon(8888, described)))).stopped).toEqual([]);
  });

  test("exits with 4 when a unit fails, and names it", async () => {
    const failing = withServices(daemon(9999) + once("false"));
    const { exitStatus, failed } = await shared().switchTo(failing);
    expect(exitStatus).toBe(4);
    expect(failed).toContain("once.service");
  });

  test("is refused before anything changes when an assertion does not hold", async () => {
    const before = await runningDaemon();
    const wrong = withServices("virtualisation.docker.daemon.settings.iptables = false;");
    await expect(shared().switchTo(wrong)).rejects.toThrow("iptables must stay on");
    expect(await runningDaemon()).toBe(before);
  });
});
