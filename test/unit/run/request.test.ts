import { describe, expect, test } from "vitest";
import { Stop } from "../../../services/lib/line.ts";
import { requestInLine } from "../../../services/run/client.ts";

const request = {
  ...{ id: "0123456789abcdef", recipe: "wiki", repository: "recipes/wiki", pull: null },
  ...{ commit: "0123456789abcdef0123456789abcdef01234567", quick: false },
};

function refusalOf(bytes: string | Buffer): string {
  try {
    requestInLine(Buffer.from(bytes));
  } catch (error) {
    if (error instanceof Stop) return error.line.text;
    throw error;
  }
  throw new Error("it was taken for a request");
}

describe("the first line of a connection", () => {
  test("is a request", () => {
    expect(requestInLine(Buffer.from(`${JSON.stringify(request)}\n`))).toEqual(request);
  });

  test.for<[string, string | Buffer, string]>([
    ["no JSON", "GET / HTTP/1.1\n", "it is no JSON"],
    ["empty", "\n", "it is no JSON"],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22, 0x0a]), "it is no JSON"],
    ["too long", `"${"x".repeat(5000)}"\n`, "it is longer than 4096 bytes"],
    ["without an end", "x".repeat(5000), "it is longer than 4096 bytes"],
    ["one of two", `${JSON.stringify(request)}\n{}\n`, "it has more than one line"],
    ["no object", "[]\n", "expected object"],
    ["null", "null\n", "expected object"],
    ["a request without a commit", '{"id":"0123456789abcdef"}\n', "commit: "],
    [
      "a request with a number for its id",
      `${JSON.stringify({ ...request, id: 7 })}\n`,
      "id: Invalid input",
    ],
    [
      "a request with a path for its recipe",
      `${JSON.stringify({ ...request, recipe: "../../etc" })}\n`,
      "recipe: must be the name of a recipe",
    ],
    [
      "a request with a command in it",
      `${JSON.stringify({ ...request, command: "hunter2" })}\n`,
      "it has members that are none of a request",
    ],
    [
      "a request with a prototype",
      `${JSON.stringify(request).replace("{", '{"__proto__":{"hunter2":1},')}\n`,
      "it has members that are none of a request",
    ],
  ])("is refused when it is %s, and not repeated", ([, bytes, problem]) => {
    const text = refusalOf(bytes);
    expect(text).toContain(problem);
    expect(text).not.toMatch(/hunter2|etc|xxxx/);
  });
});
