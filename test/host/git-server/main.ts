// The upstream of every recipe on a test host: git over https, as a forge offers it, for whoever may
// read. Runs inside of the host; git itself speaks the protocol, as a CGI program.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";

const [folder = "", certificateFile = "", keyFile = "", port = ""] = process.argv.slice(2);

/** In bytes; what git writes before the blank line is a tenth of it. */
const longestHead = 16_384;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "https://localhost");
  const backend = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      // The repositories may belong to someone else than this program's user.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REMOTE_ADDR: request.socket.remoteAddress,
      CONTENT_TYPE: request.headers["content-type"],
      CONTENT_LENGTH: request.headers["content-length"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
      GIT_PROTOCOL: header(request, "git-protocol"),
    },
  });
  let head = Buffer.alloc(0);
  const readHead = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1 && head.length < longestHead) return;
    backend.stdout.off("data", readHead);
    const lines = head.subarray(0, end).toString().split("\r\n");
    for (const line of lines) {
      const [name = "", ...value] = line.split(": ");
      if (name === "Status") response.statusCode = Number.parseInt(value.join(": "), 10);
      else response.setHeader(name, value.join(": "));
    }
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  };
  backend.stdout.on("data", readHead);
  backend.on("error", () => response.destroy());
  response.on("close", () => backend.kill());
  // Whoever ends early closes the pipe: no news.
  backend.stdin.on("error", () => {});
  request.pipe(backend.stdin);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(":") : value;
}

const pair = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
createServer(pair, answer).listen(Number(port), "127.0.0.1", () => {
  // What is ordered after this unit can clone.
  spawn("systemd-notify", ["--ready"], { stdio: "inherit" }).on("error", () => {});
});
