import { createServer, request, type Server } from "node:http";
import { freePort } from "../forge/gitea.ts";

/** What stands before a server, as a proxy does: it hands everything on, or answers by itself. */
export class Front {
  readonly url: string;
  /** The status that everybody gets who comes now; undefined hands them on. */
  answer: number | undefined;
  /** How many have come so far. */
  asked = 0;
  readonly #server: Server;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  /** @param to the address of the server behind it */
  static async open(to: string): Promise<Front> {
    const port = await freePort();
    const server = createServer((incoming, outgoing) => {
      front.asked += 1;
      if (front.answer !== undefined) {
        incoming.resume();
        outgoing.writeHead(front.answer).end("by the proxy\n");
        return;
      }
      const { headers, method = "GET", url = "/" } = incoming;
      const onward = request(new URL(url, to), { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on("error", () => outgoing.destroy());
      outgoing.on("close", () => onward.destroy());
      incoming.pipe(onward);
    });
    const front = new Front(`http://127.0.0.1:${port}`, server);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return front;
  }

  /** Ends every question that is open, as a proxy does whose server has gone. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
