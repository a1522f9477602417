import { type Mistakes, testMistakes } from "./config-mistakes.ts";
import { app, bridge, drone, host, hosts } from "./config-text.ts";

const long = "a".repeat(64);
const domainTooLong = `${"x".repeat(50)}.ci.example.org`;

/** Values of the right shape that mean nothing, or do not fit each other. */
const cases: readonly Mistakes[] = [
  {
    name: "more tests at once than a host has, and no time for them",
    yaml: hosts(host({ runs: "{ maxTests: 64, timeoutMinutes: 0, keepGiB: 0 }" })),
    problems: [
      { at: "maxTests", says: "hosts.one.runs.maxTests: must be a whole number from 1 to 32" },
      {
        at: "timeoutMinutes",
        says: "hosts.one.runs.timeoutMinutes: must be a whole number from 1 to 1440",
      },
      { at: "keepGiB", says: "hosts.one.runs.keepGiB: must be a whole number from 1 to 10000" },
    ],
  },
  {
    name: "Drone, whose licence nobody has accepted",
    yaml: hosts(host({ acceptUnfree: "[drone]", drone: drone() })),
    problems: [
      {
        at: "drone: {",
        says: "hosts.one.drone: needs drone-runner-exec in acceptUnfree: Drone's licence is not a free one, and its free edition serves no runner; read docs/install.md, and name them if you accept it",
      },
    ],
  },
  {
    name: "Drone with values that mean nothing to it",
    yaml: hosts(
      host({
        acceptUnfree: "[drone, drone-runner-exec]",
        drone: drone({
          domain: "drone.example.com",
          forge: "http://git.example.org/gitea",
          clientId: "it's",
          clientSecret: "gto_abc",
          env: "{ DRONE_RPC_SECRET: x }",
          builds: "{ repository: cc-ci, branch: --x }",
          owner: '{ login: "a,admin:true", forgeToken: ~/token, password: ./pw }',
          bridge: "{ login: a b, password: /nix/store/x }",
        }),
      }),
    ),
    problems: [
      {
        at: "domain",
        after: "drone: {",
        says: "hosts.one.drone.domain: drone.example.com must be one label under the wildcard *.ci.example.org",
      },
      {
        at: "forge",
        says: 'hosts.one.drone.forge: "http://git.example.org/gitea" must be the https address of a Gitea without a path, as in https://git.example.org',
      },
      {
        at: "clientId",
        says: "hosts.one.drone.clientId: must be the id that the forge shows for the OAuth client, of letters, digits and dashes",
      },
      {
        at: "clientSecret",
        says: "hosts.one.drone.clientSecret: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "env:",
        says: "hosts.one.drone.env: DRONE_RPC_SECRET cannot be set here: Drone's own settings are the construct's",
      },
      {
        at: "repository",
        says: 'hosts.one.drone.builds.repository: "cc-ci" must be owner and name of a repository on the forge, as in ci/cc-ci',
      },
      { at: "branch", says: 'hosts.one.drone.builds.branch: "--x" is no name of a branch' },
      {
        at: "owner",
        says: 'hosts.one.drone.owner: "a,admin:true" is no login that Drone takes: up to 50 letters, digits, dots, dashes and underscores',
      },
      {
        at: "forgeToken",
        says: "hosts.one.drone.owner.forgeToken: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "password",
        says: "hosts.one.drone.owner.password: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "login: a b",
        says: 'hosts.one.drone.bridge.login: "a b" is no login that Drone takes: up to 50 letters, digits, dots, dashes and underscores',
      },
      {
        at: "password: /nix",
        says: 'hosts.one.drone.bridge.password: "/nix/store/x" lies in the Nix store, which everybody on the host can read: put the file elsewhere',
      },
    ],
  },
  {
    name: "a bridge with people, secrets and numbers that none are",
    yaml: hosts(
      host({
        acceptUnfree: "[drone, drone-runner-exec]",
        drone: drone(),
        bridge: bridge({
          forgeToken: "/s/forge-token",
          mode: "webhook",
          webhookKey: "/s/client",
          only: '["@alice", bob]',
          ignore: '["", Bob]',
          pollSeconds: "900",
          dashboard: "dashboard.ci.example.org",
          limits: "{ waiting: 0, perPullAndHour: -1 }",
        }),
      }),
    ),
    problems: [
      {
        at: "forgeToken",
        after: "bridge: { organisation",
        says: 'hosts.one.bridge.forgeToken: "/s/forge-token" is the file of the token of ci-owner on https://git.example.org: name one with a secret of its own, which is good for nothing else',
      },
      {
        at: "webhookKey",
        says: 'hosts.one.bridge.webhookKey: "/s/client" is the file of the secret of Drone\'s OAuth client on https://git.example.org: name one with a secret of its own, which is good for nothing else',
      },
      {
        at: "only",
        says: 'hosts.one.bridge.only: "@alice" must be a login on the forge, up to 40 letters, digits, dots, dashes and underscores, as in member',
      },
      {
        at: "ignore",
        says: 'hosts.one.bridge.ignore: "" must be a login on the forge, up to 40 letters, digits, dots, dashes and underscores, as in member',
      },
      {
        at: "ignore",
        says: 'hosts.one.bridge.ignore: "bob" stands in only too, and can ask for nothing then: take it out of one of the two',
      },
      {
        at: "pollSeconds",
        says: "hosts.one.bridge.pollSeconds: must be a whole number of seconds, from 1 to 300",
      },
      {
        at: "dashboard",
        says: 'hosts.one.bridge.dashboard: "dashboard.ci.example.org" must be the https address of the dashboard without a slash at its end, as in https://dashboard.ci.example.org',
      },
      {
        at: "waiting",
        says: "hosts.one.bridge.limits.waiting: must be a whole number, 1 or more",
      },
      {
        at: "perPullAndHour",
        says: "hosts.one.bridge.limits.perPullAndHour: must be a whole number, 1 or more",
      },
    ],
  },
  {
    name: "Drone whose bridge is its owner",
    yaml: hosts(
      host({
        acceptUnfree: "[drone, drone-runner-exec]",
        drone: drone({ bridge: "{ login: CI-Owner }" }),
      }),
    ),
    problems: [
      {
        at: "login: CI-Owner",
        says: "hosts.one.drone.bridge.login: must be another account than the owner's, which may do more than start builds",
      },
    ],
  },
  {
    name: "domains outside of the wildcard, too deep below it, or none",
    yaml: hosts(
      host({
        apps: `
      other: ${app("wiki.example.com")}
      deep: ${app("a.wiki.ci.example.org")}
      base: ${app("ci.example.org")}
      upper: ${app("Wiki.ci.example.org")}
      glued: ${app("xci.example.org")}
      blank: ${app('"a b.ci.example.org"')}`,
      }),
    ),
    problems: [
      ...[
        ["other", "wiki.example.com"],
        ["deep", "a.wiki.ci.example.org"],
        ["base", "ci.example.org"],
        ["glued", "xci.example.org"],
      ].map(([name = "", domain = ""]) => ({
        at: "domain",
        after: `${name}:`,
        says: `hosts.one.apps.${name}.domain: ${domain} must be one label under the wildcard *.ci.example.org`,
      })),
      ...[
        ["upper", "Wiki.ci.example.org"],
        ["blank", "a b.ci.example.org"],
      ].map(([name = "", domain = ""]) => ({
        at: "domain",
        after: `${name}:`,
        says: `hosts.one.apps.${name}.domain: "${domain}" is no domain name: use lower-case labels joined by dots`,
      })),
    ],
  },
  {
    name: "two apps on one domain, and one on the domain of Traefik",
    yaml: hosts(
      host({
        apps: `
      wiki: ${app("wiki.ci.example.org")}
      wiki-too: ${app("wiki.ci.example.org")}
      proxy: ${app("traefik.ci.example.org")}`,
      }),
    ),
    problems: [
      {
        at: "domain",
        after: "wiki-too:",
        says: "hosts.one.apps.wiki-too.domain: the domain wiki.ci.example.org is taken by one/apps/wiki already: choose another",
      },
      {
        at: "domain",
        after: "proxy:",
        says: "hosts.one.apps.proxy.domain: the domain traefik.ci.example.org is taken by one/traefik already: choose another",
      },
    ],
  },
  {
    name: "names that are too long",
    yaml: hosts(
      host({
        apps: `
      long: ${app(domainTooLong)}
      secret: ${app("wiki.ci.example.org", `secrets: { ${"s".repeat(40)}: /s/one }`)}`,
      }),
    ),
    problems: [
      {
        at: "domain",
        after: "long:",
        says: `hosts.one.apps.long.domain: the stack name ${domainTooLong.replaceAll(".", "_")} has 65 characters, and abra takes 45: choose a shorter domain`,
      },
      {
        at: "s".repeat(40),
        says: `hosts.one.apps.secret.secrets.${"s".repeat(40)}: the swarm secret wiki_ci_example_org_${"s".repeat(40)}_<version> has 73 characters, and Docker takes 64: shorten the domain or the secret's name`,
      },
    ],
  },
  {
    name: "subnets that overlap",
    yaml: hosts(
      host({ swarm: '{ addressPools: ["10.64.0.0/12", "10.65.0.0/16"] }' }),
      host({ domain: "b.example.org", swarm: "{ proxySubnet: 10.64.0.0/16 }" }, "two"),
      host({ domain: "c.example.org", swarm: "{ proxySubnet: 172.17.0.0/16 }" }, "three"),
      host({ domain: "d.example.org", swarm: "{ addressPools: [172.16.0.0/12] }" }, "four"),
    ),
    problems: [
      {
        at: "addressPools",
        says: "hosts.one.swarm.addressPools: 10.65.0.0/16 overlaps 10.64.0.0/12: name each address once",
      },
      {
        at: "proxySubnet",
        says: "hosts.two.swarm.proxySubnet: 10.64.0.0/16 overlaps the address pool 10.64.0.0/12, from which Docker takes the networks of stacks: choose one outside",
      },
      {
        at: "proxySubnet",
        after: "three:",
        says: 'hosts.three.swarm.proxySubnet: "172.17.0.0/16" overlaps 172.17.0.0/16, which Docker\'s own bridges use: choose another, as in 10.80.0.0/16',
      },
      {
        at: "addressPools",
        after: "four:",
        says: 'hosts.four.swarm.addressPools: "172.16.0.0/12" overlaps 172.17.0.0/16, which Docker\'s own bridges use: choose another, as in 10.80.0.0/16',
      },
    ],
  },
  {
    name: "paths of secrets that are relative, in the store or no plain paths",
    yaml: hosts(
      host({
        certificate: "{ certificate: cert.pem, key: /nix/store/key.pem }",
        docker: "{ registryCredentials: ~/config.json }",
        apps: `\n      wiki: ${app("wiki.ci.example.org", 'secrets: { one: ../one, two: "/s/a b", three: /s/../x }')}`,
      }),
    ),
    problems: [
      {
        at: "registryCredentials",
        says: "hosts.one.docker.registryCredentials: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "key:",
        says: 'hosts.one.certificate.key: "/nix/store/key.pem" lies in the Nix store, which everybody on the host can read: put the file elsewhere',
      },
      {
        at: "certificate: cert.pem",
        says: "hosts.one.certificate.certificate: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "one: ../one",
        says: "hosts.one.apps.wiki.secrets.one: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "two:",
        says: `hosts.one.apps.wiki.secrets.two: "/s/a b" must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
      },
      {
        at: "three:",
        says: `hosts.one.apps.wiki.secrets.three: "/s/../x" must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
      },
    ],
  },
  {
    name: "units and paths of the certificate that are none",
    yaml: hosts(
      host({
        certificate:
          "{ certificate: /tmp/cert.pem, key: /c/key.pem, waitFor: [sops, a.timer], watch: [live, /c/b/] }",
      }),
    ),
    problems: [
      {
        at: "certificate: /tmp",
        says: 'hosts.one.certificate.certificate: "/tmp/cert.pem" lies where units have their own files or the kernel has its: put the file elsewhere',
      },
      {
        at: "waitFor",
        says: 'hosts.one.certificate.waitFor: "sops" is no service and no mount: name the unit that puts the file there in full, as in sops-install-secrets.service',
      },
      {
        at: "waitFor",
        says: 'hosts.one.certificate.waitFor: "a.timer" is no service and no mount: name the unit that puts the file there in full, as in sops-install-secrets.service',
      },
      {
        at: "watch",
        says: "hosts.one.certificate.watch: must be an absolute path on the host, as in /var/lib/ci-secrets/name",
      },
      {
        at: "watch",
        says: `hosts.one.certificate.watch: "/c/b/" must be a plain path without '.', '..', blanks, doubled or final slashes, each part up to 255 characters`,
      },
    ],
  },
  {
    name: "certificate and key in one file",
    yaml: hosts(host({ certificate: "{ certificate: /c/both.pem, key: /c/both.pem }" })),
    problems: [
      {
        at: "key:",
        says: "hosts.one.certificate.key: must be another file than the certificate: split the PEM file in two",
      },
    ],
  },
  {
    name: "recipes that are no recipes",
    yaml: hosts(
      host({
        traefik: '{ commit: "main", repository: "https://user:pw@example.org/x.git" }',
        apps: `\n      wiki: { recipe: ../wiki, release: latest, domain: wiki.ci.example.org, repository: "ext::sh -c id" }`,
      }),
    ),
    problems: [
      {
        at: "commit",
        says: 'hosts.one.traefik.commit: "main" must be all 40 hex digits of the commit: a shorter one, a branch or a tag can move',
      },
      {
        at: "repository",
        says: 'hosts.one.traefik.repository: "https://user:pw@example.org/x.git" must be an https address without user, password or query, as in https://git.coopcloud.tech/coop-cloud/traefik.git',
      },
      {
        at: "recipe: ../wiki",
        says: 'hosts.one.apps.wiki.recipe: "../wiki" is no name of a recipe: use lower-case letters, digits and inner dashes',
      },
      {
        at: "release: latest",
        says: 'hosts.one.apps.wiki.release: "latest" is no release: write it as in 5.1.1 or 5.1.1+v3.6.15',
      },
      {
        at: 'repository: "ext',
        says: 'hosts.one.apps.wiki.repository: "ext::sh -c id" must be an https address without user, password or query, as in https://git.coopcloud.tech/coop-cloud/traefik.git',
      },
    ],
  },
  {
    name: "variables that are ours to set, or none",
    yaml: hosts(
      host({
        traefik:
          '{ release: "5.1.1", env: { TYPE: x, LETS_ENCRYPT_ENV: production, WILDCARDS_ENABLED: "0", "A-B": x, SLOT: "@slot:recipe-version@" } }',
      }),
    ),
    problems: [
      {
        at: "env:",
        says: "hosts.one.traefik.env: TYPE cannot be set here: it follows recipe and release",
      },
      {
        at: "env:",
        says: "hosts.one.traefik.env: LETS_ENCRYPT_ENV cannot be set here: it stays empty: certificates come from host files",
      },
      {
        at: "env:",
        says: 'hosts.one.traefik.env: "A-B" cannot be the name of a variable: use letters, digits and underscores, no digit first',
      },
      {
        at: "env:",
        says: "hosts.one.traefik.env: SLOT holds @slot:recipe-version@, which the host would fill in: write something else",
      },
      {
        at: "env:",
        says: "hosts.one.traefik.env: WILDCARDS_ENABLED cannot be set here: it is always 1",
      },
    ],
  },
  {
    name: "names of hosts that are no labels",
    yaml: hosts(
      ...['"a b"', "Upper", "a.b", "-dash", `"${long}"`, '"ü"'].map((name, index) =>
        host({ domain: `h${index}.example.org` }, name),
      ),
    ),
    problems: ["a b", "Upper", "a.b", "-dash", long, "ü"].map((name) => ({
      at: /^[\w.-]+$/.test(name) && name !== long ? `${name}:` : `"${name}"`,
      says: `hosts.${name}: cannot be a name: use up to 63 lower-case letters, digits and inner dashes`,
    })),
  },
  {
    name: "names of apps that are no labels",
    yaml: hosts(
      host({
        apps: ['"a b"', "../x", "a/b", `"${long}"`]
          .map((name, index) => `\n      ${name}: ${app(`h${index}.ci.example.org`)}`)
          .join(""),
      }),
    ),
    problems: ["a b", "../x", "a/b", long].map((name) => ({
      at: name === "a b" || name === long ? `"${name}"` : `${name}:`,
      says: `hosts.one.apps.${name}: cannot be a name: use up to 63 lower-case letters, digits and inner dashes`,
    })),
  },
  {
    name: "problems in several hosts, apps and kinds, all at once",
    yaml: hosts(
      host({ domain: "nodots", swarm: "{ subnetSize: 8, nodeCertificateDays: 0 }" }),
      host({ docker: '{ registryMirrors: ["mirror.example.org"] }' }, "two"),
    ),
    problems: [
      {
        at: "domain",
        says: 'hosts.one.domain: "nodots" is no domain name: use lower-case labels joined by dots, as in ci.example.org',
      },
      {
        at: "nodeCertificateDays",
        says: "hosts.one.swarm.nodeCertificateDays: must be a whole number of days, from 1 to 36500",
      },
      {
        at: "subnetSize",
        says: "hosts.one.swarm.subnetSize: 8 must be larger than the prefix length of the pool 10.64.0.0/12, and 29 at the most",
      },
      {
        at: "registryMirrors",
        says: 'hosts.two.docker.registryMirrors: "mirror.example.org" must be the address of a server without a path, as in https://mirror.example.org',
      },
    ],
  },
];

testMistakes(cases);
