import * as z from "zod";
import { DroneRefusal } from "../../lib/drone/trouble.ts";
import { AbraFailure } from "../adapters/abra.ts";
import { DockerRefusal, DockerSilence } from "../adapters/docker-socket.ts";
import { ProgramMissing } from "../adapters/program.ts";
import { defineLines, oneLine, Stop } from "./line.ts";

export const surpriseLines = defineLines({
  "docker-silent": {
    as: "failed",
    says: "Docker does not answer ({problem}): look at 'systemctl status docker'; the next run goes on",
  },
  "docker-refused": {
    as: "failed",
    says: "Docker refused what was asked of it ({status}): {problem}: see 'journalctl -u docker'; the next run tries again",
  },
  "docker-unknown-answer": {
    as: "failed",
    says: "Docker answered in a way that this version does not know: {problem}: this is a defect, please report it with the version of Docker",
  },
  "drone-refused": {
    as: "failed",
    says: "Drone refused what was asked of it ({status}): {problem}: see 'docker service logs' of its service; the next run tries again",
  },
  "program-missing": {
    as: "failed",
    says: "no program '{program}' on PATH: it comes with the host's configuration: run 'nixos-rebuild switch'",
  },
  "abra-failed": {
    as: "failed",
    says: "'{command}' {how}: {words}: look into it with 'converge abra {domain} …'; the next run tries again",
  },
  "disk-full": {
    as: "failed",
    says: "no space left on the disk of {path}: free some ('docker image prune', old logs); the next run goes on",
  },
  "file-error": {
    as: "failed",
    says: "{path} cannot be read or written ({problem}): see whether its disk is mounted and well, and who may write there; the next run tries again",
  },
  "output-lost": {
    as: "failed",
    says: "what converge says cannot be written ({problem}): see where its output goes; a unit that it started runs on",
  },
  defect: {
    as: "failed",
    says: "unexpected: {problem}: this is a defect, please report it with the lines below",
  },
});

/** Whatever was thrown, as the one line that a run ends with. */
export function asStop(error: unknown): Stop {
  if (error instanceof Stop) return error;
  if (error instanceof DockerSilence) {
    return surpriseLines.stop("docker-silent", { problem: error.message });
  }
  if (error instanceof DockerRefusal) {
    const path = "/var/lib/docker";
    if (/no space left on device/i.test(error.message)) {
      return surpriseLines.stop("disk-full", { path }, error.message);
    }
    const values = { status: error.status, problem: error.message };
    return surpriseLines.stop("docker-refused", values);
  }
  if (error instanceof DroneRefusal) {
    return surpriseLines.stop("drone-refused", { status: error.status, problem: error.message });
  }
  if (error instanceof ProgramMissing) {
    return surpriseLines.stop("program-missing", { program: error.program });
  }
  if (error instanceof AbraFailure) {
    const { command, how, words, domain, details } = error;
    return surpriseLines.stop("abra-failed", { command, how, words, domain }, details);
  }
  if (error instanceof z.ZodError) {
    const values = { problem: oneLine(z.prettifyError(error)) };
    return surpriseLines.stop("docker-unknown-answer", values);
  }
  if (isSystemError(error)) {
    const path = error.path ?? "a file";
    if (error.code === "ENOSPC") return surpriseLines.stop("disk-full", { path });
    return surpriseLines.stop("file-error", { path, problem: error.message });
  }
  const problem = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return surpriseLines.stop("defect", { problem }, stack);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}
