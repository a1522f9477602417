// A person at a browser: logs an account of the forge in to Drone. What it needs is read as JSON.
import { text } from "node:stream/consumers";
import * as z from "zod";
import { logIn } from "../../../services/lib/drone/login.ts";

const credentialsSchema = z.object({
  server: z.string(),
  forge: z.string(),
  login: z.string(),
  password: z.string(),
});

async function main(): Promise<void> {
  await logIn(credentialsSchema.parse(JSON.parse(await text(process.stdin))));
}

void main();
