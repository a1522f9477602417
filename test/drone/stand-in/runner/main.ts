// The stand-in for Drone's exec runner, see ../../contract.ts. It clones with git, and starts what the
// pipeline says with /bin/sh, as the runner does.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { trustAsGoDoes } from "../authorities.ts";
import { environmentWith } from "../environment.ts";
import { log } from "../log.ts";
import { Client } from "./client.ts";
import { type Settings, settingsIn } from "./settings.ts";
import { runStage } from "./stage.ts";

async function main([command, file = ""]: readonly string[]): Promise<void> {
  if (command !== "daemon") throw new Error(`expected command but got ${JSON.stringify(command)}`);
  const environment = environmentWith(file, process.env);
  trustAsGoDoes(environment);
  const settings = settingsIn(environment);
  const client = new Client(settings);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      console.error("received signal, terminating process");
      stop.abort();
    });
  }
  serve(settings);
  while (!(await isReached(client))) {
    await sleep(1000);
    if (stop.signal.aborted) return process.exit(0);
  }
  const { capacity, server: endpoint } = settings;
  log("info", "polling the remote server", { capacity, endpoint, kind: "pipeline", type: "exec" });
  const slots = Array.from({ length: capacity }, () => poll(settings, client, stop.signal));
  await Promise.all(slots);
  log("error", "shutting down the server", { error: "http: Server closed" });
  process.exit(1);
}

function serve({ listen }: Settings): void {
  const server = createServer((request, response) => {
    const isHealth = request.url === "/healthz";
    response.writeHead(isHealth ? 200 : 404).end(isHealth ? "" : "404 page not found\n");
  });
  log("info", "starting the server", { addr: `${listen.address ?? ""}:${listen.port}` });
  // That nobody can ask is no reason to end.
  server.on("error", () => {});
  server.listen(listen.port, listen.address);
}

async function isReached(client: Client): Promise<boolean> {
  try {
    await client.ping();
    log("info", "successfully pinged the remote server");
    return true;
  } catch (error) {
    log("error", "cannot ping the remote server", { error: String(error) });
    return false;
  }
}

/** One slot: a stage after the other, until no more are wanted. What runs then, it ends first. */
async function poll(settings: Settings, client: Client, stop: AbortSignal): Promise<void> {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const filter = { kind: "pipeline", type: "exec", os: "linux", arch, labels: settings.labels };
  while (!stop.aborted) {
    try {
      const stage = await client.take(filter, stop);
      await runStage(settings, client, stage);
    } catch (error) {
      // At once again, whatever it was.
      if (!stop.aborted) log("error", "cannot request stage", { error: String(error) });
    }
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`drone-runner-exec: error: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
});
