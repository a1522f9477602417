import { describe, expect, test } from "vitest";
import { type UnitChanges, unitChanges } from "../host/system/unit-changes.ts";

type Texts = Readonly<Record<string, string>>;

function changes(before: Texts, after: Texts, active = Object.keys(before)): Partial<UnitChanges> {
  const system = (texts: Texts) => ({
    units: Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, { text, wantedBy: [], requiredBy: [] }]),
    ),
  });
  const all = unitChanges(system(before), system(after), new Set(active));
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

const service = (lines: string): string => `[Unit]\n\n[Service]\n${lines}\n`;
const [old, fresh] = [service("ExecStart=a"), service("ExecStart=b")];

describe("a switch of a template", () => {
  const units = (text: string) => ({
    "run@.service": text,
    "run.socket": "[Socket]\nAccept=yes\n",
  });
  const active = ["run@1-2-3.service", "run.socket"];

  test("stops an instance, and its socket with it", () => {
    expect(changes(units(old), units(fresh), active)).toEqual({
      stop: ["run@1-2-3.service", "run.socket"],
      start: ["run.socket"],
    });
  });

  test("leaves an instance alone where the template asks for it, also when it goes", () => {
    const keeps = service("ExecStart=b\nX-RestartIfChanged=false");
    expect(changes(units(old), units(keeps), active)).toEqual({});
    const stays = `[Unit]\nX-StopOnRemoval=false\n\n${keeps}`;
    expect(changes(units(stays), { "run.socket": "[Socket]\nAccept=yes\n" }, active)).toEqual({});
  });

  test("stops an instance whose template goes", () => {
    expect(changes(units(old), {}, active)).toEqual({ stop: ["run@1-2-3.service", "run.socket"] });
  });
});

describe("a switch", () => {
  test.for([
    ["nothing to what is the same", old, old, {}],
    ["nothing when only words differ", `[Unit]\nDescription=a\n${old}`, old, {}],
    ["nothing when only who wants it differs", old, `${old}\n[Install]\nWantedBy=a.target\n`, {}],
    [
      "stop and start to what is another",
      old,
      fresh,
      { stop: ["a.service"], start: ["a.service"] },
    ],
    [
      "nothing where the unit asks for it",
      old,
      service("ExecStart=b\nX-RestartIfChanged=false"),
      {},
    ],
    ["restart", old, service("ExecStart=b\nX-StopIfChanged=false"), { restart: ["a.service"] }],
    ["reload", old, service("ExecStart=b\nX-ReloadIfChanged=true"), { reload: ["a.service"] }],
    [
      "reload for its triggers",
      old,
      `${old}[Unit]\nX-Reload-Triggers=b\n`,
      { reload: ["a.service"] },
    ],
    ["nothing to what refuses to be stopped", old, `${fresh}[Unit]\nRefuseManualStop=yes\n`, {}],
  ] as const)("does %s", ([, before, after, expected]) => {
    expect(changes({ "a.service": before }, { "a.service": after })).toEqual(expected);
  });

  test("looks only at what is active", () => {
    expect(changes({ "a.service": old }, { "a.service": fresh }, [])).toEqual({});
    expect(changes({ "a.service": old }, {}, [])).toEqual({});
  });

  test("stops what is gone, unless it asks to be left", () => {
    expect(changes({ "a.service": old, "a.timer": "" }, {})).toEqual({
      stop: ["a.service", "a.timer"],
    });
    expect(changes({ "a.service": `${old}[Unit]\nX-StopOnRemoval=false\n` }, {})).toEqual({});
  });

  test("does not touch a path, a socket and a slice for being another", () => {
    const units = (text: string): Texts => ({ "a.path": text, "a.socket": text, "a.slice": text });
    expect(changes(units("[Path]\nPathChanged=/a"), units("[Path]\nPathChanged=/b"))).toEqual({});
  });

  test("starts a socket instead of the service behind it", () => {
    const before = { "a.service": old, "a.socket": "" };
    const names = ["a.service", "a.socket"];
    expect(changes(before, { ...before, "a.service": fresh })).toEqual({
      stop: names,
      start: ["a.socket"],
    });
  });

  test("sees a key that is repeated another number of times", () => {
    const twice = service("ExecStart=a\nExecStart=a");
    expect(changes({ "a.service": old }, { "a.service": twice })).toHaveProperty("stop");
  });
});
