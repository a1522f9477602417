import { describe, expect, test } from "vitest";
import { ComposeFailure } from "../../../../services/converge/adapters/compose.ts";
import type { Command, Ending } from "../../../../services/converge/adapters/program.ts";
import type { ResourceOf } from "../../../../services/converge/desired-state.ts";
import { dockerStackSteps } from "../../../../services/converge/kinds/docker-stack.ts";
import { model, modelService, serviceOf, stack, taskOf } from "./stack-parts.ts";
import { converge, lineOf, Scene, shown } from "./stack-scene.ts";

const image = "cc-ci.invalid/web:new";

const resource: ResourceOf<"docker-stack"> = {
  ...{ kind: "docker-stack", stack, composeFile: "/store/compose.yml" },
  image: { reference: { slot: "image" }, loader: { slot: "loader" } },
  ...{ folders: ["/var/lib/cc-ci/runs"], files: ["/etc/ssl/certs/ca-certificates.crt"] },
  ...{ loadSeconds: 300, deploySeconds: 120, stableSeconds: 5 },
};

/** The same Docker, with a compose file of ours. */
class OwnScene extends Scene {
  file: string | undefined = "# A word.\nimage: @slot:image@\ntoken: @slot:token-version@\n";
  hasFiles = true;
  /** What the loader prints when it fails; undefined when it does not. */
  loadTrouble: string | undefined;
  deployTrouble: string | undefined;
  readonly texts: string[] = [];
  readonly loaded: Command[] = [];

  constructor() {
    super();
    this.images = new Set();
    this.slots.fill("image", image);
    this.slots.fill("loader", "/store/bin/load-image");
  }

  override deploy(): void {
    const container = { Image: image };
    this.services = [serviceOf({ container })];
    this.tasks = [taskOf({ container })];
  }

  lose(what: "file" | "shown"): void {
    if (what === "file") this.file = undefined;
    else this.hasFiles = false;
  }

  fail(what: "load" | "deploy", words: string): void {
    if (what === "load") this.loadTrouble = words;
    else this.deployTrouble = words;
  }

  own(changed: Partial<typeof resource> = {}) {
    const context = this.context();
    const { files } = context.world;
    files.read = async (path) => {
      const text = path === "/store/compose.yml" ? this.file : undefined;
      return text === undefined ? undefined : Buffer.from(text);
    };
    files.exists = async () => this.hasFiles;
    const service = { ...modelService, image: this.slots.find({ slot: "image" }) ?? "" };
    const compose = {
      renderText: async () =>
        typeof this.model === "function" ? this.model() : { ...model, services: [service] },
      deployText: async (_: string, text: string) => {
        if (this.deployTrouble !== undefined) throw new ComposeFailure(this.deployTrouble);
        this.texts.push(text);
        this.deploy();
      },
    };
    const run = async (command: Command): Promise<Ending> => {
      this.loaded.push(command);
      const { loadTrouble } = this;
      if (loadTrouble === undefined) this.images.add(image);
      const stderr = loadTrouble ?? "";
      const status = stderr === "" ? 0 : 1;
      return { status, signal: null, stdout: "", stderr, timedOut: false };
    };
    const world = { ...context.world, compose, run };
    return dockerStackSteps(
      { ...resource, ...changed },
      { ...context, world: world as unknown as typeof context.world },
    );
  }
}

describe("a stack of our own", () => {
  test("gets its image from the host, is deployed from its file and sealed, and is left alone then", async () => {
    const scene = new OwnScene();
    // when
    const first = await shown(scene.own());
    await converge(scene.own());
    // then
    expect(first).toEqual([
      `image load ${image}`,
      `config create ${stack}_cc-ci`,
      `stack deploy ${stack}`,
      `service seal ${stack}_app`,
      `config mark ${stack}_cc-ci`,
    ]);
    expect(scene.texts).toEqual([`# A word.\nimage: ${image}\ntoken: 1\n`]);
    expect(scene.loaded.map(({ program, args }) => [program, args])).toEqual([
      ["/store/bin/load-image", []],
    ]);
    expect(await shown(scene.own())).toEqual([]);
  });

  test("is deployed anew for another text, and not for another comment", async () => {
    const scene = new OwnScene();
    await converge(scene.own());
    scene.file = scene.file?.replace("A word", "Another");
    expect(await shown(scene.own())).toEqual([]);
    scene.file += "more: true\n";
    expect(await shown(scene.own(), "apply")).toContain(`stack deploy ${stack}`);
  });

  test("loses what it read and ran before, once the new works, and never sooner", async () => {
    const scene = new OwnScene();
    scene.configs = [`${stack}_page_v1`, `${stack}_settings_old`];
    scene.images = new Set(["cc-ci.invalid/web:old"]);
    // when
    const apply = await shown(scene.own(), "apply");
    const seal = await shown(scene.own(), "seal");
    await converge(scene.own());
    // then
    const removed = [`config remove ${stack}_settings_old`, "image remove cc-ci.invalid/web:old"];
    expect(apply.filter((call) => removed.includes(call))).toEqual([]);
    expect(seal).toEqual(expect.arrayContaining(removed));
    expect(scene.configs).toEqual([`${stack}_page_v1`]);
    expect([...scene.images]).toEqual([image]);
  });

  test.for<[string, (scene: OwnScene) => void, string]>([
    ["its file is gone", (scene) => scene.lose("file"), "stack-file-missing"],
    [
      "its file makes no stack",
      (scene) => {
        scene.model = () => {
          throw new ComposeFailure("a\nservices.app.image must be a string");
        };
      },
      "stack-file-wrong",
    ],
    ["it is to be shown what is not there", (scene) => scene.lose("shown"), "stack-shown-missing"],
    ["nothing fills a slot of it", (s) => s.slots.clear("token-version"), "slot-unfilled"],
    ["its image cannot be loaded", (scene) => scene.fail("load", "no space"), "image-not-loaded"],
    ["its loader loads another image", (s) => s.slots.fill("image", "x:1"), "image-not-loaded"],
    ["Docker does not take it", (scene) => scene.fail("deploy", "a\nno"), "stack-not-deployed"],
  ])("says in one line that %s", async ([, change, id]) => {
    const scene = new OwnScene();
    change(scene);
    expect(await lineOf(converge(scene.own()))).toMatchObject({ id, as: "failed" });
    expect(scene.services).toEqual([]);
  });
});
