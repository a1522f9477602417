import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What an operator would put in place: two PEM texts. */
export interface CertificatePair {
  /** The certificate, followed by those between it and the authority. */
  readonly certificate: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
}

export interface CertificateOptions {
  /** @default the wildcard of the test hosts' domain */
  readonly names?: readonly string[];
  /** When it starts to be valid, in days from now; negative for the past. @default -1 */
  readonly fromDays?: number;
  /** When it ends, in days from now. @default 90 */
  readonly untilDays?: number;
}

/** An authority of one test, in a folder that goes with it. */
export class TestAuthority implements Disposable {
  readonly #folder: string;
  #count = 0;
  /** The authority's own certificate, as PEM: what a client must trust. */
  readonly certificate: string;

  /** @param folder an empty folder that somebody cleans up whatever happens. @default a new one */
  constructor(folder = mkdtempSync(join(tmpdir(), "cc-ci-certificates-"))) {
    this.#folder = folder;
    const names = this.#key("authority");
    openssl("req", "-x509", "-new", "-key", names.key, "-out", names.certificate, [
      "-subj",
      "/CN=cc-ci test authority",
      "-days",
      "3650",
      "-addext",
      "keyUsage=critical,keyCertSign,cRLSign",
    ]);
    this.certificate = readFileSync(names.certificate, "utf8");
  }

  /** A pair that is good, or wrong in the dates or names that are asked for; never by the clock. */
  pair(options: CertificateOptions = {}): CertificatePair {
    const { certificate, key } = this.#issue("authority", options);
    return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  }

  /** A pair that the authority signed through another: the chain is leaf, then intermediate. */
  pairWithChain(options: CertificateOptions = {}): CertificatePair {
    const between = this.#issue("authority", { names: [] });
    const leaf = this.#issue(between.name, options);
    const chain = [leaf.certificate, between.certificate];
    return {
      certificate: chain.map((file) => readFileSync(file, "utf8")).join(""),
      key: readFileSync(leaf.key, "utf8"),
    };
  }

  /** Over yesterday. */
  expired(): CertificatePair {
    return this.pair({ fromDays: -90, untilDays: -1 });
  }

  /** Good from tomorrow on. */
  notYetValid(): CertificatePair {
    return this.pair({ fromDays: 1, untilDays: 90 });
  }

  /** Good for three more days: below every sensible limit for a warning. */
  aboutToExpire(): CertificatePair {
    return this.pair({ fromDays: -87, untilDays: 3 });
  }

  /** For a domain that nobody asked for. */
  forAnotherName(): CertificatePair {
    return this.pair({ names: ["*.elsewhere.example.net"] });
  }

  /** A certificate and the key of another one. */
  mismatched(): CertificatePair {
    return { certificate: this.pair().certificate, key: this.pair().key };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #key(name: string): { readonly key: string; readonly certificate: string } {
    const key = join(this.#folder, `${name}.key`);
    // An elliptic curve: a key of RSA takes a tenth of a second.
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key, []);
    return { key, certificate: join(this.#folder, `${name}.pem`) };
  }

  /** Without names: an authority below the issuer. */
  #issue(issuer: string, options: CertificateOptions) {
    const { names = ["*.ci.example.org"], fromDays = -1, untilDays = 90 } = options;
    this.#count += 1;
    const name = `pair-${this.#count}`;
    const files = this.#key(name);
    const work = join(this.#folder, `${name}.work`);
    mkdirSync(work);
    const request = join(work, "request");
    // Names stand in the extension alone: the common name is no name of a server any more.
    openssl("req", "-new", "-key", files.key, "-out", request, "-subj", `/CN=${name}`, []);
    const extensions =
      names.length === 0
        ? ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
        : [
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            "extendedKeyUsage=serverAuth",
            `subjectAltName=${names.map((one) => `DNS:${one}`).join(",")}`,
          ];
    writeFileSync(join(work, "index"), "");
    writeFileSync(join(work, "config"), configuration(work, extensions));
    // `openssl x509 -req` of Debian 12 knows days only; this one knows both dates.
    openssl("ca", "-batch", "-notext", "-config", join(work, "config"), [
      ...["-keyfile", join(this.#folder, `${issuer}.key`)],
      ...["-cert", join(this.#folder, `${issuer}.pem`)],
      ...["-startdate", opensslDate(fromDays)],
      ...["-enddate", opensslDate(untilDays)],
      ...["-in", request, "-out", files.certificate],
    ]);
    return { name, ...files };
  }
}

function configuration(work: string, extensions: readonly string[]): string {
  return `[ca]
default_ca = authority
[authority]
database = ${work}/index
new_certs_dir = ${work}
default_md = sha256
rand_serial = yes
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${extensions.join("\n")}
`;
}

function opensslDate(days: number): string {
  const date = new Date(Date.now() + days * 86_400_000);
  return date.toISOString().replace(/\.\d+/, "").replaceAll(/[-:T]/g, "");
}

function openssl(...args: readonly (string | readonly string[])[]): void {
  try {
    execFileSync("openssl", args.flat(), { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new Error(`openssl ${args[0]} failed: ${said.trim() || "run 'npm run setup'"}`);
  }
}
