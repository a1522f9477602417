import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { DroneClient } from "../../../services/lib/drone/client.ts";
import { LoginRefusal, logIn } from "../../../services/lib/drone/login.ts";
import { ForgeClient } from "../../../services/lib/forge/client.ts";
import { ask, TooLong } from "../../../services/lib/http.ts";

const mostBytes = 16 * 1024 * 1024;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** The address of a server that answers so. */
async function serving(answer: (outgoing: ServerResponse) => void): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    answer(outgoing);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** Goes on for as long as anybody listens. */
function endless(outgoing: ServerResponse): void {
  const part = Buffer.alloc(64 * 1024, "x");
  const more = (): void => {
    while (!outgoing.destroyed && outgoing.write(part));
  };
  outgoing.on("drain", more);
  more();
}

const get = async (address: string) => await ask(new URL(address), { method: "GET", seconds: 20 });

describe("an answer", () => {
  test("is read as a whole up to its limit, in whatever parts it comes", async () => {
    const text = `${"ü".repeat(mostBytes / 2 - 1)}ab`;
    const address = await serving((outgoing) => void outgoing.end(text));
    expect((await get(address)).text === text).toBe(true);
  });

  test("that goes on and on is given up, and its connection with it", async () => {
    const closed = Promise.withResolvers<void>();
    const address = await serving((outgoing) => {
      outgoing.on("close", closed.resolve);
      endless(outgoing);
    });
    await expect(get(address)).rejects.toThrow(`an answer of more than ${mostBytes} bytes`);
    await closed.promise;
  });

  test("is as long as it is unpacked", async () => {
    const packed = gzipSync(Buffer.alloc(2 * mostBytes));
    expect(packed.length).toBeLessThan(mostBytes / 100);
    const address = await serving((outgoing) => {
      outgoing.writeHead(200, { "Content-Encoding": "gzip" }).end(packed);
    });
    await expect(get(address)).rejects.toThrow(TooLong);
  });

  test("that is too long is trouble of who gives it, to each who asks", async () => {
    const server = await serving(endless);
    const options = { server, token: "x" };
    const says = (trouble: string) => ({
      ...{ trouble, message: expect.stringContaining("of more than") },
    });
    await expect(new DroneClient(options).user()).rejects.toMatchObject(says("broken"));
    // Who asks the forge for a page may ask for a shorter one.
    const hooks = new ForgeClient(options).hooks("ci/cc-ci");
    await expect(hooks).rejects.toMatchObject(says("too-long"));
    const credentials = { server, forge: server, login: "ci-owner", password: "x" };
    await expect(logIn(credentials)).rejects.toThrow(LoginRefusal);
  });
});
