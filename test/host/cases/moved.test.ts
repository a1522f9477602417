import { describe, expect, test } from "vitest";
import { runAsPlanned, statusOf } from "../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, stopsOf } from "../library/at-rest.ts";
import { movedTo } from "../library/moved-to.ts";
import { tasksOf } from "../library/tasks.ts";
import { pageOf, placesOf, putPassword, withEverything, withWebs } from "../library/web-app.ts";
import { witnessedHost } from "../library/witnessed-host.ts";

const [web, traefik, front] = [placesOf("web"), placesOf("traefik"), placesOf("front")];
const otherNetwork = "swarm: { proxySubnet: 10.90.0.0/24 }\n";
const everything = { keys: withEverything };

describe("a stack whose domain changes", { timeout: 900_000 }, () => {
  const shared = witnessedHost({
    configuration: withWebs({ web: everything }),
    prepare: (_root, host) => putPassword(host),
  });

  test("takes its own place: the old one goes after the images are there, with its secrets", async () => {
    const host = shared();
    const page = placesOf("page", "web");
    const runs = await movedTo(host, withWebs({ web: { ...everything, domain: page.domain } }));
    expect(stopsOf(runs)).toEqual({});
    // The other pieces have nothing to do: what is replaced is the piece's own business.
    expect(Object.keys(callsOf(runs))).toEqual(["app-web"]);
    const calls = runs["app-web"]?.calls ?? [];
    const [away, there] = [`app undeploy ${web.stack}`, `app deploy ${page.domain}`];
    expect(calls.filter((call) => call.startsWith("app "))).toEqual([away, there]);
    expect(calls.slice(-2)).toEqual([
      expect.stringMatching(`^secret remove ${web.stack}_db_password_`),
      `config remove ${web.stack}_cc-ci`,
    ]);
    expect(await pageOf(host, "page")).toBe("Hello from page.ci.example.org");
    await expectAtRest(host);
  });

  test("goes on, the proxy too, as long as something refuses what would take its place", async () => {
    const host = shared();
    await movedTo(host, withWebs({ web: everything }));
    // given: Traefik moves, and so does the network that it needs, which is a person's to move
    const before = [await host.docker.versions(), await tasksOf(host)];
    const domain = `domain: ${front.domain}\nrelease: 5.1.1`;
    const runs = await movedTo(host, withWebs({ web: everything }, otherNetwork, domain));
    // then
    expect(stopsOf(runs)).toMatchObject({
      "network-proxy": "refused network-differs",
      traefik: "blocked piece-blocked",
    });
    expect(callsOf(runs)).toEqual({});
    expect([await host.docker.versions(), await tasksOf(host)]).toEqual(before);
    expect(await pageOf(host, "web")).toBe("Hello from web.ci.example.org");

    // when: a person follows the line, which names what is there and not what shall be
    const text = (await statusOf(host))["network-proxy"]?.line?.text ?? "";
    expect(text).toContain(`the stack ${traefik.stack}`);
    const remove = /'(docker network rm \w+)'/.exec(text)?.[1] ?? "";
    for (const each of [web, traefik]) {
      const undeploy = `converge abra ${each.domain} app undeploy ${each.domain} -n`;
      await host.exec(["sh", "-ec", undeploy], { timeoutSeconds: 300 });
    }
    await host.exec(["sh", "-ec", remove], { timeoutSeconds: 60 });
    // then
    expect(stopsOf(await runAsPlanned(host))).toEqual({});
    expect(await pageOf(host, "web")).toBe("Hello from web.ci.example.org");
    await expectAtRest(host);
  });

  test("is the proxy's own too: one piece undeploys and deploys", async () => {
    const host = shared();
    const runs = await movedTo(host, withWebs({ web: everything }, otherNetwork));
    expect(stopsOf(runs)).toEqual({});
    const calls = runs.traefik?.calls ?? [];
    const [away, there] = [`app undeploy ${front.stack}`, `app deploy ${traefik.domain}`];
    expect(calls.filter((call) => call.startsWith("app "))).toEqual([away, there]);
    await expectIdlePass(host);
  });
});
