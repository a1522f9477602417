import { createHmac } from "node:crypto";

export const hookKey = "the-key-of-the-hook";
export const previousHookKey = "the-key-before-it";

/** What the forge sends of a comment, as far as it is looked at. */
export const payload = (changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    ...{ action: "created", is_pull: true, comment: { id: 7, body: "!testme" } },
    ...{ repository: { id: 1, full_name: "recipes/wiki" }, sender: { login: "somebody" } },
    ...changes,
  });

/** What it sends of a push to a pull request. */
export const pushed = (changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    ...{ action: "synchronized", number: 3, repository: { id: 1, full_name: "recipes/wiki" } },
    ...changes,
  });

/** The signature of a delivery. */
export const signed = (body: string | Uint8Array, by = hookKey): string =>
  createHmac("sha256", by).update(body).digest("hex");

export type Headers = Readonly<Record<string, string>>;

/** The headers of a delivery, with some changed, or left out where they are undefined. */
export function headersFor(
  body: string | Uint8Array,
  changes: Readonly<Record<string, string | undefined>> = {},
): Headers {
  const all = {
    "content-type": "application/json",
    "x-gitea-event": "issue_comment",
    "x-gitea-event-type": "pull_request_comment",
    "x-gitea-signature": signed(body),
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
