import { X509Certificate } from "node:crypto";
import { bootHost, type Host, usualConfiguration } from "../test/host/host.ts";
import { withoutTimer } from "../test/host/library/without-timer.ts";
import { whatHostsLack } from "../test/tools.ts";
import { summary, type Times } from "./measure.ts";
import type { Row } from "./table.ts";

/** Hosts in turn with their floors; odd, so that the median is one of them. */
const rounds = 3;

/** A host on which no piece runs: what is left is what any host with Docker takes. */
const bare = {
  app: usualConfiguration(),
  modules: ["{ lib, ... }: { systemd.targets.cc-ci.wantedBy = lib.mkForce [ ]; }"],
};

const bareBoot = "a host with Docker and without pieces: booted, Docker answers";
const firstBoot = "the first boot of a host: everything converged, images present";
const barePass = "as many oneshots with a node that does nothing";
const pass = "a pass over a converged host";
const bareRotation = "Traefik redeployed by hand: it answers again";
const rotation = "a certificate replaced: it is served";

/** Limits that were promised, in seconds. */
const limits: Readonly<Record<string, number>> = {
  [bareBoot]: 5,
  [firstBoot]: 60,
  [pass]: 2,
  [rotation]: 60,
};

/**
 * Times a real booted host, each figure beside the machine's own floor for it. Nothing where there can
 * be no host, with the reason on stderr.
 */
export async function benchHosts(): Promise<readonly Row[]> {
  const lack = whatHostsLack();
  if (lack !== undefined) {
    process.stderr.write(`hosts are left out: ${lack}\n`);
    return [];
  }
  const taken = new Map<string, number[]>();
  const time = async (name: string, act: () => Promise<unknown>): Promise<void> => {
    const start = performance.now();
    await act();
    const seconds = (performance.now() - start) / 1000;
    taken.set(name, [...(taken.get(name) ?? []), seconds]);
  };
  for (let round = 0; round < rounds; round += 1) {
    await time(bareBoot, async () => {
      await using _ = await bootHost({ configuration: bare });
    });
    let host: Host | undefined;
    try {
      await time(firstBoot, async () => {
        host = await bootHost({ configuration: withoutTimer(usualConfiguration()) });
        await mustConverge(host);
      });
      if (host !== undefined) await timeRunning(host, time);
    } finally {
      await host?.[Symbol.asyncDispose]();
    }
  }
  return [...taken].map(([name, seconds]) => row(name, summary(seconds)));
}

async function timeRunning(
  host: Host,
  time: (name: string, act: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const nothing = "systemd-run --quiet --wait --pipe node --eval 0";
  await time(barePass, () =>
    host.exec(["sh", "-ec", [nothing, nothing, nothing, nothing].join(";")]),
  );
  // The one before it left behind what Node compiled.
  await host.start("cc-ci-reconcile");
  await time(pass, () => host.start("cc-ci-reconcile"));
  await mustConverge(host);
  const service = "traefik_ci_example_org_app";
  await time(bareRotation, async () => {
    await host.exec(["docker", "service", "update", "--quiet", "--force", service]);
    await served(host);
  });
  await host.start("cc-ci-reconcile");
  const next = host.authority.pair();
  await time(rotation, async () => {
    host.putCertificate(next);
    await served(host, new X509Certificate(next.certificate).fingerprint256);
  });
  await mustConverge(host);
}

/** Waits until Traefik serves a certificate: that one, or any. */
async function served(host: Host, fingerprint = ":"): Promise<void> {
  const look =
    "openssl s_client -connect 127.0.0.1:443 -servername traefik.ci.example.org </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 2>/dev/null";
  const script = `until ${look} | grep -qF '${fingerprint}'; do sleep 0.1; done`;
  await host.exec(["sh", "-c", script], { timeoutSeconds: 120 });
}

async function mustConverge(host: Host): Promise<void> {
  await host.settle();
  const { exitCode, stdout } = await host.converge("status");
  if (exitCode !== 0) throw new Error(`the host did not converge\n${stdout}`);
}

function row(name: string, times: Times): Row {
  const limit = limits[name];
  return {
    ...{ name, times, figure: times.median, unit: "s" },
    ...(limit === undefined ? {} : { limit }),
  };
}
