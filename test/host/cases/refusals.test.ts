import { describe, expect, test } from "vitest";
import { type Host, usualConfiguration } from "../host.ts";
import { runAll, runAsPlanned } from "../library/as-planned.ts";
import { callsOf, expectAtRest, harm, quiet, stopsOf } from "../library/at-rest.ts";
import { follow, textOf } from "../library/follow.ts";
import { removeProxyNetwork } from "../library/proxy-network.ts";
import { sharedHost } from "../library/shared-host.ts";
import { tasksOf } from "../library/tasks.ts";
import { pageOf, placesOf, withWebs } from "../library/web-app.ts";
import { withoutPieces } from "../library/without-pieces.ts";
import { witnessedHost } from "../library/witnessed-host.ts";
import { Witnesses } from "../library/witnesses.ts";
import { until } from "../machine/processes.ts";

const page = "Hello from web.ci.example.org";
const limit = { timeout: 900_000 };
const [traefik, web] = [placesOf("traefik"), placesOf("web")];

describe("a network that differs", limit, () => {
  const shared = witnessedHost({ configuration: withWebs({ web: {} }) });

  test("is refused and left as it is, what is on it serves on, and the steps lead out", async () => {
    const host = shared();
    const other = withWebs({ web: {} }, "swarm: { proxySubnet: 10.90.0.0/24 }\n");
    const before = [await host.docker.versions(), await tasksOf(host)];
    expect(await host.switchTo(other)).toMatchObject({
      ...{ exitStatus: 4, failed: ["cc-ci-network-proxy.service"] },
    });
    const runs = await runAsPlanned(host);
    expect(runs["network-proxy"]).toMatchObject({
      ...{ calls: [], state: "refused", line: { id: "network-differs" } },
    });
    expect((await host.unit("cc-ci-network-proxy.service")).exitStatus).toBe(2);
    expect([await host.docker.versions(), await tasksOf(host)]).toEqual(before);
    expect(await pageOf(host, "web")).toBe(page);

    const text = await textOf(host, "network-proxy");
    expect(text).toContain("its subnet is 10.80.0.0/16 and should be 10.90.0.0/24");
    expect(text).toContain(`(the stack ${traefik.stack}, the stack ${web.stack})`);
    const remove = /'(docker network rm \w+)'/.exec(text)?.[1] ?? "";
    const undeployed = [web, traefik].map(
      ({ domain }) => `converge abra ${domain} app undeploy ${domain} -n`,
    );
    expect(stopsOf(await follow(host, ...undeployed, remove))).toEqual({});
    expect(await pageOf(host, "web")).toBe(page);
    await expectAtRest(host);
  });

  test("is refused whatever differs, and made anew once it is removed", async () => {
    const host = shared();
    const remove = `docker service rm ${traefik.stack}_app ${web.stack}_app; ${removeProxyNetwork}`;
    await harm(host, remove);
    for (const [options, difference] of [
      ["--driver=bridge", "its scope is local and should be swarm"],
      ["--driver=overlay --subnet=10.90.0.0/24", "attachable is false"],
      ["--driver=overlay --attachable --subnet=10.90.0.0/24 --opt encrypted", "encrypted"],
    ] as const) {
      await harm(host, `docker network create ${options} proxy`);
      const before = await host.docker.versions();
      const runs = await runAsPlanned(host);
      expect(runs["network-proxy"], options).toMatchObject({ state: "refused", calls: [] });
      expect(await textOf(host, "network-proxy")).toContain(difference);
      expect([callsOf(runs), await host.docker.versions()]).toEqual([{}, before]);
      await harm(host, "docker network rm proxy");
    }
    expect(stopsOf(await runAll(host))).toEqual({});
    expect(await pageOf(host, "web")).toBe(page);
    await expectAtRest(host);
  });
});

describe("what others have made", limit, () => {
  /** Nothing of ours starts by itself, so that the others are there first. */
  const configuration = withoutPieces(usualConfiguration());
  let witnesses: Witnesses;
  let foreign: unknown;
  const networkOf = async (host: Host) => await host.docker.get("/networks/proxy");
  const shared = sharedHost({ configuration }, async (host) => {
    await host.exec([
      ...["docker", "swarm", "init", "--advertise-addr=127.0.0.1"],
      ...["--default-addr-pool=10.64.0.0/12", "--default-addr-pool-mask-length=24"],
    ]);
    await host.exec([
      ...["docker", "network", "create", "--driver=overlay", "--attachable"],
      ...["--subnet=10.80.0.0/16", "--label=made-by=somebody", "proxy"],
    ]);
    await until("the ingress network", 30, async () =>
      "networks ingress" in (await host.docker.versions()) ? true : undefined,
    );
    witnesses = await Witnesses.put(host);
    foreign = await networkOf(host);
  });
  const theirs = (name: string, port: string) =>
    `docker service create --detach --no-resolve-image --name=${name} --network=proxy \
--endpoint-mode=dnsrr --publish=mode=host,${port} --stop-grace-period=1s traefik:v3.6.12 --entrypoints.web.address=:80
for n in $(seq 100); do curl --silent http://127.0.0.1:80/ && exit; sleep 0.2; done; exit 1`;

  test.each(["published=80,target=80", "published=443,target=443"])(
    "a proxy of another name keeps its port, and ours is refused: %s",
    async (port) => {
      const host = shared();
      const script = theirs("proxy_of_others", port);
      await harm(host, port.includes("443") ? (script.split("\n")[0] ?? "") : script);
      const before = await host.docker.versions();
      // Which ports the recipe wants is known once it is there, and before anything is touched.
      const runs = await runAsPlanned(host, ["stack-port-taken"]);
      expect(runs.traefik).toMatchObject({ state: "refused", line: { id: "stack-port-taken" } });
      expect(await textOf(host, "traefik")).toContain("is taken by the service proxy_of_others");
      const after = await host.docker.versions();
      expect(after["services proxy_of_others"]).toBe(before["services proxy_of_others"]);
      expect(after[`services ${traefik.stack}_app`]).toBeUndefined();
      await harm(host, "docker service rm proxy_of_others");
    },
  );

  test("a stack of our name is left alone until it is handed over", async () => {
    const host = shared();
    const compose = `services:
  app:
    image: traefik:v3.6.12
    command: [--entrypoints.web.address=:80]
    networks: [proxy]
    ports: [{ target: 80, published: 80, mode: host }]
    stop_grace_period: 1s
networks: { proxy: { external: true } }
`;
    const deploy = ["docker", "stack", "deploy", "--detach", "--resolve-image=never"];
    await host.exec([...deploy, "--compose-file=-", traefik.stack], {
      input: `version: "3.8"\n${compose}`,
    });
    const running = async () =>
      (await tasksOf(host))[traefik.stack]?.length === 1 ? true : undefined;
    await until("a task of theirs", 60, running);
    await quiet(host);
    const before = [await host.docker.versions(), await tasksOf(host)];
    const runs = await runAsPlanned(host);
    expect(runs.traefik).toMatchObject({
      ...{ calls: [], state: "refused", line: { id: "stack-foreign" } },
    });
    expect((await host.unit("cc-ci-traefik.service")).exitStatus).toBe(2);
    expect([await host.docker.versions(), await tasksOf(host)]).toEqual(before);

    const hand = /"(echo [^"]+)"/.exec(await textOf(host, "traefik"))?.[1] ?? "";
    const followed = await follow(host, hand);
    expect(stopsOf(followed)).toEqual({});
    expect(followed.traefik?.calls).toContain(`app deploy ${traefik.domain}`);
    await expectAtRest(host);
  });

  test("a network that is right is used as it is, and stays theirs", async () => {
    const host = shared();
    expect(await networkOf(host)).toMatchObject({
      ...{ Id: (foreign as { Id: string }).Id, Labels: { "made-by": "somebody" } },
    });
    expect(await witnesses.touched()).toEqual([]);
  });
});
