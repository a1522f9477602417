import type { Host } from "../../host.ts";
import type { Marks } from "./marks.ts";

/** Folders of the root that only the system's packages write to, or the kernel. */
const notSearched = ["bin", "boot", "dev", "lib", "lib64", "proc", "sbin", "sys", "usr"];

/** Everything that Docker tells about what is there, its logs included. */
const toldByDocker = `
docker info; docker node inspect self
for kind in service config secret network volume; do
  ids=$(docker $kind ls --quiet); [ -z "$ids" ] || docker $kind inspect $ids
done
for service in $(docker service ls --quiet); do
  docker service logs --raw "$service"
  docker inspect $(docker service ps --no-trunc --quiet "$service")
done
for container in $(docker ps --all --quiet); do
  docker inspect "$container"; docker logs "$container"
done
`;

/**
 * Files of a host, by path, that hold one of the marks.
 *
 * @param among looks into no others. @default the whole root but for packages
 */
export async function filesWith(
  host: Host,
  marks: readonly string[],
  among?: readonly string[],
): Promise<readonly string[]> {
  const pruned = notSearched.map((name) => `-path /${name}`).join(" -o ");
  const find =
    among === undefined
      ? `find / '(' ${pruned} ')' -prune -o -type f -print0`
      : `printf '%s\\0' ${among.map((path) => `'${path}'`).join(" ")}`;
  const { stdout } = await host.exec(
    // What to look for is read, lest it stand in arguments. 1 and 123 say that nothing was found, or
    // that a file went away meanwhile.
    [
      "sh",
      "-c",
      `cat >/dev/shm/marks; ${find} | xargs -0 grep -laF -f /dev/shm/marks; rm /dev/shm/marks`,
    ],
    { input: `${marks.join("\n")}\n`, mayFail: true, timeoutSeconds: 120 },
  );
  return stdout
    .split("\n")
    .filter((path) => path !== "" && path !== "/dev/shm/marks")
    .sort();
}

/** The same of each secret: once through everything, and then through little. */
export async function filesWithEach(
  host: Host,
  marks: Marks,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const among = await filesWith(host, Object.values(marks).flat());
  const found = new Map<string, readonly string[]>();
  for (const [secret, words] of Object.entries(marks)) {
    found.set(secret, await filesWith(host, words, among));
  }
  return found;
}

/** What a person can read of a host without its files: journal, Docker and systemd. */
export async function told(host: Host): Promise<Readonly<Record<string, string>>> {
  const read = async (script: string): Promise<string> => {
    const { stdout, stderr } = await host.exec(["sh", "-c", script], {
      mayFail: true,
      timeoutSeconds: 120,
    });
    return stdout + stderr;
  };
  return {
    journal: await read("journalctl --all --no-pager --output=export"),
    docker: await read(toldByDocker),
    units: await read("systemctl show --all '*' --no-pager; systemctl cat 'cc-ci*' --no-pager"),
    status: await read(
      "converge status; converge status --json; converge plan; converge plan --json",
    ),
  };
}
