/** A `cc-ci.yaml` with `count` recipe apps, spread evenly over `hosts` hosts; half of them have a secret. */
export function manyApps(count: number, hosts: number): string {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const host = (index: number): string => {
    const domain = `h${index}.example.org`;
    const apps = numbers.filter((number) => number % hosts === index);
    return [
      `  h${index}:`,
      `    domain: ${domain}`,
      "    certificate: { certificate: /var/lib/certs/cert.pem, key: /var/lib/certs/key.pem }",
      "    traefik: { release: 5.1.1 }",
      "    apps:",
      ...apps.flatMap((number) => [
        `      app${number}:`,
        "        recipe: wiki",
        "        release: 1.2.3",
        `        domain: app${number}.${domain}`,
        `        env: { NUMBER: "${number}", GREETING: "hello world" }`,
        ...(number % 2 === 0 ? [`        secrets: { token: /var/lib/secrets/${number} }`] : []),
      ]),
    ].join("\n");
  };
  return `hosts:\n${Array.from({ length: hosts }, (_, index) => host(index)).join("\n")}\n`;
}
