import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Records } from "../../../services/bridge/records/index.ts";
import { Metrics } from "../../../services/bridge/telemetry/metrics.ts";
import { bridgePlaces, bridgeSettingsSchema } from "../../../services/lib/bridge-settings.ts";
import { appOf, droneYaml, hostYaml, synthesized } from "../../synthesized.ts";

const root = join(import.meta.dirname, "../../..");
const runbook = readFileSync(join(root, "docs/runbook.md"), "utf8");

const records = new Records(":memory:");

afterAll(() => records.close());

function sectionOf(heading: string): string {
  return runbook.split(`### ${heading}\n`)[1]?.split(/^###? /m)[0] ?? "";
}

/** The rows of the table below a heading: what stands in the code of their first cells. */
function firstCells(heading: string): readonly string[] {
  const section = sectionOf(heading);
  const cells = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

/** The last words of each call that logs: what every line of its kind has as `msg`. */
function messages(): readonly string[] {
  const folder = join(root, "services/bridge");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .flatMap((text) =>
      text.split(/\blog\.(?:info|warn|error|fatal)\(|makeLog\(\)\.fatal\(/).slice(1),
    )
    .map(
      (call) => /^[^;]*?"([^"]+)",?\s*\);/.exec(call)?.[1] ?? `no message: ${call.slice(0, 60)}`,
    );
}

test("the runbook has every message that the bridge logs, and no other", () => {
  expect(firstCells("What it logs").slice(1).toSorted()).toEqual(
    [...new Set(messages())].toSorted(),
  );
});

test("the runbook has every number of the bridge's own, and no other", async () => {
  const { registry } = new Metrics(records, () => undefined);
  const own = registry.getMetricsAsArray().map(({ name }) => name);
  const named = own.filter((name) => name.startsWith("cc_ci_bridge_"));
  expect(firstCells("Its numbers").toSorted()).toEqual(named.toSorted());
});

test("the runbook has each way in which the bridge's account can be unfit, and the forge silent", () => {
  const section = sectionOf("When it is not well").replaceAll(/\s+/g, " ");
  const folder = join(root, "services/bridge");
  const code = ["pipeline/self.ts", "telemetry/health.ts"]
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");
  const problems = [
    ...["is no member of", "is not in team", "refuses the bridge's token"],
    ...["the forge has told nothing for", "the forge does not tell whose token it has"],
    ...["it has just begun", "repositories cannot be read"],
  ];
  for (const words of problems) {
    expect(code).toContain(words);
    expect(section).toMatch(new RegExp(`- \\*[^*]*${words}`));
  }
});

test("what it has one type names the ports, files and names that the bridge has", async () => {
  // given
  const bridge = [
    ...["bridge:", "  organisation: recipes", "  forgeToken: /var/lib/ci-secrets/bridge-token"],
    ...["  repositories: [wiki]", "  forks: refused", "  mode: webhook"],
  ].join("\n");
  const files = await synthesized(appOf(hostYaml(`${droneYaml}\n${bridge}`)));
  const [settings = "", compose = "", state = ""] = [
    ...["bridge.settings.json", "bridge.compose.yml", "bridge.json"],
  ].map((name) => files.get(`out/cc-ci/${name}`)?.content);
  const { listen } = bridgeSettingsSchema.parse(JSON.parse(settings));
  const commands = [...runbook.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = ""]) => text);
  const typed = commands.join("");
  // then
  expect(typed).toContain(` http://127.0.0.1:${listen.metricsPort}/metrics `);
  expect(typed).toContain("com.docker.swarm.service.name=cc-ci-bridge_app)");
  expect(state).toContain('"stack": "cc-ci-bridge"');
  expect(compose).toMatch(/^volumes:\n {2}data: /m);
  expect(typed).toContain("docker volume rm cc-ci-bridge_data ");
  expect(typed).toContain("rm /var/lib/cc-ci/secrets/bridge-webhook-key\nconverge run bridge\n");
  expect(state).toContain("/var/lib/cc-ci/secrets/bridge-webhook-key");
  const control = /source: "?(\S+?)"?\n\s*target: "?(\S+?)"?\n/g;
  const mounts = [...compose.matchAll(control)].map(([, from, to]) => [to, from] as const);
  expect(typed).toContain(` > ${new Map(mounts).get(bridgePlaces.control)}/stop\n`);
});

test("no drain is typed without the command that it is for", () => {
  const drains = [...runbook.matchAll(/^(?:sudo )?cc-ci-run drain(.*)$/gm)].map(([, rest]) => rest);
  expect(drains.length).toBeGreaterThan(1);
  for (const rest of drains) expect(rest).toMatch(/^(?: --end)? [a-z]/);
});
