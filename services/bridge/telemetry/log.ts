import pino from "pino";

export type Log = pino.Logger;

/** One JSON object a line, for the journal; what has a name of a secret is left out, whoever puts it there. */
export function makeLog(level: string = process.env.LOG_LEVEL ?? "info"): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ["token", "key", "authorization", "*.token", "*.key", "*.authorization"],
      censor: "(left out)",
    },
  };
  // It says what it does before it does it: a line may not wait for the next ones.
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
