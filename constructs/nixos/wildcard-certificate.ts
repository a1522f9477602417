import { dirname } from "node:path/posix";
import { Construct } from "constructs";
import type { Resource } from "../../services/converge/desired-state.ts";
import { HostFile, pathProblems } from "./host-file.ts";
import { Machine } from "./machine.ts";
import type { ResourceSource } from "./resource-source.ts";

export interface WildcardCertificateProps {
  /** Absolute path of the PEM chain on the host, the host's own certificate first. */
  readonly certificate: string;
  /** Absolute path of its private key. */
  readonly key: string;
  /** Full names of units that put them there. @default none */
  readonly waitFor?: readonly string[];
  /**
   * Further paths to watch: the folder in which a link lies that is switched at renewal. The folders of
   * the two files are watched already, and the ones above these, but for such as /run and /var/lib.
   * @default none
   */
  readonly watch?: readonly string[];
}

/** Days of validity below which a warning is logged: three weeks are time to act without haste. */
const warnBelowDays = 21;

/** How long certificate and key may disagree while they are replaced one after the other. */
const pairSeconds = 60;

/** Folders in which something changes all the time: watching them would start the unit for ever. */
const busyFolders: ReadonlySet<string> = new Set([
  ...["/", "/etc", "/home", "/mnt", "/nix", "/opt", "/root", "/run", "/srv", "/tmp"],
  ...["/var", "/var/cache", "/var/lib", "/var/tmp"],
]);

/**
 * The folder of a file, whose links are seen when they are replaced there; and the one above, since
 * the folder may itself be a link that is switched, of which only the folder that it lies in tells.
 */
function foldersToWatch(path: string): readonly string[] {
  const folder = dirname(path);
  const above = dirname(folder);
  return busyFolders.has(above) ? [folder] : [folder, above];
}

/** The pair of files that everything below the host's domain is served with. */
export class WildcardCertificate extends Construct implements ResourceSource {
  readonly certificate: HostFile;
  readonly key: HostFile;
  /** What it covers, as in `*.ci.example.org`. */
  readonly wildcard: string;
  readonly #domain: string;

  constructor(scope: Construct, id: string, props: WildcardCertificateProps) {
    super(scope, id);
    this.#domain = Machine.of(this).domain;
    this.wildcard = `*.${this.#domain}`;
    const folders = [props.certificate, props.key].flatMap(foldersToWatch);
    const own = folders.filter((folder) => pathProblems("watch", folder).length === 0);
    this.key = new HostFile(this, "key", {
      path: props.key,
      pathProperty: "key",
      purpose: `the private key of the certificate for ${this.wildcard}`,
      remedy:
        "copy it from your certificate authority's client, readable by root alone (mode 0600)",
      demand: { format: "private-key" },
    });
    this.certificate = new HostFile(this, "certificate", {
      path: props.certificate,
      pathProperty: "certificate",
      purpose: `the certificate for ${this.wildcard}, its chain included`,
      remedy: `ask your certificate authority for one that covers ${this.wildcard}, and put the full chain there`,
      demand: {
        format: "certificate-chain",
        covers: [this.wildcard],
        keyFile: props.key,
        warnBelowDays,
        pairSeconds,
      },
      waitFor: props.waitFor,
      watch: [...own, ...(props.watch ?? [])],
    });
    this.node.addValidation({
      validate: () =>
        props.key === props.certificate
          ? ["key: must be another file than the certificate: split the PEM file in two"]
          : [],
    });
  }

  get resources(): readonly Resource[] {
    return [...this.key.resources, ...this.certificate.resources];
  }

  get waitsFor(): readonly string[] {
    return this.certificate.waitsFor;
  }

  get watches(): readonly string[] {
    return [...new Set([...this.certificate.watches, ...this.key.watches])];
  }

  /** Whether the certificate covers `domain`: exactly one label below the host's domain. */
  covers(domain: string): boolean {
    const label = domain.slice(0, -`.${this.#domain}`.length);
    return domain.endsWith(`.${this.#domain}`) && label !== "" && !label.includes(".");
  }
}
