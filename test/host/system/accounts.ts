import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Evaluation } from "../../nix/evaluate.ts";

export type Accounts = Pick<Evaluation, "users" | "groups">;

/** Where ids of new accounts begin, downwards, as NixOS has it; Debian's own go up to here. */
const highestId = 979;

/**
 * Makes the users and groups of a system known below `root`. Those that are there stay as they are, and
 * none is removed: NixOS keeps the ids of former ones too.
 */
export function putAccounts(root: string, { users, groups }: Accounts): void {
  const passwd = new AccountFile(join(root, "etc/passwd"));
  const group = new AccountFile(join(root, "etc/group"));
  const shadow = new AccountFile(join(root, "etc/shadow"));
  for (const name of groups.toSorted()) {
    if (!group.has(name)) group.add(`${name}:x:${group.freeId()}:`);
  }
  for (const { name, group: own, extraGroups, home } of users) {
    if (!passwd.has(name)) {
      const shell = "/usr/sbin/nologin";
      passwd.add(`${name}:x:${passwd.freeId()}:${group.idOf(own)}::${home}:${shell}`);
      shadow.add(`${name}:!:1::::::`);
    }
    for (const other of extraGroups) group.addMember(other, name);
  }
  for (const file of [passwd, group, shadow]) file.write();
}

/** A file with a line for each account: its name, and in the third field its id. */
class AccountFile {
  readonly #path: string;
  #lines: readonly string[];

  constructor(path: string) {
    this.#path = path;
    this.#lines = readFileSync(path, "utf8").trimEnd().split("\n");
  }

  has(name: string): boolean {
    return this.#lines.some((line) => line.startsWith(`${name}:`));
  }

  idOf(name: string): number {
    const line = this.#lines.find((each) => each.startsWith(`${name}:`));
    return Number(line?.split(":")[2]);
  }

  freeId(): number {
    const taken = new Set(this.#lines.map((line) => Number(line.split(":")[2])));
    let id = highestId;
    while (taken.has(id)) id -= 1;
    return id;
  }

  add(line: string): void {
    this.#lines = [...this.#lines, line];
  }

  addMember(group: string, name: string): void {
    this.#lines = this.#lines.map((line) => {
      if (!line.startsWith(`${group}:`)) return line;
      const members = line.split(":")[3]?.split(",").filter(Boolean) ?? [];
      const all = [...new Set([...members, name])].join(",");
      return [...line.split(":").slice(0, 3), all].join(":");
    });
  }

  write(): void {
    writeFileSync(this.#path, `${this.#lines.join("\n")}\n`);
  }
}
