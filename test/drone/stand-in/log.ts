/** One line of JSON on standard error, for what the real programs log there. */
export function log(
  level: "info" | "warning" | "error",
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  const time = new Date().toISOString().replace(/\.\d+/, "");
  process.stderr.write(`${JSON.stringify({ ...fields, level, msg: message, time })}\n`);
}
