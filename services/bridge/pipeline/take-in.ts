import type { ForgeComment } from "../../lib/forge/schemas.ts";
import { readComment } from "../words/command.ts";
import type { Bridge } from "./bridge.ts";

/**
 * Notes a comment, however we learned of it, if it is a new one on a pull request that is for us. What was edited
 * is no new one: a person who wants something writes it.
 */
export function takeIn(
  { records, settings, self, log, now }: Bridge,
  repository: string,
  comment: ForgeComment,
): void {
  const { id, pull, user, body, createdAt, updatedAt } = comment;
  if (pull === undefined || user === null || user.id === self.id) return;
  if (createdAt.getTime() !== updatedAt.getTime()) return;
  const login = user.login.toLowerCase();
  if (settings.forge.ignore.some((each) => each.toLowerCase() === login)) return;
  // Known already, it is not read again: the same comments come up at many looks.
  if (records.commands.knows(id) || readComment(body).as === "talk") return;
  const asked = {
    ...{ comment: id, repository, pull, author: user.id, login: user.login, text: body },
    writtenAt: createdAt.getTime(),
  };
  if (records.commands.takeIn(asked, now())) {
    log.info({ comment: id, repository, pull, author: user.id, login: user.login }, "took in");
  }
}
