import { describe, expect, test } from "vitest";
import type { Host } from "../host.ts";
import { runAsPlanned } from "../library/as-planned.ts";
import { callsOf, expectAtRest, expectIdlePass, harm, stopsOf } from "../library/at-rest.ts";
import { movedTo } from "../library/moved-to.ts";
import { pageOf, placesOf, withWebs } from "../library/web-app.ts";
import { witnessedHost } from "../library/witnessed-host.ts";

const web = placesOf("web");
const [first, again] = [
  "Hello from web.ci.example.org",
  "Hello again from web.ci.example.org",
] as const;

describe("an app at a commit of its recipe", { timeout: 600_000 }, () => {
  const shared = witnessedHost({ configuration: withWebs({ web: {} }) });
  const commitOf = (host: Host, tag: string): string => {
    const commit = host.repositories.web.commits[tag];
    if (commit === undefined) throw new Error(`no ${tag}`);
    return commit;
  };

  test("is deployed from a checkout of it, as it is", async () => {
    const host = shared();
    const commit = commitOf(host, "0.2.0+1.1.0");
    expect(stopsOf(await movedTo(host, withWebs({ web: { commit } }), [], "app-web"))).toEqual({});
    const head = await host.exec(["git", "-C", web.checkout, "rev-parse", "HEAD"]);
    expect(head.stdout.trim()).toBe(commit);
    expect(await pageOf(host, "web")).toBe(again);
  });

  test("is mended when it drifts", async () => {
    const host = shared();
    await harm(
      host,
      `echo >>${web.checkout}/compose.yml; docker service scale --detach ${web.stack}_app=0`,
    );
    const runs = await runAsPlanned(host, [], "app-web");
    expect(stopsOf(runs)).toEqual({});
    expect(callsOf(runs)["app-web"]?.[0]).toBe(`checkout reset ${web.checkout}`);
    expect(await pageOf(host, "web")).toBe(again);
    await expectAtRest(host);
  });

  test("may be a release too, which is held to it", async () => {
    const host = shared();
    const commit = commitOf(host, "0.1.0+1.0.0");
    const right = withWebs({ web: { release: "0.1.0", commit } });
    expect(stopsOf(await movedTo(host, right, [], "app-web"))).toEqual({});
    expect(await pageOf(host, "web")).toBe(first);
    const before = await host.docker.versions();
    // when: the tag leads elsewhere
    const wrong = withWebs({ web: { release: "0.2.0", commit } });
    expect(stopsOf(await movedTo(host, wrong, [], "app-web"))).toEqual({
      "app-web": "refused recipe-tag-moved",
    });
    // then
    expect(await host.docker.versions()).toEqual(before);
    expect(await pageOf(host, "web")).toBe(first);
    expect(stopsOf(await movedTo(host, right, [], "app-web"))).toEqual({});
    await expectIdlePass(host);
  });
});
