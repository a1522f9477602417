import { defineLines } from "../../engine/line.ts";

export const stackLines = defineLines({
  "stack-foreign": {
    as: "refused",
    says: "{stack} runs here ({services}) and this host's converge did not deploy it: either hand it over with \"echo {host} | docker config create --label {label} {config} -\", which lets its services be deployed anew from the configuration, or undeploy it; volumes stay either way; then run 'systemctl start {unit}'",
  },
  "stack-of-another-host": {
    as: "refused",
    says: "the stack {stack} belongs to host '{theirs}', as the label of the config {config} says, and this is '{host}': undeploy it, or remove that config when nothing of it is left; then run 'systemctl start {unit}'",
  },
  "stack-port-taken": {
    as: "refused",
    says: "port {port} of this host, which {service} publishes, is taken by {taker}: undeploy that one, or have it publish another port; then run 'systemctl start {unit}'; what runs was left alone",
  },
  "stack-incomplete": {
    as: "failed",
    says: "the desired state of {piece} has no {what} for {stack}: run 'npm run synth', commit out/ and switch again",
  },
  "stack-unreadable": {
    as: "failed",
    says: "the files of {recipe} {version} make no stack ({words}): set another release of it, or what it misses, in cc-ci.yaml; what runs was left alone",
  },
  "stack-recipe-gone": {
    as: "failed",
    says: "the files of {recipe} {version} were taken away while this run went on: the next run gets them again",
  },
  "stack-needs": {
    as: "failed",
    says: "{stack} needs the {what} {name} of this swarm, and nothing makes it: see which setting of {recipe} asks for it, and set or drop it in cc-ci.yaml; nothing was deployed",
  },
  "traefik-too-old": {
    as: "refused",
    says: '{image} asks Docker for version {asked} of its API, and this daemon speaks none below {floor}: either set a newer release of the recipe in cc-ci.yaml (Traefik from v2.11.31 or v3.6.1 on), or set virtualisation.docker.daemon.settings.min-api-version = "{asked}" on this host; what runs was left alone',
  },
  "image-not-reached": {
    as: "pending",
    says: "the image {image} is not on this host, and its registry cannot be asked now ({words}): what runs goes on running; the next run tries again",
  },
  "image-not-given": {
    as: "failed",
    says: "the image {image} is not on this host and cannot be pulled ({words}): check its name in the recipe, and the registry's credentials; what runs goes on running",
  },
  "service-rolled-back": {
    as: "failed",
    says: "Docker took the update of {service} back, since its new tasks did not stay up ({words}): the older state runs, and this one is not deployed again; see 'docker service logs {service}', and set another release or what it misses in cc-ci.yaml; to try the same again: docker service update --detach --label-add again=1 {service}",
  },
  "service-update-paused": {
    as: "failed",
    says: "Docker stopped half-way in the update of {service}, since its new tasks did not stay up ({words}): it is not gone on with; see 'docker service logs {service}', and set another release or what it misses in cc-ci.yaml; to go on all the same: docker service update --detach --label-add again=1 {service}",
  },
  "service-differs": {
    as: "failed",
    says: "{service} is not what was to be deployed: {what}: see 'docker service inspect {service}'; the next run deploys again",
  },
  "service-not-up": {
    as: "failed",
    says: "{service} is not up after {seconds} s: {what} ({words}): see 'docker service ps --no-trunc {service}' and 'docker service logs {service}'; the next run looks again",
  },
  "service-port-lost": {
    as: "failed",
    says: "Docker gives {service} no port {port}, which no container has: it lost count of its ports when it was killed, and counts anew when it starts; the next run restarts it, or 'systemctl restart docker' now; every container of this host is then started again",
  },
  "service-port-lost-again": {
    as: "failed",
    says: "Docker gives {service} no port {port}, which no container has, although it was restarted for that and nothing worked since: see 'ss -ltnp sport = :{port}' and 'journalctl -u docker', and run 'systemctl restart docker', which starts every container of this host again",
  },
  "docker-restart-waits": {
    as: "pending",
    says: "Docker gives {service} no port {port}, which no container has, and has to be restarted for that: it waits for what that would end, {runs}; the next run looks again, or 'cc-ci-run drain --end systemctl restart docker' ends that now",
  },
  "docker-not-restarted": {
    as: "failed",
    says: "Docker was to be restarted, since it gives {service} no port {port}, and {what} ({words}): see 'systemctl status docker' and 'journalctl -u docker'; the next run looks again",
  },
  "service-changed-meanwhile": {
    as: "failed",
    says: "{service} was changed by somebody else while this run went on: the next run deploys it again",
  },
});
