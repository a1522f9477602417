import { Construct } from "constructs";
import type { ResourceOf } from "../../services/converge/desired-state.ts";
import { isUnitName } from "./names.ts";
import type { ResourceSource } from "./resource-source.ts";

export interface HostFileProps {
  /** Absolute path on the host, outside of git and of the Nix store. */
  readonly path: string;
  /** The property that the path was given as, for errors. @default path */
  readonly pathProperty?: string;
  /** What it is for, in the words of the error when it is missing. */
  readonly purpose: string;
  /** How an operator gets it. */
  readonly remedy: string;
  /** What its content must be. @default any bytes, one or more */
  readonly demand?: ResourceOf<"host-file">["demand"];
  /** Who makes it. @default the operator */
  readonly origin?: ResourceOf<"host-file">["origin"];
  /** Full names of units that put it there, as sops-nix and agenix do. @default none */
  readonly waitFor?: readonly string[] | undefined;
  /** Further paths to watch, such as links on the way to it that are switched. @default none */
  readonly watch?: readonly string[];
}

/** A file that must lie on the host: a secret, or one that is not for the store. */
export class HostFile extends Construct implements ResourceSource {
  readonly path: string;
  /** What it is for, in words. */
  readonly purpose: string;
  readonly waitsFor: readonly string[];
  readonly watches: readonly string[];
  readonly #props: HostFileProps;

  constructor(scope: Construct, id: string, props: HostFileProps) {
    super(scope, id);
    this.#props = props;
    this.path = props.path;
    this.purpose = props.purpose;
    this.waitsFor = props.waitFor ?? [];
    this.watches = [props.path, ...(props.watch ?? [])];
    this.node.addValidation({ validate: () => this.#validate() });
  }

  get resources(): readonly [ResourceOf<"host-file">] {
    const { path, remedy, demand, origin } = this.#props;
    return [
      {
        kind: "host-file",
        path,
        purpose: this.purpose,
        remedy,
        origin: origin ?? { by: "operator" },
        demand: demand ?? { format: "opaque", minBytes: 1 },
      },
    ];
  }

  #validate(): string[] {
    return [
      ...pathProblems(this.#props.pathProperty ?? "path", this.path),
      ...(this.#props.watch ?? []).flatMap((path) => pathProblems("watch", path)),
      ...this.waitsFor
        .filter((unit) => !isUnitName(unit) || !/\.(?:service|mount)$/.test(unit))
        .map(
          (unit) =>
            `waitFor: ${JSON.stringify(unit)} is no service and no mount: name the unit that puts the file there in full, as in sops-install-secrets.service`,
        ),
    ];
  }
}

/** What is wrong with the path of a host file; empty when nothing is. */
export function pathProblems(property: string, path: string): string[] {
  const shown = JSON.stringify(path);
  if (!path.startsWith("/")) {
    // Not shown: it may be the secret itself, and errors end in the logs of CI.
    return [`${property}: must be an absolute path on the host, as in /var/lib/ci-secrets/name`];
  }
  if (path === "/nix/store" || path.startsWith("/nix/store/")) {
    return [
      `${property}: ${shown} lies in the Nix store, which everybody on the host can read: put the file elsewhere`,
    ];
  }
  if (/^\/(?:tmp|var\/tmp|proc|sys|dev)(?:\/|$)/.test(path)) {
    return [
      `${property}: ${shown} lies where units have their own files or the kernel has its: put the file elsewhere`,
    ];
  }
  // systemd expands %, splits at blanks and refuses control characters in the paths that it watches.
  if (
    !/^(?:\/[A-Za-z0-9@_+=:,.~-]{1,255})+$/.test(path) ||
    path.length > 1024 ||
    /\/\.{1,2}(?:\/|$)/.test(path)
  ) {
    return [
      `${property}: ${shown} must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
    ];
  }
  return [];
}
