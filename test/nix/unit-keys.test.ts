import { expect, test } from "vitest";
import { unitDifferences, unitKeys } from "./unit-keys.ts";

const hash = (letter: string): string => letter.repeat(32);

test("a unit's keys are told by section, each variable by its name", () => {
  // given
  const text =
    '[Unit]\n\n[Service]\nEnvironment="A=b=c"\nExecStart=/a b=c\nLoadCredential=a:/a\nLoadCredential=b:/b\n';
  // when, then
  expect([...unitKeys(text)]).toEqual([
    ["Service.Environment.A", ['"A=b=c"']],
    ["Service.ExecStart", ["/a b=c"]],
    ["Service.LoadCredential", ["a:/a", "b:/b"]],
  ]);
});

test("a key that NixOS lacks, or has with another value, order or number, is a difference", () => {
  // given
  const ours = "[Service]\nType=oneshot\nNice=5\nExecStart=/a\nExecStart=/b\n";
  const real = "[Service]\nType=simple\nExecStart=/b\nExecStart=/a\nUser=x\n";
  // when, then
  expect(unitDifferences(ours, real)).toEqual([
    'Service.Type: ["oneshot"] is ["simple"] in NixOS',
    'Service.Nice: ["5"] is "missing" in NixOS',
    'Service.ExecStart: ["/a","/b"] is ["/b","/a"] in NixOS',
  ]);
});

test("packages count by name, files of the modules by content", () => {
  // given
  const unit = (jq: string, file: string): string =>
    `[Service]\nExecStart=/nix/store/${jq}/bin/jq /nix/store/${file}\n`;
  const ours = unit(`${hash("a")}-jq-1.8.1`, `${hash("c")}-traefik.json`);
  // when, then
  expect(
    unitDifferences(ours, unit(`${hash("b")}-jq-1.6-bin`, `${hash("c")}-traefik.json`)),
  ).toEqual([]);
  expect(
    unitDifferences(ours, unit(`${hash("a")}-jq-1.8.1`, `${hash("d")}-traefik.json`)),
  ).toHaveLength(1);
  expect(
    unitDifferences(ours, unit(`${hash("a")}-yq-1.8.1`, `${hash("c")}-traefik.json`)),
  ).toHaveLength(1);
});
