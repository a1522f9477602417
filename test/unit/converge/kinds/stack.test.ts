import { describe, expect, test } from "vitest";
import { ComposeFailure } from "../../../../services/converge/adapters/compose.ts";
import {
  DockerRefusal,
  DockerSilence,
} from "../../../../services/converge/adapters/docker-socket.ts";
import type { StackModel } from "../../../../services/converge/adapters/stack-model.ts";
import { JudgedFiles } from "../../../../services/converge/engine/judged-files.ts";
import { model, modelService, serviceOf, stack, taskOf } from "./stack-parts.ts";

import {
  converge,
  deployed,
  domain,
  envPath,
  lineOf,
  perform,
  Scene,
  shown,
} from "./stack-scene.ts";

describe("a stack", () => {
  test("is deployed, seen to work and sealed, and then there is nothing to do", async () => {
    const scene = new Scene();
    const foreseen = ["config create web_example_org_cc-ci", `app deploy ${domain}`];
    expect(await shown(scene.steps())).toEqual([
      ...foreseen,
      `service seal ${stack}_app`,
      `config mark ${stack}_cc-ci`,
    ]);
    await converge(scene.steps());
    expect(scene.deploys).toEqual([{ domain, release: "1.0.0+2.0.0", directory: "/abra" }]);
    expect(await shown(scene.steps())).toEqual([]);
    await scene.steps().verify?.();
  });

  test("at a commit is deployed as its files lie there", async () => {
    const scene = new Scene();
    await converge(scene.steps({}, { chaos: true }));
    expect(scene.deploys).toEqual([{ domain, release: undefined, directory: "/abra" }]);
  });

  test("has abra's line put right before a deploy, when the rest of the .env is right", async () => {
    const scene = new Scene();
    scene.env = deployed.replace("1.0.0+2.0.0", "0123abcd+U");
    expect(await shown(scene.steps(), "apply")).toContain(`env write ${envPath}`);
    await converge(scene.steps());
    expect(scene.env).toBe(deployed);
    scene.env = deployed.replace("1.0.0", "0.9.0").replace("TOKEN=1", "TOKEN=2");
    scene.services = [];
    expect(await shown(scene.steps(), "apply")).not.toContain(`env write ${envPath}`);
  });

  test("of which the recipe is not here yet is foreseen with open targets", async () => {
    const scene = new Scene();
    scene.isCloned = false;
    expect(await shown(scene.steps({ mayWait: false }))).toEqual([
      "image pull *",
      `config create ${stack}_cc-ci`,
      `app deploy ${domain}`,
      "service seal *",
      "config mark *",
    ]);
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id: "stack-recipe-gone" });
  });

  test("of which a secret's version is not known is not touched without it", async () => {
    const scene = new Scene();
    scene.slots.clear("token-version");
    expect(await shown(scene.steps(), "prepare")).toEqual(["image pull *"]);
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id: "slot-unfilled" });
    expect(scene.deploys).toEqual([]);
  });

  test("is pulled with the credentials that were judged, whatever their file is by now", async () => {
    // given: a file that was good, and is no JSON now
    const scene = new Scene();
    const judged = new JudgedFiles();
    const path = "/registry.json";
    const auth = Buffer.from("me:secret").toString("base64");
    judged.note(path, Buffer.from(JSON.stringify({ auths: { "docker.io": { auth } } })));
    scene.images.clear();
    const given: unknown[] = [];
    scene.pull = ({ headers }) => {
      const sent = Buffer.from(headers?.["X-Registry-Auth"] ?? "", "base64url").toString();
      given.push(JSON.parse(sent || "null"));
      return "";
    };
    // when
    await perform(scene.steps({ judged }, { registryCredentials: path }), "prepare");
    // then
    expect(given).toEqual([{ username: "me", password: "secret", serveraddress: "docker.io" }]);
  });

  test("loses what the recipe does not name, once the rest was seen to work", async () => {
    const scene = new Scene();
    scene.ownership = { "cc-ci.managed": "cc-ci" };
    scene.services = [serviceOf({ ID: "id-old", spec: { Name: `${stack}_old` } })];
    scene.deploy = () => scene.services.push(serviceOf()) && scene.tasks.push(taskOf());
    await converge(scene.steps());
    expect(scene.services.map(({ Spec }) => Spec.Name)).toEqual([`${stack}_app`]);
  });
});

describe("nothing is deployed, and all stays as it is,", () => {
  test.for<[string, (scene: Scene) => void, string, string]>([
    [
      "a secret is missing",
      (scene) => {
        scene.model = needing({ secrets: ["x_y_1"] });
      },
      "failed",
      "stack-needs",
    ],
    [
      "a network is missing",
      (scene) => {
        scene.networks = [];
      },
      "failed",
      "stack-needs",
    ],
    [
      "the recipe makes no stack",
      (scene) => {
        scene.model = () => {
          throw new ComposeFailure("a\nservices.app.image must be a string");
        };
      },
      "failed",
      "stack-unreadable",
    ],
    [
      "Traefik is too old for this Docker",
      (scene) => {
        scene.floor = "1.44";
        scene.model = { ...model, services: [{ ...modelService, image: "traefik:v3.5.0" }] };
      },
      "refused",
      "traefik-too-old",
    ],
    [
      "somebody else deployed it",
      (scene) => scene.services.push(serviceOf()),
      "refused",
      "stack-foreign",
    ],
    [
      "an image is not given out",
      (scene) => notPulled(scene, new DockerRefusal(404, "manifest unknown")),
      "failed",
      "image-not-given",
    ],
    [
      "a registry cannot be asked",
      (scene) => notPulled(scene, new DockerRefusal(500, "dial tcp: lookup a.b: no such host")),
      "pending",
      "image-not-reached",
    ],
    [
      "a pull takes too long",
      (scene) => notPulled(scene, new DockerSilence("no answer within 900 s")),
      "pending",
      "image-not-reached",
    ],
    [
      "the disk is full",
      (scene) => notPulled(scene, new DockerRefusal(500, "write /x: no space left on device")),
      "failed",
      "disk-full",
    ],
  ])("when %s", async ([, spoil, as, id]) => {
    const scene = new Scene();
    spoil(scene);
    expect(await lineOf(converge(scene.steps()))).toMatchObject({ id, as });
    expect([scene.deploys, scene.ownership]).toEqual([[], undefined]);
  });

  test("but in a plan, where an earlier piece would make the network", async () => {
    const scene = new Scene();
    scene.networks = [];
    const foreseen = new Set(["network create proxy"]);
    expect(await shown(scene.steps({ foreseen }), "apply")).toContain(`app deploy ${domain}`);
  });

  function needing(external: { readonly secrets: readonly string[] }): StackModel {
    return { ...model, external: { ...model.external, ...external } };
  }

  function notPulled(scene: Scene, error: Error): void {
    scene.images.clear();
    scene.pull = () => {
      throw error;
    };
  }
});
