import * as z from "zod";
import type { Host } from "../host.ts";

/**
 * Clients on the host that each begin to deliver to `/hook` and send a byte of it in a while, without any key. Once
 * they have all begun, somebody asks whether the bridge is well, and the forge delivers.
 */
const program = `
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
const [host, count, keyFile] = process.argv.slice(1);
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const senders = await Promise.all(Array.from({ length: Number(count) }, () => new Promise((resolve, reject) => {
  const socket = connect({ host, port: 443, servername: host }, () => {
    socket.write("POST /hook HTTP/1.1\\r\\nHost: " + host + "\\r\\nContent-Type: application/json\\r\\nContent-Length: 5000\\r\\n\\r\\n{");
    resolve(socket);
  });
  socket.on("error", reject).resume();
})));
const going = setInterval(() => {
  for (const socket of senders) if (!socket.destroyed && socket.writable) socket.write(" ");
}, 500);
await wait(3000);
const statusOf = async (path, options) => {
  const answer = await fetch("https://" + host + path, { signal: AbortSignal.timeout(5000), ...options }).catch(() => undefined);
  return answer?.status ?? 0;
};
const body = JSON.stringify({ action: "created", is_pull: true, comment: { id: 1 }, repository: { full_name: "nobody/nothing" } });
const signature = createHmac("sha256", readFileSync(keyFile, "utf8").trim()).update(body).digest("hex");
const headers = { "Content-Type": "application/json", "X-Gitea-Event": "issue_comment", "X-Gitea-Signature": signature };
const healthz = await statusOf("/healthz");
const delivery = await statusOf("/hook", { method: "POST", headers, body });
const held = senders.filter((socket) => !socket.destroyed && socket.readable).length;
clearInterval(going);
for (const socket of senders) socket.destroy();
console.log(JSON.stringify({ held, healthz, delivery }));
`;

const findingSchema = z.strictObject({
  /** How many of the senders were still being listened to in the end. */
  held: z.int(),
  /** The statuses of both answers; 0 where there was none within five seconds. */
  healthz: z.int(),
  delivery: z.int(),
});

/** What others get at a bridge while so many send slowly. @param keyFile of the hook, on the host */
export async function withSlowSenders(
  host: Host,
  name: string,
  { count, keyFile }: { readonly count: number; readonly keyFile: string },
): Promise<Readonly<z.infer<typeof findingSchema>>> {
  const { stdout } = await host.exec(
    ["node", "--input-type=module", "--eval", program, name, String(count), keyFile],
    { env: { NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt" }, timeoutSeconds: 90 },
  );
  return findingSchema.parse(JSON.parse(stdout));
}
