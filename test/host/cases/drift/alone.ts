import { describe, expect, test } from "vitest";
import type { Host } from "../../host.ts";
import { planOf, runAll, runAsPlanned } from "../../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, harm, stopsOf } from "../../library/at-rest.ts";
import { removeProxyNetwork } from "../../library/proxy-network.ts";
import { pageOf, placesOf } from "../../library/web-app.ts";

const traefik = placesOf("traefik");
const web = placesOf("web");
const page = "Hello from web.ci.example.org";

const sealsOf = (stack: string, ...services: readonly string[]) =>
  services.map((service) => `service seal ${stack}_${service}`);
const deployed = {
  traefik: [`app deploy ${traefik.domain}`, ...sealsOf(traefik.stack, "app", "socket-proxy")],
  web: [`app deploy ${web.domain}`, ...sealsOf(web.stack, "app", "worker")],
};
/** Docker notes on a service that it updates it: an order that comes just then is out of sequence, and is given again. */
const rollBack = (service: string) => `
order() {
  until said=$(docker service "$@" --detach ${service} 2>&1); do
    case $said in *"out of sequence"*) sleep 0.1 ;; *) echo "$said" >&2; return 1 ;; esac
  done
}
order update --env-add LEFT=behind
order update --env-add LEFT=more
order rollback
`;
/**
 * As a daemon leaves it that stops just when it takes the network down, once in a hundred times; and an
 * interface of somebody else, with a name that is only like it.
 */
const restartLeavingInterface = `
key=com.docker.network.driver.overlay.vxlanid_list
vni=$(docker network inspect ${traefik.stack}_internal --format "{{index .Options \\"$key\\"}}")
systemctl stop docker.socket docker
# This may be that one time, with the interface here or still in the network's own namespace: no other failure will do.
said=$(ip link add "vx-$(printf %06x "$vni")-abcde" type vxlan id "$vni" dstport 4789 2>&1) ||
  case $said in *"already exists"*) ;; *) echo "$said" >&2; exit 1 ;; esac
ip link add vx-site type vxlan id 4242 dstport 4790
systemctl start docker
`;
const cloned = [`checkout clone ${web.checkout}`, `checkout reset ${web.checkout}`];

/** One thing after the other that drifts, and is brought back. */
export function alone(shared: () => Host): void {
  describe("alone", () => {
    test.each([
      {
        what: "a service was removed",
        script: `docker service rm ${web.stack}_app`,
        calls: deployed.web,
      },
      {
        what: "a service was scaled down",
        script: `docker service scale --detach ${web.stack}_worker=0`,
        calls: deployed.web,
      },
      {
        what: "a service was scaled up",
        script: `docker service scale --detach ${web.stack}_worker=2`,
        calls: deployed.web,
      },
      {
        what: "a service was altered by hand",
        script: `docker service update --detach --env-add LEFT=behind ${web.stack}_app`,
        calls: deployed.web,
      },
      {
        what: "a service was rolled back by hand",
        script: rollBack(`${web.stack}_app`),
        calls: deployed.web,
      },
      {
        what: "the .env was edited",
        script: `sed -i s/^GREETING=.*/GREETING=Bye/ ${web.env}`,
        calls: [`env write ${web.env}`],
      },
      {
        what: "the .env was deleted",
        script: `rm ${web.env}`,
        calls: [`env write ${web.env}`],
      },
      {
        what: "the .env was rewritten",
        script: `echo DOMAIN=elsewhere.example.org >${web.env}`,
        calls: [`env write ${web.env}`],
      },
      {
        what: "the recipe's files were changed",
        script: `cd ${web.checkout}; echo >>compose.yml; touch new; rm abra.sh`,
        calls: [`checkout reset ${web.checkout}`],
      },
      {
        what: "the recipe was moved to another commit",
        script: `git -C ${web.checkout} checkout --quiet 0.2.0+1.1.0`,
        calls: [`checkout reset ${web.checkout}`],
      },
      {
        what: "the recipe was deleted",
        script: `rm -r ${web.checkout}`,
        calls: cloned,
      },
      {
        what: "a git that died has left its locks",
        script: `touch ${web.checkout}/.git/index.lock ${web.checkout}/.git/HEAD.lock`,
        calls: [`checkout repair ${web.checkout}`],
      },
      {
        what: "the recipe's .git is broken",
        script: `echo nonsense >${web.checkout}/.git/HEAD`,
        calls: cloned,
      },
      {
        what: "the recipe's commits are gone",
        script: `rm ${web.checkout}/.git/objects/pack/*`,
        calls: cloned,
      },
    ])("converges when $what", async ({ script, calls }) => {
      const host = shared();
      await harm(host, script);
      // Alone, as the others have nothing to do: that all is at rest then is shown once.
      const runs = await runAsPlanned(host, [], "app-web");
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, { "app-web": calls }]);
      expect(await pageOf(host, "web")).toBe(page);
    });

    test("does nothing more once all that is mended", async () => {
      await expectIdlePass(shared());
    });

    test("converges when another version was deployed by hand", async () => {
      const host = shared();
      const { domain } = traefik;
      await harm(host, `converge abra traefik app deploy ${domain} 5.1.0+v3.6.12 -n -o -D -c -f`);
      const runs = await runAsPlanned(host);
      const files = [`checkout reset ${traefik.checkout}`, `env write ${traefik.env}`];
      expect(callsOf(runs)).toEqual({ traefik: [...files, ...deployed.traefik] });
      await expectAtRest(host);
    });

    test("converges when a secret was deleted, with the service that used it", async () => {
      const host = shared();
      await harm(
        host,
        `docker service rm ${web.stack}_app
  docker secret rm $(docker secret ls --quiet --filter name=${web.stack})`,
      );
      const runs = await runAsPlanned(host);
      const created = expect.stringMatching(
        `^secret create ${web.stack}_db_password_[0-9a-f]{12}$`,
      );
      expect(callsOf(runs)).toEqual({ "app-web": [created, ...deployed.web] });
      await expectAtRest(host);
    });

    test("converges when the network was deleted, with the services on it", async () => {
      const host = shared();
      await harm(
        host,
        `docker service rm ${web.stack}_app ${traefik.stack}_app
  ${removeProxyNetwork}`,
      );
      // Asked of one piece, too: it runs after those that it needs.
      const { "app-web": alone } = await planOf(host, "app-web");
      expect(alone).toMatchObject({ calls: deployed.web, stop: null });
      const runs = await runAsPlanned(host);
      expect(callsOf(runs)).toEqual({
        "network-proxy": ["network create proxy"],
        traefik: deployed.traefik,
        "app-web": deployed.web,
      });
      expect(await pageOf(host, "web")).toBe(page);
      await expectAtRest(host);
    });

    test("needs no image as long as what was made from it runs", async () => {
      const host = shared();
      const { stdout: names } = await host.exec([
        "docker",
        "image",
        "ls",
        "--format={{.Repository}}:{{.Tag}}",
      ]);
      const image = names.split("\n").find((name) => name.startsWith("web:")) ?? "";
      await harm(host, `docker image tag ${image} kept; docker image rm --force ${image}`);
      const runs = await runAsPlanned(host);
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, {}]);
      expect(await pageOf(host, "web")).toBe(page);
      await harm(host, `docker image tag kept ${image}; docker image rm kept`);
    });

    test("needs no call when Docker was started anew, and waits until all is up", async () => {
      const host = shared();
      await host.exec(["sh", "-ec", restartLeavingInterface]);
      const planned = Object.values(await planOf(host));
      expect(planned.flatMap(({ calls, stop }) => [...calls, ...(stop ? [stop.id] : [])])).toEqual(
        [],
      );
      const runs = await runAll(host);
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, {}]);
      expect(await pageOf(host, "web")).toBe(page);
      await host.exec(["ip", "link", "delete", "vx-site"]);
      await expectIdlePass(host);
    });

    test("is brought back by a person, who sees what is done", async () => {
      const host = shared();
      await harm(host, `rm ${web.env}; docker service rm ${web.stack}_worker`);
      const { exitCode, stdout } = await host.converge("run", "app-web");
      const said = deployed.web.map((call) => `app-web: ${call}: `);
      expect(
        stdout.split("\n").filter((line) => said.some((each) => line.startsWith(each))),
      ).toEqual(said.map((each) => expect.stringContaining(each)));
      expect(stdout.split("\n")).toContainEqual(expect.stringMatching(/^app-web +converged/));
      expect(exitCode).toBe(0);
      await expectAtRest(host);
    });

    test("needs no upstream as long as nothing is to be fetched", async () => {
      const host = shared();
      await host.exec(["systemctl", "stop", "test-git-server"]);
      await harm(host, `docker service rm ${web.stack}_worker; touch ${web.checkout}/new`);
      const runs = await runAsPlanned(host);
      await host.exec(["systemctl", "start", "test-git-server"]);
      const calls = [`checkout reset ${web.checkout}`, ...deployed.web];
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, { "app-web": calls }]);
    });
  });
}
