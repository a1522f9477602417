import { beforeEach, describe, expect, type TestContext, test } from "vitest";
import { requireHosts } from "../../tools.ts";
import { bootHost, type Host, usualConfiguration } from "../host.ts";
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

async function runningDaemon(host: Host): Promise<string> {
  await host.exec(["systemctl", "is-system-running", "--wait"], { mayFail: true });
  return (await host.unit("daemon.service")).invocation;
}

describe("a switch", { timeout: 600_000, concurrent: true }, () => {
  beforeEach((context: TestContext) => requireHosts(context));

  test("leaves what is unchanged, and runs what runs once again", async () => {
    const configuration = withServices(daemon(9999) + once("true"));
    await using host = await bootHost({ configuration });
    const before = await runningDaemon(host);
    const { ran, stopped, restarted } = await host.switchTo(configuration);
    expect(ran).toContain("once.service");
    expect([...stopped, ...restarted]).toEqual([]);
    expect((await host.unit("daemon.service")).invocation).toBe(before);
  });

  test("stops what is gone, and restarts what is another", async () => {
    await using host = await bootHost({ configuration: withServices(daemon(9999)) });
    const before = await runningDaemon(host);
    const changed = await host.switchTo(withServices(daemon(8888)));
    expect(changed).toMatchObject({ stopped: ["daemon.service"], reloaded: [], restarted: [] });
    expect(changed.ran).toContain("daemon.service");
    expect((await host.unit("daemon.service")).invocation).not.toBe(before);
    expect((await host.switchTo(usualConfiguration())).stopped).toEqual(["daemon.service"]);
    expect((await host.exec(["systemctl", "cat", "daemon"], { mayFail: true })).exitCode).toBe(1);
  });

  test("obeys what a unit says of its own restart", async () => {
    const keep = "restartIfChanged = false;";
    await using host = await bootHost({ configuration: withServices(daemon(9999, keep)) });
    const before = await runningDaemon(host);
    const { stopped, ran } = await host.switchTo(withServices(daemon(8888, keep)));
    expect([...stopped, ...ran.filter((unit) => unit === "daemon.service")]).toEqual([]);
    expect((await host.unit("daemon.service")).invocation).toBe(before);
    const described = `description = "another"; ${keep}`;
    expect((await host.switchTo(withServices(daemon(8888, described)))).stopped).toEqual([]);
  });

  test("exits with 4 when a unit fails, and names it", async () => {
    await using host = await bootHost({ configuration: withServices(daemon(9999)) });
    const { exitStatus, failed } = await host.switchTo(withServices(daemon(9999) + once("false")));
    expect(exitStatus).toBe(4);
    expect(failed).toContain("once.service");
  });

  test("is refused before anything changes when an assertion does not hold", async () => {
    await using host = await bootHost({ configuration: usualConfiguration() });
    const wrong = withServices("virtualisation.docker.daemon.settings.iptables = false;");
    await expect(host.switchTo(wrong)).rejects.toThrow("iptables must stay on");
  });
});
