import { expect, test } from "vitest";
import { UserError } from "../../../constructs/core/errors.ts";
import { ConvergePiece } from "../../../constructs/nixos/converge-piece.ts";
import {
  type DesiredState,
  desiredStateSchema,
  desiredStateVersion,
  type Resource,
} from "../../../services/converge/desired-state.ts";
import { bareHost } from "./tree.ts";

const network = {
  kind: "network",
  name: "proxy",
  driver: "overlay",
  attachable: true,
  internal: false,
  subnet: "10.80.0.0/16",
  options: {},
  waitSeconds: 30,
} as const satisfies Resource;

/** A piece whose second resource is the network, with some members that are not what they must be. */
function piece(members: object): ConvergePiece {
  return new ConvergePiece(bareHost(), "piece", {
    name: "a",
    description: "A piece",
    resources: () => [network, { ...network, ...members } as unknown as Resource],
  });
}

/** What is wrong with the desired state of a piece; empty when nothing is. */
function problemsWith(members: object): readonly { where: string; message: string }[] {
  try {
    void piece(members).desiredState;
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems;
  }
}

test("a state that the host can read has its version, its host and its piece", () => {
  expect(piece({}).desiredState).toEqual({
    version: desiredStateVersion,
    host: "one",
    piece: "a",
    resources: [network, network],
  });
});

test.each([
  ["a member of another type", { waitSeconds: "30" }, "resources.1.waitSeconds: "],
  ["a value out of bounds", { waitSeconds: -1 }, "resources.1.waitSeconds: "],
  ["a value of another form", { subnet: "10.80.0.0/99" }, "resources.1.subnet: "],
  ["a member inside a member", { options: { mtu: 1450 } }, "resources.1.options.mtu: "],
  ["a missing member", { name: undefined }, "resources.1.name: "],
  ["an unknown member", { retries: 3 }, 'resources.1: Unrecognized key: "retries"'],
  ["an unknown kind", { kind: "volume" }, "resources.1.kind: "],
])("%s is refused with its path and that of the construct", (_, members, path) => {
  expect(problemsWith(members)).toEqual([
    {
      where: "one/piece",
      message: expect.stringContaining(`the desired state is not what the host can read: ${path}`),
    },
  ]);
});

test("every member that is wrong is named", () => {
  const messages = problemsWith({ waitSeconds: 1.5, attachable: "yes" }).map(
    ({ message }) => message,
  );
  expect(messages).toHaveLength(2);
  expect(messages.join("\n")).toMatch(
    /resources\.1\.attachable: .*\n.*resources\.1\.waitSeconds: /,
  );
});

const state: DesiredState = {
  version: desiredStateVersion,
  host: "one",
  piece: "a",
  resources: [network],
};

test.each([
  ["an older version", { version: desiredStateVersion - 1 }],
  ["a newer version", { version: desiredStateVersion + 1 }],
  ["a version as text", { version: String(desiredStateVersion) }],
  ["no version", { version: undefined }],
  ["an unknown member", { since: "today" }],
  ["no resource", { resources: [] }],
])("the host does not read a state with %s", (_, members) => {
  expect(desiredStateSchema.safeParse(state).success).toBe(true);
  expect(desiredStateSchema.safeParse({ ...state, ...members }).success).toBe(false);
});
