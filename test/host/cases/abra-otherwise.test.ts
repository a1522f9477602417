import { describe, expect, test } from "vitest";
import { answerOtherwise } from "../abra/install.ts";
import { otherwise } from "../abra/otherwise.ts";
import type { Settings } from "../abra/settings.ts";
import type { Host } from "../host.ts";
import { runAll, runAsPlanned } from "../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, harm, quiet, stopsOf } from "../library/at-rest.ts";
import { movedTo } from "../library/moved-to.ts";
import { pageOf, placesOf, putPassword, withEverything, withWebs } from "../library/web-app.ts";
import { witnessedHost } from "../library/witnessed-host.ts";
import type { Configuration } from "../system/system.ts";

const [web, traefik, front] = [placesOf("web"), placesOf("traefik"), placesOf("front")];
const [first, second] = ["0.1.0+1.0.0", "0.2.0+1.1.0"];
const upstream = "/srv/recipes/web.git";
const hello = "Hello from web.ci.example.org";

function webAt(release: string, traefikKeys?: string): Configuration {
  return withWebs({ web: { release, keys: withEverything } }, "", traefikKeys);
}

/** Names of what Docker has of the app's stack, or that is named as if it were of it. */
async function leftOf(host: Host): Promise<readonly string[]> {
  const kinds = ["service", "network", "config", "secret"];
  const script = kinds.map((kind) => `docker ${kind} ls --format '{{.Name}}'`).join("; ");
  const { stdout } = await host.exec(["sh", "-ec", script]);
  return stdout.split("\n").filter((name) => name.startsWith(web.stack));
}

// The probe shows that the stand-in can answer otherwise; here the units are shown not to mind.
describe.each<readonly [string, Partial<Settings>]>(Object.entries(otherwise))(
  "beside an abra that %s, a host",
  { timeout: 900_000 },
  (_, answers) => {
    const rewritesType = answers.rewritesType !== "never";
    const shared = witnessedHost({
      configuration: webAt("0.1.0"),
      prepare: (root, host) => {
        putPassword(host);
        answerOtherwise(root, answers);
      },
    });

    test("converges on its first boot", async () => {
      const host = shared();
      expect(await pageOf(host, "web")).toBe(hello);
      await expectAtRest(host);
      // What is shown here is worth nothing unless abra has done it.
      const keepsComments = answers.keepsOtherLines !== false;
      expect(/^#/m.test(host.read(web.env))).toBe(keepsComments);
      const worker = await host.exec(["docker", "service", "inspect", `${web.stack}_worker`]);
      expect(worker.stdout).toContain("GREETING=Hello");
      expect(worker.stdout).toContain(`coop-cloud.${web.stack}.recipe`);
      expect(worker.stdout).not.toContain("PAGE_VERSION");
    });

    test("takes back another version that was deployed by hand", async () => {
      const host = shared();
      const deploy = `app deploy ${web.domain} ${second} -n -o -D -c -f`;
      await harm(host, `converge abra ${web.domain} ${deploy}`);
      expect(host.read(web.env)).toContain(`TYPE=web:${rewritesType ? second : first}\n`);
      const runs = await runAsPlanned(host, [], "app-web");
      const calls = [
        `checkout reset ${web.checkout}`,
        ...(rewritesType ? [`env write ${web.env}`] : []),
        `app deploy ${web.domain}`,
        ...["app", "worker"].map((service) => `service seal ${web.stack}_${service}`),
      ];
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, { "app-web": calls }]);
      expect(await pageOf(host, "web")).toBe(hello);
    });

    test("goes to another release, one that lint would not let pass", async () => {
      const host = shared();
      // A tag without an annotation.
      await host.exec(["git", "-C", upstream, "tag", "0.10.0+1.1.0", `${second}^{commit}`]);
      const runs = await movedTo(host, webAt("0.10.0"), [], "app-web");
      expect(stopsOf(runs)).toEqual({});
      expect(await pageOf(host, "web")).toBe("Hello again from web.ci.example.org");
    });

    test("deploys again what was undeployed by hand, its removal over or not", async () => {
      const host = shared();
      // Without a clone only this abra undeploys.
      if (answers.undeployNeedsRecipe === false) await harm(host, `rm -r ${web.checkout}`);
      const undeploy = `converge abra ${web.domain} app undeploy ${web.domain} -n`;
      await host.exec(["sh", "-ec", undeploy], { timeoutSeconds: 120 });
      // Docker refuses while it still removes: that ends a run in one line, and the next one deploys.
      const refused = { "app-web": "failed abra-failed" };
      const possible = answers.waitsForRemoval === false ? [{}, refused] : [{}];
      expect(possible).toContainEqual(stopsOf(await runAll(host, "app-web")));
      await quiet(host);
      expect(stopsOf(await runAsPlanned(host, [], "app-web"))).toEqual({});
      expect(await pageOf(host, "web")).toBe("Hello again from web.ci.example.org");
      await expectAtRest(host);
    });

    test("undeploys an app that left the configuration", async () => {
      const host = shared();
      // Without a clone no unit asks abra; and one that fetches goes on once it can.
      if (answers.undeployNeedsRecipe === false) await harm(host, `rm -r ${web.checkout}`);
      await host.exec(["systemctl", "stop", "test-git-server"]);
      const cutOff = await movedTo(host, withWebs({}), ["abra-failed"]);
      await host.exec(["systemctl", "start", "test-git-server"]);
      const failed = { retire: "failed abra-failed" };
      expect(stopsOf(cutOff)).toEqual(answers.undeployFetches ? failed : {});
      expect(stopsOf(await runAsPlanned(host))).toEqual({});
      expect(await leftOf(host)).toEqual([]);
      await expectAtRest(host);
    });

    // What follows is touched only by an `.env` that is spoiled and a removal that is not waited for.
    if (answers.waitsForRemoval !== false) return;

    test("deploys it when it comes back", async () => {
      const host = shared();
      expect(stopsOf(await movedTo(host, webAt("0.1.0"), [], "app-web"))).toEqual({});
      expect(await pageOf(host, "web")).toBe(hello);
    });

    test("gives its proxy another domain, and then has nothing to do", async () => {
      const host = shared();
      const runs = await movedTo(host, webAt("0.1.0", `domain: ${front.domain}\nrelease: 5.1.1`));
      expect(stopsOf(runs)).toEqual({});
      const calls = runs.traefik?.calls ?? [];
      const [away, there] = [`app undeploy ${traefik.stack}`, `app deploy ${front.domain}`];
      expect(calls.filter((call) => call.startsWith("app "))).toEqual([away, there]);
      expect(await pageOf(host, "web")).toBe(hello);
      await expectIdlePass(host);
    });

    test("repairs an .env that was edited", async () => {
      const host = shared();
      await harm(host, `sed -i s/^GREETING=.*/GREETING=Bye/ ${web.env}`);
      const runs = await runAsPlanned(host, [], "app-web");
      expect([stopsOf(runs), callsOf(runs)]).toEqual([{}, { "app-web": [`env write ${web.env}`] }]);
      await expectAtRest(host);
    });
  },
);
