import { messageOf, systemErrorCode, UserError, userError } from "./errors.ts";

/** What a person can do about a system error, by its code. */
export const remedies: Readonly<Record<string, string>> = {
  EACCES: "this user may not: give it the permission, or run as the owner of the checkout",
  EPERM: "this user may not: give it the permission, or run as the owner of the checkout",
  EROFS: "the file system is read-only: work in a checkout that can be written",
  ENOSPC: "the disk is full: make room, then run it again",
  EDQUOT: "the quota is used up: make room, then run it again",
  ENOENT: "there is no such file: check the path",
  ENOTDIR: "a file lies where a folder should be: remove that file",
  EISDIR: "a folder lies where a file should be: remove that folder",
  EEXIST: "a file lies where a folder should be, or another synth is at work: remove it, or wait",
};

/**
 * A failure of the disk as an error for people: what could not be done to which path, and what to do.
 * An error that is one already passes, and so does what is no system error: it is a defect.
 */
export function diskError(path: string, what: string, error: unknown): Error {
  if (error instanceof UserError) return error;
  const code = systemErrorCode(error);
  if (code === undefined) return error instanceof Error ? error : new Error(messageOf(error));
  return userError(path, `cannot ${what}: ${remedies[code] ?? messageOf(error)} (${code})`);
}
