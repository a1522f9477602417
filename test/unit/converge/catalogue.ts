import { abraLines } from "../../../services/converge/commands/abra.ts";
import { applyLines } from "../../../services/converge/commands/apply.ts";
import { piecesLines } from "../../../services/converge/commands/pieces.ts";
import { runLines } from "../../../services/converge/commands/run.ts";
import { statusLines } from "../../../services/converge/commands/status.ts";
import { installedLines } from "../../../services/converge/engine/installed.ts";
import { lastEndLines } from "../../../services/converge/engine/last-end.ts";
import { slotLines } from "../../../services/converge/engine/slots.ts";
import { surpriseLines } from "../../../services/converge/engine/surprise.ts";
import { overlayLines } from "../../../services/converge/kinds/checkout/overlay.ts";
import { secretVariableLines } from "../../../services/converge/kinds/checkout/secret-variables.ts";
import { checkoutLines } from "../../../services/converge/kinds/checkout.ts";
import { dockerStackLines } from "../../../services/converge/kinds/docker-stack.ts";
import { drainedServiceLines } from "../../../services/converge/kinds/drained-service.ts";
import { droneAccountLines } from "../../../services/converge/kinds/drone/account-lines.ts";
import { droneAnswerLines } from "../../../services/converge/kinds/drone/answers.ts";
import { droneBuildsLines } from "../../../services/converge/kinds/drone-builds.ts";
import { droneRepositoryLines } from "../../../services/converge/kinds/drone-repository.ts";
import { envLines } from "../../../services/converge/kinds/env.ts";
import { hostFileLines } from "../../../services/converge/kinds/host-file/demand.ts";
import { networkLines } from "../../../services/converge/kinds/network.ts";
import { retiredStackLines } from "../../../services/converge/kinds/retired/stack.ts";
import { retiredLines } from "../../../services/converge/kinds/retired.ts";
import { runnerSecretLines } from "../../../services/converge/kinds/runner-secret.ts";
import { secretLines } from "../../../services/converge/kinds/secret.ts";
import { servedCertificateLines } from "../../../services/converge/kinds/served-certificate.ts";
import { stackLines } from "../../../services/converge/kinds/stack/lines.ts";
import { swarmLines } from "../../../services/converge/kinds/swarm.ts";
import type { LineShape } from "../../../services/lib/line.ts";
import { runCatalogue } from "../run/catalogue.ts";

/** Lines by their ids, as one file of a program declares them. */
type Shapes = Readonly<Record<string, LineShape>>;

/**
 * The lines of each file below services/converge that declares some, by the path of the file. Named
 * one by one, so that lines that nothing says any more are seen to be unused.
 */
export const catalogue: Readonly<Record<string, Shapes>> = {
  "commands/abra.ts": abraLines.shapes,
  "commands/run.ts": runLines.shapes,
  "commands/apply.ts": applyLines.shapes,
  "commands/pieces.ts": piecesLines.shapes,
  "commands/status.ts": statusLines.shapes,
  "engine/installed.ts": installedLines.shapes,
  "engine/last-end.ts": lastEndLines.shapes,
  "engine/slots.ts": slotLines.shapes,
  "engine/surprise.ts": surpriseLines.shapes,
  "kinds/checkout.ts": checkoutLines.shapes,
  "kinds/checkout/overlay.ts": overlayLines.shapes,
  "kinds/checkout/secret-variables.ts": secretVariableLines.shapes,
  "kinds/docker-stack.ts": dockerStackLines.shapes,
  "kinds/drained-service.ts": drainedServiceLines.shapes,
  "kinds/drone/account-lines.ts": droneAccountLines.shapes,
  "kinds/drone-builds.ts": droneBuildsLines.shapes,
  "kinds/drone-repository.ts": droneRepositoryLines.shapes,
  "kinds/drone/answers.ts": droneAnswerLines.shapes,
  "kinds/env.ts": envLines.shapes,
  "kinds/host-file/demand.ts": hostFileLines.shapes,
  "kinds/network.ts": networkLines.shapes,
  "kinds/retired.ts": retiredLines.shapes,
  "kinds/retired/stack.ts": retiredStackLines.shapes,
  "kinds/runner-secret.ts": runnerSecretLines.shapes,
  "kinds/secret.ts": secretLines.shapes,
  "kinds/served-certificate.ts": servedCertificateLines.shapes,
  "kinds/stack/lines.ts": stackLines.shapes,
  "kinds/swarm.ts": swarmLines.shapes,
};

/** Every line that a program of the host can print, with its id: one entry for each declaration. */
export const everyLine: readonly (readonly [id: string, shape: LineShape])[] = [
  ...Object.values(catalogue),
  ...Object.values(runCatalogue),
].flatMap((shapes) => Object.entries(shapes));
