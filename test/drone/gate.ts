import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../forge/gitea.ts";

/** A way to a server that can be shut: who comes then finds that nobody listens. */
export class Gate {
  readonly port: number;
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** Whether who comes now is let in, and never answered. */
  isHanging = false;

  private constructor(port: number, to: number) {
    this.port = port;
    this.#to = to;
  }

  /** @param to the port on the loopback that it leads to */
  static async open(to: number): Promise<Gate> {
    const gate = new Gate(await freePort(), to);
    await gate.open();
    return gate;
  }

  async open(): Promise<void> {
    const server = createServer((inner) => {
      if (this.isHanging) {
        this.#sockets.add(inner);
        inner.on("close", () => this.#sockets.delete(inner));
        return;
      }
      const outer = connect(this.#to, "127.0.0.1");
      for (const [socket, other] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        this.#sockets.add(socket);
        socket.pipe(other);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve)));
  }
}
