import { describe, expect, test } from "vitest";
import type { Host } from "../host.ts";
import { tokenFiles } from "../library/drone-api.ts";
import { droneHost } from "../library/drone-host.ts";
import { sharedHost } from "../library/shared-host.ts";
import { runnerAccount } from "../library/test-runs.ts";

const domain = "drone.ci.example.org";
const ping = "/rpc/v2/ping";
/** Of the host, as what runs in containers and other machines see it: no loopback. */
const outside = "172.18.0.1";

/** The status that a client gets that reaches the host by that address; 0 where nobody answers. */
async function statusAt(
  host: Host,
  address: string,
  path: string,
  headers: readonly string[] = [],
): Promise<number> {
  const { stdout } = await host.exec(
    [
      ...["curl", "--silent", "--output", "/dev/null", "--max-time", "10"],
      ...["--write-out", "%{http_code}", "--resolve", `${domain}:443:${address}`],
      ...headers.flatMap((header) => ["--header", header]),
      ...(path === ping ? ["--request", "POST"] : []),
      `https://${domain}${path}`,
    ],
    { mayFail: true },
  );
  return Number(stdout);
}

describe("who reaches what of Drone", () => {
  const shared = sharedHost(droneHost, async (host) => {
    await host.settle();
  });

  test.for<[string, string, number]>([
    ["its pages", "/", 200],
    ["its version", "/version", 200],
    ["accounts", "/api/user", 401],
    ["the queue", "/api/queue", 401],
    ["metrics", "/metrics", 401],
    ["what runners ask", ping, 401],
  ])("from another address: %s", async ([, path, status]) => {
    expect(await statusAt(shared(), outside, path)).toBe(status);
  });

  test("what runners ask is answered to who has the secret alone", async () => {
    const host = shared();
    const secret = host.read("/var/lib/cc-ci/secrets/drone-rpc-secret").trim();
    const owner = host.read(tokenFiles.owner).trim();
    const asked = async (token: string) =>
      await statusAt(host, outside, ping, [`X-Drone-Token: ${token}`]);
    expect([await asked(secret), await asked(owner), await asked("")]).toEqual([200, 401, 401]);
  });

  test("a container beside it on the network of apps is asked for the secret too", async () => {
    const host = shared();
    const { stdout } = await host.exec([
      ...["sh", "-c"],
      `docker container inspect --format '{{.NetworkSettings.Networks.proxy.IPAddress}}' $(docker container ls --quiet --filter name=drone_ci)`,
    ]);
    const script = `wget -S -O - --post-data '' http://${stdout.trim()}${ping}; wget -O - http://${stdout.trim()}/healthz`;
    const { stdout: healthy, stderr } = await host.exec(
      ["docker", "run", "--rm", "--network", "proxy", "busybox:1.37.0", "sh", "-c", script],
      { mayFail: true },
    );
    // It reaches the server.
    expect(healthy).toContain("OK");
    expect(stderr).toContain("401");
  });

  test("it is told to call nobody, and to let nobody new in", async () => {
    const host = shared();
    const { stdout } = await host.exec([
      ...["sh", "-c"],
      `docker container inspect --format '{{json .Config.Env}}' $(docker container ls --quiet --filter name=drone_ci)`,
    ]);
    const environment: readonly string[] = JSON.parse(stdout);
    // The image says otherwise of the first, and what is in the environment wins over any file.
    for (const setting of [
      ...["DRONE_DATADOG_ENABLED=false", "DRONE_REGISTRATION_CLOSED=true"],
      ...["DRONE_CRON_DISABLED=true", "DRONE_LOGS_DEBUG=false", `DRONE_SERVER_HOST=${domain}`],
    ]) {
      expect(environment).toContain(setting);
    }
  });

  test("the runner's own page is on the loopback alone", async () => {
    const host = shared();
    const at = async (address: string) =>
      (
        await host.exec(
          [
            ...["curl", "--silent", "--output", "/dev/null", "--max-time", "5"],
            ...["--write-out", "%{http_code}", `http://${address}:3000/healthz`],
          ],
          { mayFail: true },
        )
      ).stdout;
    expect([await at("127.0.0.1"), await at(outside)]).toEqual(["200", "000"]);
  });

  test("the runner has its secret from nowhere where a build could find it", async () => {
    const host = shared();
    const secret = host.read("/var/lib/cc-ci/secrets/drone-rpc-secret").trim();
    const { stdout: pid } = await host.exec([
      ...["systemctl", "show", "--property=MainPID", "--value", "cc-ci-runner.service"],
    ]);
    const { stdout } = await host.exec([
      ...[
        "sh",
        "-c",
        `cat /proc/${pid.trim()}/environ /proc/${pid.trim()}/cmdline | tr '\\0' '\\n'`,
      ],
    ]);
    // It has others from there.
    expect(stdout).toContain("DRONE_RPC_HOST=");
    expect(stdout).not.toContain(secret);
  });

  test.for<[string, string]>([
    ["the secret that it was started with", "cat /var/lib/cc-ci/secrets/drone-rpc-secret"],
    ["the tokens of accounts", `cat ${tokenFiles.owner} ${tokenFiles.bridge}`],
    ["what it is told at its start", "timeout 3 cat /run/cc-ci-runner/*"],
    ["Docker", "docker ps"],
    ["units", "systemctl start cc-ci-traefik.service"],
    ["what runs have left", "ls /var/lib/cc-ci/runs"],
    ["the rights of root", "sudo -n true || su -c true"],
  ])("the builds' user does not get at %s", async ([, command]) => {
    const { exitCode, stdout } = await shared().machine.runInUnit(
      ["sh", "-c", command],
      [`User=${runnerAccount}`, `Group=${runnerAccount}`],
      { mayFail: true },
    );
    expect({ failed: exitCode !== 0, stdout }).toEqual({ failed: true, stdout: "" });
  });
});
