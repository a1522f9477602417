import { readFileSync } from "node:fs";
import { setDefaultCACertificates } from "node:tls";
import type { Environment } from "./environment.ts";

/** Where distributions keep the authorities that the machine trusts. */
const usual = ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/** Trusts whom a program in Go would: the file that SSL_CERT_FILE names, else the machine's own. */
export function trustAsGoDoes(environment: Environment): void {
  const { SSL_CERT_FILE: named } = environment;
  for (const file of named ? [named] : usual) {
    try {
      const text = readFileSync(file, "utf8");
      const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
      setDefaultCACertificates([...(certificates ?? [])]);
      return;
    } catch {
      // It is not there: the next one may be.
    }
  }
}
