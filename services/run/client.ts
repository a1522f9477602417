import { Socket } from "node:net";
import { defineLines } from "../lib/line.ts";
import { type RunRequest, runRequestSchema } from "../lib/run.ts";
import { type Frame, frameLine, framesOf } from "./frames.ts";

export const clientLines = defineLines({
  "request-late": {
    as: "refused",
    says: "no request came within {seconds} s",
  },
  "request-wrong": {
    as: "refused",
    says: "this is no request for a run: {problem}",
  },
  "request-missing": {
    as: "refused",
    says: "the connection ended before there was a request",
  },
});

/** How long a client may take to say what it wants, in seconds: it says it at once. */
const requestSeconds = 10;

/** The longest request, in bytes; one of ours has some 300. */
const requestLimit = 4096;

/** What a client may leave unread, in bytes; then output is left out. The run waits for nobody. */
const unreadLimit = 1024 * 1024;

/** What a client gets of a run's output, in bytes: 4 MiB, as much as Drone keeps of a step. */
const outputLimit = 4 * 1024 * 1024;

/** How long the last words may take to be read, in seconds. */
const farewellSeconds = 10;

/** Who asked for a run, on the socket that systemd handed over as standard input. */
export class Client {
  /** Aborted once it has gone away: then what it asked for is called off. */
  readonly gone: AbortSignal;
  readonly #socket: Socket;
  #sent = 0;
  #leftOut = 0;
  /** Whatever came in, until it is a request. */
  #heard = Buffer.alloc(0);
  #listen: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const gone = new AbortController();
    this.gone = gone.signal;
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        gone.abort();
        this.#listen?.();
      });
    }
    socket.on("data", (bytes: Buffer) => {
      // What follows the request says nothing to anybody.
      if (this.#listen === undefined) return;
      this.#heard = Buffer.concat([this.#heard, bytes]);
      this.#listen();
    });
  }

  /** The one that systemd connected this process with. */
  static ofThisProcess(): Client {
    // Neither process.stdin nor process.stdout: writing to the latter waits for who does not read.
    return new Client(new Socket({ fd: 0, readable: true, writable: true, allowHalfOpen: true }));
  }

  /** @throws {Stop} when there is no request in the first line, or none in time */
  async request(): Promise<RunRequest> {
    let isLate = false;
    const line = await new Promise<Buffer | undefined>((resolve) => {
      const timer = setTimeout(() => {
        isLate = true;
        resolve(undefined);
      }, requestSeconds * 1000);
      this.#listen = () => {
        const end = this.#heard.indexOf("\n");
        const isOver = end >= 0 || this.#heard.length > requestLimit || this.gone.aborted;
        if (!isOver) return;
        clearTimeout(timer);
        resolve(end >= 0 || !this.gone.aborted ? this.#heard : undefined);
      };
      this.#listen();
    });
    this.#listen = undefined;
    if (isLate) throw clientLines.stop("request-late", { seconds: requestSeconds });
    if (line === undefined) throw clientLines.stop("request-missing", {});
    return requestInLine(line);
  }

  /** Says it, unless the client has had enough or does not read. */
  say(text: string): void {
    for (const frame of framesOf(text)) {
      const line = frameLine(frame);
      const size = Buffer.byteLength(line);
      const fits = this.#sent + size <= outputLimit && this.#unread + size <= unreadLimit;
      if (fits && this.#leftOut === 0) {
        this.#sent += size;
        this.#send(line);
      } else this.#leftOut += size;
    }
  }

  /** Says that there was a place; the first thing that a client hears. */
  greet(): void {
    this.#send(frameLine({ kind: "taken" }));
  }

  /** Says what it came to, and ends the connection; who does not read it in time never will. */
  async dismiss(passed: boolean, text: string): Promise<void> {
    const more = this.#leftOut === 0 ? [] : [leftOut];
    await this.#end([...more, { kind: "end", passed, text }]);
  }

  /** Says that it has to ask again later, and ends the connection. */
  async putOff(text: string): Promise<void> {
    await this.#end([{ kind: "later", text }]);
  }

  async #end(last: readonly Frame[]): Promise<void> {
    const isRead = new Promise<void>((resolve) => {
      this.#socket.end(last.map(frameLine).join(""), resolve);
      this.#socket.on("close", () => resolve());
      setTimeout(resolve, farewellSeconds * 1000).unref();
    });
    if (!this.#socket.destroyed) await isRead;
    this.#socket.destroy();
  }

  get #unread(): number {
    return this.#socket.writableLength;
  }

  #send(line: string): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(line);
  }
}

const leftOut: Frame = {
  kind: "output",
  text: "\n… the rest of the output is in the run's log on the host alone: it is long, or was read too slowly\n",
};

/**
 * The request in what a client said.
 *
 * @throws {Stop} with what is wrong, and nothing of what was said
 */
export function requestInLine(bytes: Buffer): RunRequest {
  const wrong = (problem: string) => clientLines.stop("request-wrong", { problem });
  const end = bytes.indexOf("\n");
  if (end < 0 || end > requestLimit) throw wrong(`it is longer than ${requestLimit} bytes`);
  if (end < bytes.length - 1) throw wrong("it has more than one line");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end)));
  } catch {
    throw wrong("it is no JSON");
  }
  const { data, error } = runRequestSchema.safeParse(value);
  if (data !== undefined) return data;
  const problems = error.issues.map((issue) =>
    issue.code === "unrecognized_keys"
      ? "it has members that are none of a request"
      : `${issue.path.join(".") || "it"}: ${issue.message}`,
  );
  throw wrong(problems.join("; "));
}
