import { relative } from "node:path";

/** Whether a file has cases on booted hosts, or tries something on Drone: they wait for others much of their time. */
export function isWaiting(path: string): boolean {
  return /^test\/(?:host|drone|bridge)\//.test(relative(`${import.meta.dirname}/..`, path));
}
