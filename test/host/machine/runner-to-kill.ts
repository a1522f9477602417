// Boots a machine with Docker, says which, and waits to be killed; for machine.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import { Machine } from "./machine.ts";

const [root = "", docker = ""] = process.argv.slice(2);
const machine = await Machine.make({ root, docker });
await machine.boot();
await machine.exec(["systemctl", "start", "docker.service"]);
console.log(JSON.stringify({ folder: machine.folder, leader: machine.leader }));
await sleep(600_000);
