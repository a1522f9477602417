import { stackLabel } from "../../adapters/docker.ts";
import type { Container, SealedFile, Service } from "../../adapters/docker-schemas.ts";
import type { PublishedPort, StackModel } from "../../adapters/stack-model.ts";
import { ownershipConfig } from "../../desired-state.ts";
import { isOurs, managedLabel } from "../../engine/ownership.ts";
import { unitOf } from "../../engine/places.ts";
import { stackLines } from "./lines.ts";

interface StackOfPiece {
  readonly stack: string;
  readonly host: string;
  readonly piece: string;
}

/** @throws {Stop} when the stack is somebody else's */
export function refuseForeign(
  { stack, host, piece }: StackOfPiece,
  services: readonly Service[],
  ownership: SealedFile | undefined,
): void {
  const config = ownershipConfig(stack);
  const unit = unitOf(piece);
  if (ownership !== undefined && !isOurs(ownership.Spec.Labels, host)) {
    const theirs = ownership.Spec.Labels[managedLabel] ?? "";
    throw stackLines.stop("stack-of-another-host", { stack, theirs, host, config, unit });
  }
  if (ownership !== undefined || services.length === 0) return;
  const names = services.map(({ Spec }) => Spec.Name).sort();
  const values = { stack, host, config, unit, services: names.join(", ") };
  throw stackLines.stop("stack-foreign", { ...values, label: `${managedLabel}=${host}` });
}

/** @throws {Stop} when a port that the stack publishes is somebody else's */
export function refuseTakenPort(
  { stack, piece }: StackOfPiece,
  model: StackModel,
  services: readonly Service[],
  containers: readonly Container[],
): void {
  for (const { name, ports } of model.services) {
    for (const published of ports) {
      const taker = takerOf(published, stack, services, containers);
      if (taker === undefined) continue;
      const port = `${published.port}/${published.protocol}`;
      const values = { port, service: `${stack}_${name}`, taker, unit: unitOf(piece) };
      throw stackLines.stop("stack-port-taken", values);
    }
  }
}

function takerOf(
  { port, protocol }: PublishedPort,
  stack: string,
  services: readonly Service[],
  containers: readonly Container[],
): string | undefined {
  const service = services.find(
    ({ Spec, Endpoint }) =>
      Spec.Labels[stackLabel] !== stack &&
      Endpoint?.Ports.some(
        (each) => each.PublishedPort === port && (each.Protocol || "tcp") === protocol,
      ),
  );
  if (service !== undefined) return `the service ${service.Spec.Name}`;
  const container = containers.find(
    ({ Labels, Ports }) =>
      Labels[stackLabel] !== stack &&
      Ports.some((each) => each.PublicPort === port && (each.Type || "tcp") === protocol),
  );
  if (container === undefined) return undefined;
  const [named = container.Id.slice(0, 12)] = container.Names;
  return `the container ${named.replace(/^\//, "")}`;
}
