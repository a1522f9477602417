import { expect, test } from "vitest";
import { checkoutWith, runCli } from "./cli.ts";
import { host, hosts } from "./config-text.ts";

test("a missing cc-ci.yaml is said as such", async () => {
  const root = checkoutWith({});

  const { code, stderr } = await runCli(root, ["synth"]);

  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: "cc-ci.yaml: cannot be read: there is no such file: check the path (ENOENT)\n",
  });
});

test("Windows line ends are fine, and so are two hosts that share what anchors name", async () => {
  // given
  const usual = hosts(host({ certificate: "&pair { certificate: /c/cert.pem, key: /c/key.pem }" }));
  const second = host({ domain: "b.example.org", certificate: "*pair" }, "two");
  const root = checkoutWith({ "cc-ci.yaml": `${usual}${second}`.replaceAll("\n", "\r\n") });

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("anchors that multiply are refused at once", async () => {
  // given: some 10^9 values, were they written out
  const line = (name: string, other: string) =>
    `${name}: &${name} [${Array.from({ length: 10 }, () => other).join(", ")}]\n`;
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const yaml = names.map((name, index) => line(name, index === 0 ? "x" : `*${names[index - 1]}`));
  const root = checkoutWith({ "cc-ci.yaml": yaml.join("") });

  // when
  const { code, stderr } = await runCli(root, ["synth"]);

  // then
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      "cc-ci.yaml: Excessive alias count indicates a resource exhaustion attack: write the values out\n",
  });
});

test("several documents in one file are refused", async () => {
  const root = checkoutWith({ "cc-ci.yaml": "---\nhosts: {}\n---\nhosts: {}\n" });

  const { code, stderr } = await runCli(root, ["synth"]);

  expect(code).toBe(2);
  expect(stderr).toMatch(/^cc-ci\.yaml:3:1: .*multiple documents.*\n$/);
});
