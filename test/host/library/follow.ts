import type { Host } from "../host.ts";
import { observed, type Runs, statusOf } from "./as-planned.ts";

/** The line that a piece stopped with. */
export async function textOf(host: Host, piece: string): Promise<string> {
  return (await statusOf(host))[piece]?.line?.text ?? "";
}

/** What a person does who follows a line: its commands, and then everything is waited for. */
export async function follow(host: Host, ...scripts: readonly string[]): Promise<Runs> {
  return await observed(host, async () => {
    for (const script of scripts) {
      await host.exec(["sh", "-ec", script], { timeoutSeconds: 300 });
    }
    const start = ["systemctl", "start", "cc-ci.target"];
    await host.exec(start, { timeoutSeconds: 600, mayFail: true });
  });
}
