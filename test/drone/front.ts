import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { freePort } from "../forge/gitea.ts";

export interface Question {
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

/** What becomes of a question that is not just handed on. */
export type Fate =
  | {
      readonly as: "answered";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** @default what a proxy may say */
      readonly body?: string;
    }
  /** It is handed on, and who asked never hears of what came of it. */
  | { readonly as: "lost" };

/** What stands before a server, as a proxy does: it hands everything on, or answers by itself. */
export class Front {
  readonly url: string;
  /** The status that everybody gets who comes now; undefined hands them on. */
  answer: number | undefined;
  /** Decides about each question that comes; while it does, who asked waits. Undefined hands it on. */
  decide: ((question: Question) => Fate | undefined | Promise<Fate | undefined>) | undefined;
  /** Those that have come so far. */
  readonly questions: Question[] = [];
  readonly #to: string;
  readonly #server: Server;

  private constructor(url: string, to: string) {
    this.url = url;
    this.#to = to;
    this.#server = createServer((incoming, outgoing) => {
      void this.#meet(incoming, outgoing);
    });
  }

  /** @param to the address of the server behind it */
  static async open(to: string): Promise<Front> {
    const port = await freePort();
    const front = new Front(`http://127.0.0.1:${port}`, to);
    await new Promise<void>((resolve) => front.#server.listen(port, "127.0.0.1", resolve));
    return front;
  }

  /** How many have come so far. */
  get asked(): number {
    return this.questions.length;
  }

  /** Ends every question that is open, as a proxy does whose server has gone. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #meet(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { headers, method = "GET", url = "/" } = incoming;
    const question = { method, path: url };
    this.questions.push(question);
    const fate: Fate | undefined =
      this.answer === undefined
        ? await this.decide?.(question)
        : { as: "answered", status: this.answer };
    if (fate?.as === "answered") {
      incoming.resume();
      outgoing.writeHead(fate.status, fate.headers).end(fate.body ?? "by the proxy\n");
      return;
    }
    const onward = request(new URL(url, this.#to), { method, headers }, (answer) => {
      if (fate?.as === "lost") {
        answer.resume().on("end", () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  }
}
