import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { cachedFolder } from "../../setup/cache.ts";
import type { CachedTool } from "../../setup/cached-tools.ts";
import { images } from "../images/index.ts";
import { Machine } from "./machine.ts";
import { hostRoot } from "./root.ts";

/** The Docker of a host that has every image and nothing else: no swarm, no container. */
export const hostImages: CachedTool = {
  name: "host-images",
  why: "is a Docker that has the images of the tests, for no registry is asked",
  duration: "about 30 s",
  needs: [],
  path: "docker",
  madeOf: () => [
    readFileSync(import.meta.filename),
    ...hostRoot.madeOf(),
    ...images.flatMap(({ reference, changes = [], madeOf }) => [
      reference,
      JSON.stringify(changes),
      ...madeOf(),
    ]),
  ],
  build: async (folder) => {
    await using machine = await Machine.make({
      root: join(cachedFolder(hostRoot), hostRoot.path),
      purpose: "setup",
    });
    await machine.boot();
    await machine.exec(["systemctl", "start", "docker.service"]);
    for (const { reference, changes = [], build } of images) {
      const root = join(folder, "image");
      mkdirSync(root);
      await build(root);
      const file = join(machine.root, "image.tar");
      await execa("tar", ["--create", `--directory=${root}`, "--file", file, "."]);
      await machine.exec(
        [
          "docker",
          "import",
          ...changes.flatMap((each) => ["--change", each]),
          "/image.tar",
          reference,
        ],
        { timeoutSeconds: 300 },
      );
      rmSync(root, { recursive: true });
      rmSync(file);
    }
    await machine.stop();
    // Each Docker names itself.
    rmSync(join(machine.docker, "engine-id"), { force: true });
    await execa("cp", ["--archive", machine.docker, join(folder, "docker")]);
  },
};
