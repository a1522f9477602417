import { randomBytes } from "node:crypto";
import type { FileLook } from "../adapters/files.ts";
import type { ResourceOf } from "../desired-state.ts";
import type { Call } from "../engine/call.ts";
import type { Line, Stop } from "../engine/line.ts";
import type { Context, Steps } from "../engine/steps.ts";
import { contentFault, contentWarnings, hostFileLines, maxBytes } from "./host-file/demand.ts";

type HostFileResource = ResourceOf<"host-file">;

/** What was seen of a host file, and of the key that it must match where it is a certificate. */
export interface HostFileSight {
  readonly look: FileLook | undefined;
  /** A `.git` above it, if any. */
  readonly git: string | undefined;
  /** Undefined when there is nothing to read, or too much of it. */
  readonly content: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** The call that makes the file, where the host is who makes it and it is not there. */
export function planHostFile(
  { path, origin }: HostFileResource,
  isThere: boolean,
  context: Context,
): readonly Call[] {
  if (isThere || origin.by !== "host") return [];
  return [
    {
      phase: "prepare",
      verb: "file create",
      target: path,
      why: "it is not there",
      perform: async () => {
        const { files } = context.world;
        // Somebody may have put one there since: it is used, as any that was there before.
        if (await files.exists(path)) return;
        // Without a newline at its end: a program that takes the file as it is would take that too.
        await files.write(path, randomBytes(origin.randomBytes).toString("hex"));
      },
    },
  ];
}

/** What is wrong with a host file; undefined when nothing is. */
export function hostFileFault(
  resource: HostFileResource,
  { look, git, content, key }: HostFileSight,
  now: Date,
): Stop | undefined {
  const { path, purpose, remedy, origin } = resource;
  if (git !== undefined) {
    return hostFileLines.stop("host-file-in-git", { path, git, purpose });
  }
  if (look === undefined) {
    if (origin.by === "host") return undefined;
    return hostFileLines.stop("host-file-missing", { path, purpose, remedy });
  }
  if (!look.isFile) return hostFileLines.stop("host-file-not-a-file", { path, purpose, remedy });
  if (look.bytes > maxBytes) {
    const values = { path, purpose, bytes: look.bytes, maxBytes };
    return hostFileLines.stop("host-file-too-large", values);
  }
  if (content === undefined || content.length === 0) {
    return hostFileLines.stop("host-file-empty", { path, purpose, remedy });
  }
  return contentFault(resource, content, key, now);
}

/**
 * How long a fault may go away by itself, in seconds: two files are replaced one after the other, and
 * a program that switches a link, or writes in place, leaves nothing or a part there for a moment.
 */
function settleSeconds({ demand }: HostFileResource, { line }: Stop): number {
  switch (line.id) {
    case "certificate-of-another-key":
      return demand.format === "certificate-chain" ? demand.pairSeconds : 0;
    case "host-file-missing":
    case "host-file-empty":
    case "private-key-malformed":
    case "certificate-malformed":
    case "certificate-without-key":
    case "docker-config-malformed":
    case "host-file-not-a-token":
      return 2;
    default:
      return 0;
  }
}

/** How often a file that may become right is looked at, in seconds. */
const everySeconds = 1;

export function hostFileSteps(resource: HostFileResource, context: Context): Steps {
  const { path, demand, origin } = resource;
  const { world, report, mayWait } = context;

  const see = async (): Promise<HostFileSight> => {
    const look = await world.files.look(path);
    const git =
      (await world.files.gitFolderAbove(path)) ??
      (look === undefined ? undefined : await world.files.gitFolderAbove(look.path));
    const content = isReadable(look) ? await world.files.read(path) : undefined;
    const keyFile = demand.format === "certificate-chain" ? demand.keyFile : undefined;
    const key =
      keyFile !== undefined && isReadable(await world.files.look(keyFile))
        ? await world.files.read(keyFile)
        : undefined;
    return { look, git, content, key };
  };

  const judge = async (): Promise<void> => {
    const begin = world.clock.monotonic();
    for (;;) {
      const sight = await see();
      const now = world.clock.now();
      const fault = hostFileFault(resource, sight, now);
      if (fault === undefined) {
        note(sight);
        for (const line of warnings(resource, sight, now)) report.warning(line);
        return;
      }
      const waited = world.clock.monotonic() - begin;
      if (!mayWait || waited >= settleSeconds(resource, fault)) throw fault;
      report.waiting(fault.line.text);
      await world.clock.sleep(everySeconds);
    }
  };

  const note = ({ content, key }: HostFileSight): void => {
    if (content === undefined) context.judged.forget(path);
    // A key is judged with its certificate: both as they were when they belonged together.
    else if (!isKeyOfAnother(path, context)) context.judged.note(path, content);
    if (demand.format === "certificate-chain" && key !== undefined) {
      context.judged.note(demand.keyFile, key);
    }
  };

  const mustBeNoLostKey = async (): Promise<void> => {
    if (origin.by !== "host" || origin.opens === undefined) return;
    if (await world.files.exists(path)) return;
    const found = await world.docker.volumes(origin.opens);
    if (found.length === 0) return;
    const { purpose, remedy } = resource;
    const values = { path, purpose, remedy, volumes: found.join(", ") };
    throw hostFileLines.stop("host-file-key-lost", values);
  };

  return {
    require: async () => {
      await mustBeNoLostKey();
      await judge();
    },
    plan: async () => planHostFile(resource, await world.files.exists(path), context),
    // One that the host has made since has not been judged yet.
    verify: async () => {
      if (origin.by === "host") await judge();
    },
  };
}

function isReadable(look: FileLook | undefined): boolean {
  return look?.isFile === true && look.bytes <= maxBytes;
}

function isKeyOfAnother(path: string, { resources }: Context): boolean {
  return resources.some(
    (other) =>
      other.kind === "host-file" &&
      other.demand.format === "certificate-chain" &&
      other.demand.keyFile === path,
  );
}

function warnings(
  resource: HostFileResource,
  { look, content }: HostFileSight,
  now: Date,
): readonly Line[] {
  if (look === undefined || content === undefined) return [];
  return contentWarnings(resource, content, look.mode, now);
}
