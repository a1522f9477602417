import { describe, expect, test } from "vitest";
import type { Host } from "../../host.ts";
import { tokenFiles } from "../../library/drone-api.ts";
import type { DroneScene } from "../../library/shared-drone.ts";
import { beforeCases } from "../../library/shared-host.ts";
import { runnerAccount } from "../../library/test-runs.ts";

const domain = "drone.ci.example.org";
const ping = "/rpc/v2/ping";

/** Another machine, as far as its network goes, and where the host is for it. */
const elsewhere = { name: "elsewhere", own: "192.0.2.2", ofHost: "192.0.2.1" } as const;

/** A network of its own with one line to the host. */
const connect = `ip netns add ${elsewhere.name}
ip link add to-elsewhere type veth peer name to-host netns ${elsewhere.name}
ip address add ${elsewhere.ofHost}/24 dev to-elsewhere
ip link set to-elsewhere up
ip netns exec ${elsewhere.name} ip address add ${elsewhere.own}/24 dev to-host
ip netns exec ${elsewhere.name} ip link set to-host up`;

/** The status that a client gets there; 0 where nobody answers. */
async function statusFromElsewhere(
  host: Host,
  url: string,
  options: readonly string[] = [],
): Promise<number> {
  const { stdout } = await host.exec(
    [
      ...["ip", "netns", "exec", elsewhere.name, "curl", "--silent", "--output", "/dev/null"],
      ...["--max-time", "10", "--write-out", "%{http_code}"],
      ...["--resolve", `${domain}:443:${elsewhere.ofHost}`, ...options, url],
    ],
    { mayFail: true },
  );
  return Number(stdout);
}

/** What it is told there by Drone's name. */
async function statusOf(
  host: Host,
  path: string,
  headers: readonly string[] = [],
): Promise<number> {
  return await statusFromElsewhere(host, `https://${domain}${path}`, [
    ...headers.flatMap((header) => ["--header", header]),
    ...(path === ping ? ["--request", "POST"] : []),
  ]);
}

/** From another address, from a container beside it, and as the builds' user. */
export function reach(shared: () => DroneScene): void {
  describe("who reaches what of it", () => {
    beforeCases(async () => void (await shared().host.exec(["sh", "-ec", connect])));

    test("another address is none of the host's", async () => {
      const { host } = shared();
      const { stdout } = await host.exec(["ip", "-brief", "address"]);
      expect(stdout).toContain(elsewhere.ofHost);
      expect(stdout).not.toContain(elsewhere.own);
      // And has a way to nothing but the host.
      const { stdout: routes } = await host.exec([
        ...["ip", "netns", "exec", elsewhere.name, "ip", "route"],
      ]);
      expect(routes.trim().split("\n")).toEqual([expect.stringMatching(/^192\.0\.2\.0\/24 dev/)]);
    });

    test.for<[string, string, number]>([
      ["its pages", "/welcome", 200],
      ["its version", "/version", 200],
      ["accounts", "/api/user", 401],
      ["the queue", "/api/queue", 401],
      ["metrics", "/metrics", 401],
      ["what runners ask", ping, 401],
    ])("from another address: %s", async ([, path, status]) => {
      expect(await statusOf(shared().host, path)).toBe(status);
    });

    test("what runners ask is answered to who has the secret alone", async () => {
      const { host } = shared();
      const secret = host.read("/var/lib/cc-ci/secrets/drone-rpc-secret").trim();
      const owner = host.read(tokenFiles.owner).trim();
      const asked = async (token: string) =>
        await statusOf(host, ping, [`X-Drone-Token: ${token}`]);
      expect([await asked(secret), await asked(owner), await asked("")]).toEqual([200, 401, 401]);
    });

    test("a container beside it on the network of apps is asked for the secret too", async () => {
      const { host } = shared();
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
      const { host } = shared();
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
      const { host } = shared();
      const { stdout } = await host.exec([
        ...["curl", "--silent", "http://127.0.0.1:3000/healthz", "--output", "/dev/null"],
        ...["--write-out", "%{http_code}"],
      ]);
      const page = `http://${elsewhere.ofHost}:3000/healthz`;
      expect([Number(stdout), await statusFromElsewhere(host, page)]).toEqual([200, 0]);
    });

    test("the runner has its secret from nowhere where a build could find it", async () => {
      const { host } = shared();
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
      const { exitCode, stdout } = await shared().host.machine.runInUnit(
        ["sh", "-c", command],
        [`User=${runnerAccount}`, `Group=${runnerAccount}`],
        { mayFail: true },
      );
      expect({ failed: exitCode !== 0, stdout }).toEqual({ failed: true, stdout: "" });
    });
  });
}
