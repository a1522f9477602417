import { describe, expect, test } from "vitest";
import type { Host } from "../../host.ts";
import { runAsPlanned } from "../../library/as-planned.ts";
import {
  callsOf,
  expectAtRest,
  expectIdlePass,
  harm,
  quiet,
  stopsOf,
} from "../../library/at-rest.ts";
import { removeProxyNetwork } from "../../library/proxy-network.ts";
import { pageOf, placesOf, putPassword } from "../../library/web-app.ts";

const [traefik, web] = [placesOf("traefik"), placesOf("web")];
const page = "Hello from web.ci.example.org";
const withoutUpstream = "systemctl stop test-git-server";
const withUpstream = "systemctl start test-git-server";

/** Two things that drift at once. */
export function pairs(shared: () => Host): void {
  describe("two at once", () => {
    test.each([
      ["its .env and its recipe are deleted", `rm -r ${web.env} ${web.checkout}`],
      [
        "a git that died has left a lock and a service is scaled",
        `touch ${web.checkout}/.git/index.lock; docker service scale --detach ${web.stack}_worker=0`,
      ],
      [
        "the recipe is dirty and the .env rewritten",
        `echo >>${web.checkout}/compose.yml; echo DOMAIN=elsewhere.example.org >${web.env}`,
      ],
      [
        "one service is removed and another one scaled",
        `docker service rm ${web.stack}_app; docker service scale --detach ${web.stack}_worker=3`,
      ],
    ])("both are mended: %s", async (_, script) => {
      const host = shared();
      await harm(host, script);
      // Alone, as the others have nothing to do: that all is at rest then is shown once.
      expect(stopsOf(await runAsPlanned(host, [], "app-web"))).toEqual({});
      expect(await pageOf(host, "web")).toBe(page);
    });

    test("nothing more is done once all that is mended", async () => {
      await expectIdlePass(shared());
    });

    test.each([
      [
        "a service is altered",
        `docker service update --detach --env-add LEFT=behind ${web.stack}_app; systemctl restart docker`,
      ],
      ["an .env is deleted", `rm ${traefik.env}; systemctl restart docker`],
    ])("both are mended: Docker is started anew and %s", async (_, script) => {
      const host = shared();
      await harm(host, script);
      expect(stopsOf(await runAsPlanned(host))).toEqual({});
      expect(await pageOf(host, "web")).toBe(page);
      await expectAtRest(host);
    });

    test("an older version is deployed by hand and upstream is away: it needs none", async () => {
      const host = shared();
      await harm(
        host,
        `${withoutUpstream}
      converge abra traefik app deploy ${traefik.domain} 5.1.0+v3.6.12 -n -o -D -c -f`,
      );
      expect(stopsOf(await runAsPlanned(host))).toEqual({});
      await harm(host, withUpstream);
      await expectAtRest(host);
    });

    test.each([
      ["deleted", `rm -r ${web.checkout}`],
      ["broken", `echo nonsense >${web.checkout}/.git/HEAD`],
    ])(
      "the recipe is %s and upstream is away: what runs goes on until it is back",
      async (_, script) => {
        const host = shared();
        await harm(host, `${withoutUpstream}; ${script}`);
        const before = await host.docker.versions();
        const runs = await runAsPlanned(host, ["recipe-unreachable"], "app-web");
        expect(stopsOf(runs)).toEqual({ "app-web": "pending recipe-unreachable" });
        const { exitStatus, result } = await host.unit("cc-ci-app-web.service");
        expect([exitStatus, result]).toEqual([75, "success"]);
        expect(await host.docker.versions()).toEqual(before);
        expect(await pageOf(host, "web")).toBe(page);
        await harm(host, withUpstream);
        expect(stopsOf(await runAsPlanned(host, [], "app-web"))).toEqual({});
      },
    );

    test("a service is removed and the certificate has expired: nothing else goes", async () => {
      const host = shared();
      await harm(host, `docker service rm ${traefik.stack}_socket-proxy`);
      const before = await host.docker.versions();
      host.putCertificate(host.authority.expired());
      await host.settle();
      await quiet(host);
      const runs = await runAsPlanned(host);
      expect([stopsOf(runs), callsOf(runs)]).toEqual([
        { traefik: "failed certificate-expired" },
        {},
      ]);
      expect(await host.docker.versions()).toEqual(before);
      expect(await pageOf(host, "web")).toBe(page);
      host.putCertificate(host.authority.pair());
      await host.settle();
      await expectAtRest(host);
      expect(await pageOf(host, "web")).toBe(page);
    });

    test("a service is removed and its image is not to be had: the others go on", async () => {
      const host = shared();
      await harm(
        host,
        `docker tag web:1.0.0 kept:1.0.0; docker service rm ${web.stack}_worker; docker rmi web:1.0.0`,
      );
      const before = await host.docker.versions();
      const runs = await runAsPlanned(host, ["image-not-reached"], "app-web");
      expect(stopsOf(runs)).toEqual({ "app-web": "pending image-not-reached" });
      expect(callsOf(runs)).toEqual({ "app-web": ["image pull web:1.0.0"] });
      expect(await host.docker.versions()).toEqual(before);
      expect(await pageOf(host, "web")).toBe(page);
      await harm(host, "docker tag kept:1.0.0 web:1.0.0; docker rmi kept:1.0.0");
      expect(stopsOf(await runAsPlanned(host, [], "app-web"))).toEqual({});
      await expectAtRest(host);
    });

    test("a secret is deleted and its file is gone: nothing is deployed without", async () => {
      const host = shared();
      await harm(
        host,
        `docker service rm ${web.stack}_app; rm /var/lib/ci-secrets/web-db
      docker secret rm $(docker secret ls --quiet --filter name=${web.stack})`,
      );
      const runs = await runAsPlanned(host, [], "app-web");
      expect([stopsOf(runs), callsOf(runs)]).toEqual([
        { "app-web": "failed host-file-missing" },
        {},
      ]);
      putPassword(host);
      await host.settle();
      await quiet(host);
      await runAsPlanned(host, [], "app-web");
      expect(await pageOf(host, "web")).toBe(page);
      await expectAtRest(host);
    });

    test("the network is another one and a secret is deleted: nothing is changed", async () => {
      const host = shared();
      await harm(
        host,
        `docker service rm ${web.stack}_app ${traefik.stack}_app
      ${removeProxyNetwork}
      docker secret rm $(docker secret ls --quiet --filter name=${traefik.stack}_ssl_key)
      docker network create --driver=bridge proxy`,
      );
      const before = await host.docker.versions();
      const runs = await runAsPlanned(host);
      expect(callsOf(runs)).toEqual({});
      expect(stopsOf(runs)).toMatchObject({
        ...{ "network-proxy": "refused network-differs", traefik: "blocked piece-blocked" },
      });
      expect(await host.docker.versions()).toEqual(before);
      await harm(host, "docker network rm proxy");
      expect(stopsOf(await runAsPlanned(host))).toEqual({});
      expect(await pageOf(host, "web")).toBe(page);
      await expectIdlePass(host);
    });
  });
}
