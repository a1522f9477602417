import { type DesiredState, desiredStateSchema } from "../../services/converge/desired-state.ts";
import { converging, only, ours, readable, type World } from "./world.ts";

/** A line if something does not hold. */
function unless(holds: boolean | undefined, line: string): readonly string[] {
  return holds === true ? [] : [line];
}

function without(all: readonly string[], known: readonly string[]): readonly string[] {
  return all.filter((item) => !known.includes(item));
}

const stateRoot = "/var/lib/";
const isBelow = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => `${path}/`.startsWith(`${stateRoot}${folder}/`));

/** The folders that the resources of a state are a reason to write. */
function foldersFor(state: DesiredState): readonly string[] {
  const secrets = only(state, "host-file").some(({ origin }) => origin.by === "host");
  const retires = only(state, "retired").map(({ abraDirectories }) => abraDirectories);
  return [
    `cc-ci/state/${state.piece}`,
    ...[...only(state, "stack").map(({ abraDirectory }) => abraDirectory), ...retires].map((path) =>
      path.replace(stateRoot, ""),
    ),
    ...only(state, "docker-stack")
      .flatMap(({ folders }) => folders)
      .map((path) => path.replace(stateRoot, "")),
    ...(secrets ? ["cc-ci/secrets"] : []),
  ];
}

/** The paths that the resources of a state are written to. */
function written(state: DesiredState): readonly string[] {
  return state.resources.flatMap((resource) => {
    switch (resource.kind) {
      case "checkout":
        return [resource.directory];
      case "env":
        return [resource.path];
      case "stack":
        return [resource.abraDirectory];
      case "retired":
        return [resource.abraDirectories];
      case "host-file":
        return resource.origin.by === "host" ? [resource.path] : [];
      default:
        return [];
    }
  });
}

const slotFlag = " --slot ";

/** A command whose slots are in some order. */
function partsOf(command: string): string {
  return command.split(slotFlag).sort().join(slotFlag);
}

/** What of a resource may be a slot that something else fills. */
function slottedValues(resource: DesiredState["resources"][number]) {
  switch (resource.kind) {
    case "env":
      return [resource.content];
    case "stack":
      return [resource.version];
    case "checkout":
      return (resource.overlay?.files ?? []).map(({ content }) => content);
    case "docker-stack":
      return [resource.composeFile, resource.image.reference, resource.image.loader];
    case "drained-service":
      return [resource.program];
    default:
      return [];
  }
}

const mayBeRequired = /^(?:docker|cc-ci-swarm|cc-ci-network-[a-z0-9-]+)\.service$/;
const pathLike = /\.(?:PATH|LOCALE_ARCHIVE|TZDIR)$/;

/** A rule gives a line for each place where it is broken. */
export type Rule = (world: World) => readonly string[];

/** What holds on every host, by the words that it is known by. */
export const rules = {
  "a piece is a oneshot that nothing but systemd's jobs start again": (world) =>
    converging(world).flatMap((unit) => [
      ...unit.differs("Service.Type", "oneshot"),
      ...unit.has(/^Service\.(?:Restart|RemainAfterExit)/),
    ]),

  "no unit has a condition, which would leave it inactive and a success": (world) =>
    ours(world).flatMap((unit) => unit.has(/^Unit\.(?:Condition|Assert)/)),

  "a piece has no start limit, and a bound on its time": (world) =>
    converging(world).flatMap((unit) => [
      ...unit.differs("Unit.StartLimitIntervalSec", "0"),
      ...unit.has(/^Service\.(?:TimeoutSec|StartLimit)/),
      ...unless(
        /^[1-9]\d*(?:s|min)$/.test(unit.values("Service.TimeoutStartSec").join(",")),
        `${unit.name}: TimeoutStartSec is ${unit.values("Service.TimeoutStartSec").join(",")}`,
      ),
    ]),

  "pending fails no rebuild, and what a piece writes is root's alone": (world) =>
    converging(world).flatMap((unit) => [
      ...unit.differs("Service.SuccessExitStatus", "75"),
      ...unit.differs("Service.UMask", "0077"),
      ...unit.differs("Service.StateDirectoryMode", "0700"),
    ]),

  "a piece has a home of its own": (world) =>
    converging(world).flatMap((unit) => [
      ...unless(
        unit.values("Service.StateDirectory").includes(`cc-ci/state/${unit.piece}`),
        `${unit.name}: has no state folder of its own`,
      ),
      ...unit.differs("Service.Environment.HOME", `"HOME=${stateRoot}cc-ci/state/${unit.piece}"`),
    ]),

  "a piece is started by cc-ci.target, and that by multi-user.target": (world) => [
    ...converging(world).flatMap(({ name, wantedBy, requiredBy }) =>
      unless(
        wantedBy.join() === "cc-ci.target" && requiredBy.length === 0,
        `${name}: is wanted by ${wantedBy.join()} and required by ${requiredBy.join()}`,
      ),
    ),
    ...unless(
      world.units["cc-ci.target"]?.wantedBy.includes("multi-user.target"),
      "cc-ci.target: is not wanted by multi-user.target",
    ),
  ],

  "a piece runs converge on its own file, and nothing else": (world) =>
    converging(world).flatMap((unit) => {
      const piece = world.list.pieces.find(({ name }) => name === unit.piece);
      const slots = Object.entries(piece?.slots ?? {});
      const file = String(piece?.file);
      const command = unit
        .values("Service.ExecStart")
        .map((line) => line.replace(/^\/nix\/store\/[a-z0-9]{32}-cc-ci-converge-\d+\/bin\//, ""));
      return [
        ...unless(
          partsOf(command.join("\n")) ===
            partsOf(
              [`converge apply ${file}`, ...slots.map(([k, v]) => `${k}=${String(v)}`)].join(
                slotFlag,
              ),
            ),
          `${unit.name}: runs ${command.join("; ")}`,
        ),
        ...unless(
          new RegExp(`^/nix/store/[a-z0-9]{32}-${unit.piece}\\.json$`).test(file),
          `${unit.name}: ${file} is not its file`,
        ),
        ...unit.has(/^Service\.Exec(?!Start$)/),
      ];
    }),

  "a piece writes only where its resources give it a reason to": (world) =>
    readable(world).flatMap(({ unit, state }) => {
      const folders = unit.values("Service.StateDirectory");
      return [
        ...unit.differs("Service.ProtectSystem", "strict"),
        ...unit.differs("Service.ProtectHome", "read-only"),
        ...unit.differs("Service.PrivateTmp", "true"),
        ...unit.differs("Service.CacheDirectory", "cc-ci/converge"),
        ...unit.differs("Service.CacheDirectoryMode", "0700"),
        ...unit.has(
          /^Service\.(?:ReadWrite|Bind|Temporary|Runtime|Logs|Configuration|Root|User|Group|Dynamic)/,
        ),
        ...without(folders, foldersFor(state)).map((folder) => `${unit.name}: writes ${folder}`),
        ...written(state)
          .filter((path) => !isBelow(path, folders))
          .map((path) => `${unit.name}: cannot write ${path}`),
      ];
    }),

  "a piece that undeploys has abra, git and the folders of every app": (world) =>
    readable(world)
      .filter(({ state }) => only(state, "stack").length + only(state, "retired").length > 0)
      .flatMap(({ unit, state }) => [
        ...["abra", "git"].flatMap((program) =>
          unless(
            new RegExp(`[=:]/nix/store/[a-z0-9]{32}-${program}-[^:/]+/bin[:"]`).test(
              unit.values("Service.Environment.PATH").join(),
            ),
            `${unit.name}: has no ${program}`,
          ),
        ),
        ...only(state, "retired").flatMap(() =>
          unless(
            unit.values("Service.StateDirectory").includes("cc-ci/abra"),
            `${unit.name}: has no cc-ci/abra`,
          ),
        ),
      ]),

  "there is someone who retires": (world) =>
    unless(
      readable(world)
        .flatMap(({ state }) => only(state, "retired"))
        .filter((retired) => retired.of === "host").length === 1,
      "not one piece retires",
    ),

  "every piece has a unit, every unit a piece, in the order of their needs": ({
    list,
    ...rest
  }) => {
    const units = converging({ list, ...rest });
    const listed = list.pieces.map(({ unit }) => unit);
    const names = units.map(({ name }) => name);
    return [
      ...without(listed, names).map((name) => `${name}: is listed and does not exist`),
      ...without(names, listed).map((name) => `${name}: is not listed`),
      ...unless(new Set(listed).size === listed.length, "a unit is listed twice"),
      ...list.pieces.flatMap(({ name, unit }) =>
        unless(unit === `cc-ci-${name}.service`, `${name}: its unit is ${unit}`),
      ),
      ...units.flatMap((unit) =>
        unit
          .words("Unit.After")
          .filter((other) => listed.indexOf(other) > listed.indexOf(unit.name))
          .map((other) => `${unit.name}: is listed before ${other}`),
      ),
    ];
  },

  "one service, which only its timer starts, runs every piece again": (world) => {
    const name = "cc-ci-reconcile.service";
    const reconcile = ours(world).find((unit) => unit.name === name);
    const pieces = converging(world).map((unit) => unit.name);
    const callers = ours(world).filter((unit) =>
      unit
        .keys(/^Unit\.(?:Requires|Wants|BindsTo|Requisite|Upholds|PartOf|On)/)
        .some((key) => unit.words(key).includes(name)),
    );
    const timer = ours(world).find((unit) => unit.name === "cc-ci-reconcile.timer");
    return [
      ...["Unit.Wants", "Unit.After"].flatMap((key) =>
        without(pieces, reconcile?.words(key) ?? []).map(
          (piece) => `${name}: ${piece} is not in ${key}`,
        ),
      ),
      ...callers.map((unit) => `${unit.name}: starts ${name}`),
      ...[...(reconcile?.wantedBy ?? []), ...(reconcile?.requiredBy ?? [])].map(
        (other) => `${other}: starts ${name}`,
      ),
      ...unless(
        timer?.wantedBy.includes("timers.target") &&
          timer.values("Timer.OnCalendar").length > 0 &&
          timer.values("Timer.Unit").every((unit) => unit === name),
        "its timer does not start it",
      ),
    ];
  },

  "only docker, the swarm and a network are required, and nobody is started unordered": (world) =>
    ours(world).flatMap((unit) => [
      ...unit
        .words("Unit.Requires")
        .filter((other) => !mayBeRequired.test(other))
        .map((other) => `${unit.name}: requires ${other}`),
      ...unit.has(/^Unit\.(?:BindsTo|Requisite|PartOf|Upholds|Conflicts)$/),
      ...unit.requiredBy.map((other) => `${other}: requires ${unit.name}`),
      ...without(
        [...unit.words("Unit.Requires"), ...unit.words("Unit.Wants")],
        unit.words("Unit.After"),
      ).map((other) => `${unit.name}: is not after ${other}`),
    ]),

  "a path unit watches what its piece is made of, and survives many changes": (world) =>
    ours(world, ".path").flatMap((unit) => {
      const target = unit.values("Path.Unit")[0] ?? unit.name.replace(/\.path$/, ".service");
      const service = readable(world).find((other) => other.unit.name === target);
      if (service === undefined) return [`${unit.name}: starts ${target}, which is no piece`];
      return [
        ...service.unit.differs("Unit.StartLimitIntervalSec", "0"),
        ...unit.keys(/^Path\.(?!PathChanged$|Unit$)/).map((key) => `${unit.name}: has ${key}`),
        ...unless(
          unit.wantedBy.includes("paths.target"),
          `${unit.name}: is not wanted by paths.target`,
        ),
      ];
    }),

  "every file that a person brings is watched": (world) =>
    readable(world).flatMap(({ unit, state }) => {
      const watched = ours(world, ".path")
        .filter(({ name }) => name === unit.name.replace(/\.service$/, ".path"))
        .flatMap((path) => path.values("Path.PathChanged"));
      const brought = only(state, "host-file").filter(({ origin }) => origin.by === "operator");
      return without(
        brought.map(({ path }) => path),
        watched,
      ).map((path) => `${unit.name}: ${path} is not watched`);
    }),

  "no environment names a store path, but for programs and locales": (world) =>
    ours(world, ".service").flatMap((unit) =>
      unit
        .keys(/^Service\.Environment/)
        .filter((key) => !pathLike.test(key))
        .filter((key) => unit.values(key).join().includes("/nix/store"))
        .map((key) => `${unit.name}: ${key} names a store path`),
    ),

  "a service that is not root's can never become it, and finds no secret": (world) =>
    ours(world, ".service")
      .filter((unit) => unit.values("Service.User").length > 0)
      .flatMap((unit) => [
        ...unit.differs("Service.Group", ...unit.values("Service.User")),
        ...unit.differs("Service.NoNewPrivileges", "true"),
        ...unit.differs("Service.CapabilityBoundingSet", ""),
        ...unit.differs("Service.ProtectSystem", "strict"),
        ...unit.has(
          /^Service\.(?:SupplementaryGroups|AmbientCapabilities|LoadCredential|EnvironmentFile)/,
        ),
        ...unit
          .keys(/^Service\.Environment/)
          .filter((key) => unit.values(key).join().includes(`${stateRoot}cc-ci/`))
          .map((key) => `${unit.name}: ${key} names a folder of root's`),
      ]),

  "every desired state is one that the host can read, and is its piece's": (world) =>
    converging(world).flatMap((unit) => {
      const { success, data, error } = desiredStateSchema.safeParse(world.states[unit.piece]);
      return success
        ? unless(
            data.piece === unit.piece && data.host === world.list.host,
            `${unit.name}: its file is that of ${data.host}/${data.piece}`,
          )
        : error.issues.map(({ path, message }) => `${unit.name}: ${path.join(".")}: ${message}`);
    }),

  "a certificate and its key become secrets of one version": (world) =>
    readable(world).flatMap(({ unit, state }) => {
      const chains = only(state, "host-file").flatMap(({ path, demand }) =>
        demand.format === "certificate-chain" ? [{ path, keyFile: demand.keyFile }] : [],
      );
      return only(state, "secret").flatMap(({ name, file, versionOf }) => {
        const pair = chains.find(({ path, keyFile }) => file === path || file === keyFile);
        const hashed = versionOf.what === "file" ? versionOf.path : undefined;
        return unless(hashed === pair?.path, `${unit.name}: ${name} has another version`);
      });
    }),

  "every slot is filled once, every filled slot used, and every secret's stands in a text": (
    world,
  ) =>
    readable(world).flatMap(({ unit, state }) => {
      const text = world.texts[unit.piece] ?? "";
      const used = [
        ...[...text.matchAll(/@slot:([^@]*)@/g)].map((match) => match[1] ?? ""),
        ...state.resources
          .flatMap(slottedValues)
          .flatMap((value) => (typeof value === "string" ? [] : [value.slot])),
      ];
      const secrets = only(state, "secret").map(({ version }) => version.slot);
      const filled = [
        ...[
          ...unit
            .values("Service.ExecStart")
            .join()
            .matchAll(/ --slot ([^=]+)=/g),
        ].map((match) => match[1] ?? ""),
        ...secrets,
        ...only(state, "checkout").flatMap(({ version, overlay, secretVariables }) => [
          version.slot,
          ...(overlay === undefined ? [] : [overlay.version.slot]),
          ...Object.values(secretVariables?.slots ?? {}).map(({ slot }) => slot),
        ]),
      ];
      return [
        ...without(used, filled).map((slot) => `${unit.name}: nobody fills ${slot}`),
        ...without(filled, used).map((slot) => `${unit.name}: nobody uses ${slot}`),
        ...unless(new Set(filled).size === filled.length, `${unit.name}: a slot is filled twice`),
        ...secrets
          .filter((slot) => !text.includes(`@slot:${slot}@`))
          .map((slot) => `${unit.name}: ${slot} is not in its text`),
      ];
    }),

  "a stack comes after its files, its secrets, its checkout and its .env": (world) =>
    readable(world).flatMap(({ unit, state: { resources } }) =>
      resources.flatMap((stack, place) => {
        if (stack.kind !== "stack") return [];
        const before = resources.slice(0, place);
        const after = resources.slice(place + 1);
        const below = (path: string): boolean => path.startsWith(`${stack.abraDirectory}/`);
        return [
          ...unless(
            before.some(
              (r) => r.kind === "checkout" && r.recipe === stack.recipe && below(r.directory),
            ),
            `${unit.name}: no checkout before its stack`,
          ),
          ...unless(
            before.some((r) => r.kind === "env" && below(r.path)),
            `${unit.name}: no .env before its stack`,
          ),
          ...after
            .filter(({ kind }) => kind !== "served-certificate")
            .map(({ kind }) => `${unit.name}: ${kind} after its stack`),
        ];
      }),
    ),

  "a stack, a secret and a network are of one piece, which the list says": (world) => {
    const found = readable(world).flatMap(({ state }) => [
      ...[...only(state, "stack"), ...only(state, "docker-stack")].map(
        ({ stack }) => `${state.piece} stack ${stack}`,
      ),
      ...only(state, "network").map(({ name }) => `${state.piece} network ${name}`),
      ...only(state, "secret").map(({ stack, name }) => `${state.piece} secret ${stack}_${name}`),
    ]);
    const listed = world.list.pieces.flatMap(({ name, stacks, networks, secrets }) => [
      ...stacks.map((stack) => `${name} stack ${stack}`),
      ...networks.map((network) => `${name} network ${network}`),
      ...secrets.map((secret) => `${name} secret ${secret}`),
    ]);
    const things = found.map((line) => line.replace(/^\S+ /, ""));
    return [
      ...without(found, listed).map((line) => `${line}: is not listed`),
      ...without(listed, found).map((line) => `${line}: is listed only`),
      ...unless(new Set(things).size === things.length, "two pieces have the same thing"),
    ];
  },
} as const satisfies Readonly<Record<string, Rule>>;
