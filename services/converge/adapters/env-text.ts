const escaped: Readonly<Record<string, string>> = { n: "\n", r: "\r" };

/**
 * The variables of an `.env` text as our own generator prints it: a line each, the value bare, in
 * single quotes, or in double ones with escapes. Node's `parseEnv` knows no escapes but `\n`; abra's
 * reader agrees with this one on such text, which a test holds against both.
 */
export function readEnvText(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at), plain(line.slice(at + 1))];
      }),
  );
}

function plain(written: string): string {
  const inner = written.slice(1, -1);
  if (written.startsWith("'")) return inner;
  if (!written.startsWith('"')) return written;
  return inner.replaceAll(/\\(.)/g, (_, character: string) => escaped[character] ?? character);
}
