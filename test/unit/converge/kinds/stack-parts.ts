import type { Service, Task } from "../../../../services/converge/adapters/docker-schemas.ts";
import type {
  ModelService,
  StackModel,
} from "../../../../services/converge/adapters/stack-model.ts";
import { sealedLabels } from "../../../../services/converge/kinds/stack/seal.ts";

export const stack = "web_example_org";

export const modelService: ModelService = {
  ...{ name: "app", image: "web:1.0.0", replicas: 1 },
  labels: { "traefik.enable": "true", [`coop-cloud.${stack}.version`]: "1.0.0" },
  secrets: [`${stack}_token_1`],
  ...{ configs: [`${stack}_page_v1`], networks: ["proxy"] },
  ports: [{ port: 443, protocol: "tcp" }],
};

export const model: StackModel = {
  services: [modelService],
  external: { secrets: [`${stack}_token_1`], networks: ["proxy"] },
};

type ContainerSpec = NonNullable<Service["Spec"]["TaskTemplate"]["ContainerSpec"]>;

const container: ContainerSpec = {
  ...{ Image: `web:1.0.0@sha256:${"0".repeat(64)}`, Env: ["A=1"], Labels: {} },
  Secrets: [{ SecretName: `${stack}_token_1`, SecretID: "s" }],
  Configs: [{ ConfigName: `${stack}_page_v1`, ConfigID: "c" }],
};

/** As Docker has it after a deploy of the model. */
export function serviceOf(
  parts: Partial<Service> & {
    readonly spec?: Partial<Service["Spec"]>;
    readonly container?: Partial<ContainerSpec>;
    readonly networks?: readonly string[];
  } = {},
): Service {
  const { spec, container: own, networks = ["id-proxy"], ...others } = parts;
  return {
    ...{ ID: "id-app", Version: { Index: 7 }, Endpoint: null, UpdateStatus: null },
    ...others,
    Spec: {
      Name: `${stack}_app`,
      Labels: {
        "com.docker.stack.namespace": stack,
        "traefik.enable": "true",
        [`coop-cloud.${stack}.version`]: "1.0.0+2.0.0",
      },
      TaskTemplate: {
        ContainerSpec: { ...container, ...own },
        Networks: networks.map((Target) => ({ Target })),
      },
      Mode: { Replicated: { Replicas: 1 } },
      ...spec,
    },
  };
}

/** The same with a seal that fits. */
export function sealed(desired: string, service: Service): Service {
  return { ...service, Spec: { ...service.Spec, Labels: sealedLabels(desired, service) } };
}

export function taskOf(
  parts: Partial<Omit<Task, "Status">> & {
    readonly status?: Partial<Task["Status"]>;
    readonly container?: Partial<ContainerSpec>;
  } = {},
): Task {
  const { status, container: own, ...others } = parts;
  return {
    ...{ ID: "task-1", ServiceID: "id-app", DesiredState: "running" },
    CreatedAt: "2026-01-01T00:00:00Z",
    Spec: { ContainerSpec: { ...container, ...own } },
    ...others,
    Status: {
      ...{ State: "running", Message: "started", Err: "" },
      Timestamp: "2026-01-01T00:00:00.5Z",
      ContainerStatus: { ContainerID: "container-1", ExitCode: 0 },
      ...status,
    },
  };
}
