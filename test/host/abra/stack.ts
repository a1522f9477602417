import { docker, lines } from "./programs.ts";

const removalSeconds = 300;
/** A look starts two programs, and hosts that work share few cores. */
const lookMilliseconds = 1000;

const ofStack = (stack: string): readonly string[] => [
  "--filter",
  `label=com.docker.stack.namespace=${stack}`,
];

/** Names of the stack's services; empty when it is not deployed. */
export function servicesOf(stack: string): readonly string[] {
  return lines(docker(["service", "ls", ...ofStack(stack), "--format", "{{.Name}}"]));
}

/** Names of all swarm secrets. */
export function secretNames(): readonly string[] {
  return lines(docker(["secret", "ls", "--format", "{{.Name}}"]));
}

/** The labels of a service, or nothing when it is not there. */
export function labelsOf(service: string): string {
  const format = "{{range $key, $value := .Spec.Labels}}{{$key}}={{$value}}\n{{end}}";
  return docker(["service", "inspect", "--format", format, service]);
}

/** Waits until no container and no network of the stack is left, or long enough. */
export async function removed(stack: string): Promise<void> {
  const end = Date.now() + removalSeconds * 1000;
  while (Date.now() < end) {
    const left = [
      docker(["ps", "--all", "--quiet", ...ofStack(stack)]),
      docker(["network", "ls", "--quiet", ...ofStack(stack)]),
    ];
    if (left.join("") === "") return;
    await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
  }
}
