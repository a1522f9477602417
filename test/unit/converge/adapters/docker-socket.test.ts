import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Docker } from "../../../../services/converge/adapters/docker.ts";
import {
  askOn,
  DockerRefusal,
  DockerSilence,
} from "../../../../services/converge/adapters/docker-socket.ts";

let folder: string;
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-ci-socket-"));
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

/** A daemon on a socket of its own. */
async function daemon(answer: RequestListener): Promise<string> {
  const socket = join(folder, "docker.sock");
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(socket, resolve));
  return socket;
}

const get = { method: "GET", path: "/info" } as const;

describe("a question to the daemon's socket", () => {
  test("names the version of the API, and gives the body of the answer", async () => {
    const socket = await daemon((asked, answer) => answer.end(`${asked.method} ${asked.url}`));
    const query = { filters: "{}" };
    expect(await askOn(socket)({ ...get, query })).toBe("GET /v1.44/info?filters=%7B%7D");
  });

  test("that is refused has the daemon's own words", async () => {
    const socket = await daemon((_, answer) => {
      answer.writeHead(409).end('{"message":"network is in use"}');
    });
    const refused = askOn(socket)(get).catch((error: unknown) => error);
    expect(await refused).toMatchObject({ status: 409, message: "network is in use" });
    expect(await refused).toBeInstanceOf(DockerRefusal);
  });

  test.each<[string, RequestListener, object, RegExp]>([
    ["never answers", () => undefined, { silenceSeconds: 0.1 }, /^no answer for 0\.1 s$/],
    [
      "stops in the middle",
      (_, answer) => void answer.write("{"),
      { silenceSeconds: 0.1 },
      /^(?:no answer for 0\.1 s|aborted)$/,
    ],
    [
      "goes on for longer than it may",
      (_, answer) => {
        const talk = setInterval(() => answer.write(" "), 10);
        answer.on("close", () => clearInterval(talk));
      },
      { seconds: 0.2 },
      /^no answer within 0\.2 s$/,
    ],
    ["hangs up", (asked) => asked.socket.destroy(), {}, /socket hang up/],
  ])("ends with silence when the daemon %s", async (_, listener, limits, words) => {
    const socket = await daemon(listener);
    const silence = await askOn(socket)({ ...get, ...limits }).catch((error: unknown) => error);
    expect(silence).toBeInstanceOf(DockerSilence);
    expect((silence as Error).message).toMatch(words);
  });

  test.each(["", '{"Swarm":{'])("ends with silence when the answer is %j", async (body) => {
    const socket = await daemon((_, answer) => answer.end(body));
    await expect(new Docker(askOn(socket)).info()).rejects.toThrow(DockerSilence);
  });

  test("ends with silence when there is no daemon", async () => {
    const asked = askOn(join(folder, "none.sock"))(get);
    await expect(asked).rejects.toThrow(DockerSilence);
  });
});
