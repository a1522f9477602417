import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DockerRefusal, DockerSilence } from "../../../services/converge/adapters/docker-socket.ts";
import type { Files } from "../../../services/converge/adapters/files.ts";
import type { DesiredState, ResourceOf } from "../../../services/converge/desired-state.ts";
import type { Call, Phase } from "../../../services/converge/engine/call.ts";
import { Gate } from "../../../services/converge/engine/gate.ts";
import { endAfter } from "../../../services/converge/engine/last-end.ts";
import { defineLines, oneLine, Stop } from "../../../services/converge/engine/line.ts";
import { apply, plan } from "../../../services/converge/engine/run.ts";
import { Sights } from "../../../services/converge/engine/sights.ts";
import { Slots } from "../../../services/converge/engine/slots.ts";
import { stableJson } from "../../../services/converge/engine/stable-json.ts";
import type { Context, Steps } from "../../../services/converge/engine/steps.ts";
import { asStop } from "../../../services/converge/engine/surprise.ts";
import { waitFor } from "../../../services/converge/engine/waiting.ts";
import { contextOf, heardReport } from "./fake-context.ts";
import { fakeClock } from "./kinds/fakes.ts";

/** A world in which time stands still. */
function standing(): Context {
  return contextOf({ world: { clock: fakeClock(new Date(0)) } });
}

describe("a line", () => {
  const lines = defineLines({
    "thing-wrong": { as: "refused", says: "{path}: is wrong: mend {path} in {seconds} s" },
  });

  test("has its values in every place that names them", () => {
    const { line } = lines.stop("thing-wrong", { path: "/a", seconds: 3 });
    expect(line).toEqual({
      id: "thing-wrong",
      as: "refused",
      text: "/a: is wrong: mend /a in 3 s",
    });
  });

  test("stays one line, whatever a value holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (path) => {
        const { text } = lines.stop("thing-wrong", { path, seconds: 1 }).line;
        expect(text).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
    expect(oneLine("a\r\n\u2028 b\u001b[31m")).toBe("a  b [31m");
  });

  test("takes a value as it is, also one that looks like a hole or a replacement", () => {
    const { text } = lines.stop("thing-wrong", { path: "{seconds}$&", seconds: 1 }).line;
    expect(text).toBe("{seconds}$&: is wrong: mend {seconds}$& in 1 s");
  });
});

describe("slots", () => {
  test("fill text and values, and one that nobody fills stops with its name", () => {
    const slots = new Slots({ version: "5.1.1" });
    expect(slots.fillIn("TYPE=traefik:@slot:version@\n", "a.env")).toBe("TYPE=traefik:5.1.1\n");
    expect(slots.find({ slot: "other" })).toBeUndefined();
    expect(slots.findIn("@slot:version@ @slot:other@")).toBeUndefined();
    expect(() => slots.get({ slot: "other" }, "a.json")).toThrow(/a\.json: .*'other'/);
    expect(() => slots.fillIn("@slot:other@", "a.env")).toThrow(/'other'/);
  });
});

test("equal values have equal JSON, whatever order their members come in", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(stableJson(turned)).toBe(stableJson(value));
      expect(JSON.parse(stableJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

describe("a bounded wait", () => {
  function clockOf() {
    let time = 0;
    return {
      now: () => new Date(time * 1000),
      monotonic: () => time,
      sleep: async (seconds: number) => {
        time += seconds;
      },
    };
  }

  test("ends with the first answer", async () => {
    let asked = 0;
    const answer = await waitFor(clockOf(), { seconds: 10 }, async () => {
      asked += 1;
      return asked === 3 ? "there" : undefined;
    });
    expect([answer, asked]).toEqual(["there", 3]);
  });

  test("asks a last time when the time is over, and then ends", async () => {
    const clock = clockOf();
    const times: number[] = [];
    const answer = await waitFor(clock, { seconds: 1.2, everySeconds: 0.5 }, async () => {
      times.push(clock.monotonic());
      return undefined;
    });
    expect(answer).toBeUndefined();
    expect(times).toEqual([0, 0.5, 1, 1.2]);
  });
});

describe("a run", () => {
  /** Steps that note in `heard` what is asked of them. */
  function stepsNoting(name: string, heard: string[], calls: readonly Phase[]): Steps {
    const done = new Set<Phase>();
    return {
      require: async () => void heard.push(`require ${name}`),
      verify: async () => void heard.push(`verify ${name}`),
      plan: async () =>
        calls
          .filter((phase) => !done.has(phase))
          .map((phase): Call => {
            const perform = async () => {
              done.add(phase);
              heard.push(`${phase} ${name}`);
            };
            return { phase, verb: "secret create", target: name, why: "absent", perform };
          }),
    };
  }

  const state = {
    version: 1,
    host: "cc-ci",
    piece: "traefik",
    resources: [
      { kind: "env", path: "/a", content: "/a" },
      { kind: "env", path: "/b", content: "/b" },
    ],
  } satisfies DesiredState;

  function stepsByPath(heard: string[], phases: Readonly<Record<string, readonly Phase[]>>) {
    const steps = Object.fromEntries(
      Object.entries(phases).map(([path, some]) => [path, stepsNoting(path, heard, some)]),
    );
    return (resource: { readonly kind: string }) => {
      if (!("path" in resource)) throw new Error("no path");
      return steps[String(resource.path)] as Steps;
    };
  }

  test("requires all, prepares all, applies all, verifies all, and seals all backwards", async () => {
    const heard: string[] = [];
    const stepsOf = stepsByPath(heard, {
      "/a": ["prepare", "apply", "seal"],
      "/b": ["prepare", "apply", "seal"],
    });
    await apply(state, standing(), stepsOf, new Gate(heardReport(), undefined));
    expect(heard).toEqual([
      ...["require /a", "require /b"],
      ...["prepare /a", "prepare /b", "apply /a", "apply /b"],
      ...["verify /a", "verify /b", "seal /b", "seal /a"],
    ]);
  });

  test("looks at the world once between two calls", async () => {
    let looks = 0;
    const heard: string[] = [];
    const context = contextOf({ sights: new Sights(), world: { clock: fakeClock(new Date(0)) } });
    const look = () =>
      context.sights.of("the world", async () => {
        looks += 1;
      });
    const stepsOf = (resource: { readonly kind: string }): Steps => {
      const steps = stepsByPath(heard, { "/a": [], "/b": ["prepare", "seal"] })(resource);
      return { ...steps, plan: () => look().then(() => steps.plan()) };
    };
    await apply(state, context, stepsOf, new Gate(heardReport(), undefined));
    expect(heard.filter((each) => / \/b$/.test(each)).length).toBe(4);
    // Before the first call, after it, and for /a once more after the second.
    expect(looks).toBe(3);
  });

  test("looks again before it seals, when what was verified had to be waited for", async () => {
    const clock = fakeClock(new Date(0));
    const heard: string[] = [];
    const sealing = stepsNoting("/a", heard, ["seal"]);
    const stepsOf = (): Steps => ({
      plan: async () => (clock.monotonic() < 10 ? [] : await sealing.plan()),
      verify: () => clock.sleep(10),
    });
    const context = contextOf({ sights: new Sights(), world: { clock } });
    await apply(state, context, stepsOf, new Gate(heardReport(), undefined));
    expect(heard).toEqual(["seal /a"]);
  });

  test("asks nobody for a plan in a phase in which he has no calls", async () => {
    const asked: string[] = [];
    const stepsOf = (resource: { readonly kind: string }): Steps => {
      const path = "path" in resource ? String(resource.path) : "";
      const plan = async () => {
        asked.push(path);
        return [];
      };
      return path === "/a" ? { phases: ["apply"], plan } : { plan };
    };
    await apply(state, standing(), stepsOf, new Gate(heardReport(), undefined));
    expect(asked).toEqual(["/b", "/a", "/b", "/b"]);
  });

  test("ends over a call in a phase in which its resource says that it has none", async () => {
    const heard: string[] = [];
    const both = stepsByPath(heard, { "/a": ["prepare", "seal"], "/b": [] });
    const stepsOf = (resource: { readonly kind: string }): Steps => {
      return { ...both(resource), phases: ["prepare"] };
    };
    const stray = "secret create /a: its resource says that it has no calls to seal";
    await expect(plan(state, contextOf(), stepsOf)).rejects.toThrow(stray);
    const gate = new Gate(heardReport(), undefined);
    await expect(apply(state, standing(), stepsOf, gate)).rejects.toThrow(stray);
    expect(heard.filter((each) => each.startsWith("prepare"))).toEqual([]);
  });

  test("plans the very calls that it then performs, in their order", async () => {
    const phases = { "/a": ["apply", "seal"], "/b": ["prepare", "seal"] } as const;
    const planned = await plan(state, contextOf(), stepsByPath([], phases));
    const performed: string[] = [];
    const report = {
      ...heardReport(),
      call: (call: Pick<Call, "target">) => void performed.push(call.target),
    };
    await apply(state, standing(), stepsByPath([], phases), new Gate(report, undefined));
    expect(planned.map(({ target }) => target)).toEqual(performed);
    expect(planned.map(({ phase }) => phase)).toEqual(["prepare", "apply", "seal", "seal"]);
  });

  test("touches nothing when something is required and not there", async () => {
    const heard: string[] = [];
    const lines = defineLines({ "not-there": { as: "failed", says: "not there" } });
    const stepsOf = (resource: { readonly kind: string }) => ({
      ...stepsByPath(heard, { "/a": ["apply"], "/b": ["apply"] })(resource),
      ...("path" in resource && resource.path === "/b"
        ? { require: () => Promise.reject(lines.stop("not-there", {})) }
        : {}),
    });
    const running = apply(state, standing(), stepsOf, new Gate(heardReport(), undefined));
    await expect(running).rejects.toThrow("not there");
    expect(heard).toEqual(["require /a"]);
  });

  /** A piece with one host file, of which nobody knows but the engine. */
  function pieceOf(origin: ResourceOf<"host-file">["origin"]): DesiredState {
    const file = { path: "/key", purpose: "a key", remedy: "put it there" };
    const demand = { format: "opaque", minBytes: 1 } as const;
    return { ...state, resources: [{ kind: "host-file", ...file, origin, demand }] };
  }

  /** How often a run goes over it, when this is what it reads there one time after the other. */
  async function passesOver(
    piece: DesiredState,
    reads: readonly (string | undefined | Error)[],
  ): Promise<number> {
    const left = [...reads];
    const next = (): string | undefined => {
      const content = left.length > 1 ? left.shift() : left[0];
      if (content instanceof Error) throw content;
      return content;
    };
    let content: string | undefined;
    const files = {
      look: async () => {
        content = next();
        return content === undefined ? undefined : { isFile: true };
      },
      read: async () => Buffer.from(content ?? ""),
    } as unknown as Files;
    const heard: string[] = [];
    const steps = stepsNoting("key", heard, []);
    const context = contextOf({ world: { files, clock: fakeClock(new Date(0)) } });
    await apply(piece, context, () => steps, new Gate(heardReport(), undefined));
    return heard.filter((each) => each === "require key").length;
  }

  test.for<[string, DesiredState, (string | undefined | Error)[], number]>([
    ["stays", pieceOf({ by: "operator" }), ["a"], 1],
    ["changes under it", pieceOf({ by: "operator" }), ["a", "a", "b"], 2],
    ["goes on changing", pieceOf({ by: "operator" }), ["a", "a", "b", "b", "c", "d"], 2],
    ["comes while it runs", pieceOf({ by: "operator" }), [undefined, undefined, "b"], 2],
    [
      "is made by the run",
      pieceOf({ by: "host", randomBytes: 32 }),
      [undefined, undefined, "b"],
      1,
    ],
    ["was made, and changes", pieceOf({ by: "host", randomBytes: 32 }), ["a", "a", "b"], 2],
    // Whoever judges the file says so.
    ["cannot be read", pieceOf({ by: "operator" }), [new Error("too large")], 1],
  ])(
    "goes over everything again as it should when a host file %s",
    async ([, piece, reads, passes]) => {
      expect(await passesOver(piece, reads)).toBe(passes);
    },
  );
});

describe("how a run ended", () => {
  const at = (iso: string) => new Date(iso);
  const pending = {
    outcome: "pending",
    calls: 0,
    seconds: 1.26,
    line: { id: "upstream-silent", as: "pending", text: "no answer" },
  } as const;

  test("is counted from the first of a row of equal ends", () => {
    const converged = { outcome: "converged", line: null, calls: 3, seconds: 1 } as const;
    const first = endAfter(undefined, { ...converged, at: at("2026-01-01T00:00:00Z") });
    const second = endAfter(first, { ...converged, at: at("2026-01-02T00:00:00Z") });
    expect(second.since).toBe("2026-01-01T00:00:00.000Z");
    expect(second.at).toBe("2026-01-02T00:00:00.000Z");
    const other = endAfter(second, { ...pending, at: at("2026-01-03T00:00:00Z") });
    expect(other.since).toBe("2026-01-03T00:00:00.000Z");
    expect(other.seconds).toBe(1.3);
  });

  test("is counted from now where an earlier one was noted by a clock that was ahead", () => {
    const ahead = endAfter(undefined, { ...pending, at: at("2099-01-01T00:00:00Z") });
    const right = endAfter(ahead, { ...pending, at: at("2026-01-01T00:00:00Z") });
    expect(right.since).toBe("2026-01-01T00:00:00.000Z");
  });

  test("is a failure once it is pending for longer than the limit, and stays one", () => {
    const first = endAfter(undefined, { ...pending, at: at("2026-01-01T00:00:00Z") });
    const soon = endAfter(first, { ...pending, at: at("2026-01-01T05:59:00Z") });
    expect(soon.outcome).toBe("pending");
    const late = endAfter(soon, { ...pending, at: at("2026-01-01T06:00:00Z") });
    expect(late.outcome).toBe("failed");
    expect(late.line?.text).toMatch(/since 2026-01-01T00:00:00.000Z.*no answer/);
    const later = endAfter(late, { ...pending, at: at("2026-01-01T07:00:00Z") });
    expect([later.outcome, later.since]).toEqual(["failed", "2026-01-01T00:00:00.000Z"]);
  });
});

describe("what was not foreseen", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    ...{ code: "ENOSPC", syscall: "write", path: "/var/lib/cc-ci/x" },
  });
  test.each([
    ["a daemon that is down", new DockerSilence("connect ENOENT"), "docker-silent"],
    ["a daemon that says no", new DockerRefusal(500, "update out of sequence"), "docker-refused"],
    ["a daemon without space", new DockerRefusal(500, "no space left on device"), "disk-full"],
    ["a full disk", full, "disk-full"],
    ["a bug of ours", new TypeError("x is undefined"), "defect"],
    ["what was thrown and is no error", "text", "defect"],
  ])("%s has a line of its own", (_, error, id) => {
    const stop = asStop(error);
    expect(stop).toBeInstanceOf(Stop);
    expect([stop.line.id, stop.line.as]).toEqual([id, "failed"]);
  });
});
