import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { makeScratch } from "../scratch.ts";
import { findTool, requireTool } from "../tools.ts";
import { Gitea } from "./gitea.ts";
import { layOutGitea } from "./place.ts";

const scratch = makeScratch();

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("a Gitea of the tests", () => {
  let gitea: Gitea | undefined;

  beforeAll(async () => {
    if (findTool("gitea") !== undefined) gitea = await Gitea.start(scratch);
  });

  afterAll(async () => await gitea?.stop());

  test("has accounts, organisations, repositories, branches and OAuth clients", async (context) => {
    requireTool(context, "gitea");
    const started = gitea as Gitea;
    // when
    const owner = await started.createAccount("owner", { isAdmin: true });
    const reader = await started.createAccount("reader");
    await owner.createOrganisation("recipes");
    await owner.createRepository("recipes", "wiki", { isPrivate: true });
    const seenByReader = await reader.ask("GET", "repos/recipes/wiki");
    await owner.addCollaborator("recipes/wiki", "reader", "read");
    const onMain = await owner.commitFile("recipes/wiki", "main", "a/one.txt", "one\n");
    const onOther = await owner.commitFile("recipes/wiki", "other", "two.txt", "two\n");
    const client = await owner.createOAuthClient("drone", "http://127.0.0.1:1/login");
    // then
    expect(seenByReader.status).toBe(404);
    expect([onMain, onOther]).toEqual([0, 1].map(() => expect.stringMatching(/^[0-9a-f]{40}$/)));
    const read = async (file: string, commit: string) =>
      await reader.ask("GET", `repos/recipes/wiki/raw/${file}?ref=${commit}`);
    expect(await read("a/one.txt", onOther)).toEqual({ status: 200, body: "one\n" });
    expect(await read("two.txt", onOther)).toEqual({ status: 200, body: "two\n" });
    expect((await read("two.txt", onMain)).status).toBe(404);
    const path = `user/applications/oauth2/${client.id}`;
    const found = await owner.done(z.object({ client_id: z.string() }), "GET", path);
    expect(found.client_id).toBe(client.clientId);
    await owner.deleteOAuthClient(client);
    expect((await owner.ask("GET", path)).status).toBe(404);
    const asked = reader.done(z.unknown(), "POST", "orgs/recipes/repos", { name: "a" });
    await expect(asked).rejects.toThrow("POST orgs/recipes/repos: the forge says 403");
  });
});

test("a Gitea can be laid out for another root, with TLS, for a unit to run", () => {
  // given
  const place = {
    ...{ program: "/usr/share/gitea", folder: "/var/lib/gitea", user: "forge" },
    ...{ address: "127.0.0.1", port: 8444, url: "https://forge.example.org:8444/" },
    certificate: { chain: "/etc/forge/chain.pem", key: "/etc/forge/key.pem" },
  };
  // when
  const { createUser, migrate, web } = layOutGitea(place, join(scratch, "root"));
  // then
  const file = join(scratch, "root/var/lib/gitea/app.ini");
  const lines = readFileSync(file, "utf8").split("\n");
  for (const line of [
    ...["PROTOCOL = https", "CERT_FILE = /etc/forge/chain.pem", "KEY_FILE = /etc/forge/key.pem"],
    ...["RUN_USER = forge", "HTTP_PORT = 8444", "ROOT_URL = https://forge.example.org:8444/"],
    "STATIC_ROOT_PATH = /usr/share/gitea/static",
  ]) {
    expect(lines).toContain(line);
  }
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const start = ["/usr/share/gitea/gitea", "--config", "/var/lib/gitea/app.ini"];
  expect(migrate).toEqual([...start, "migrate"]);
  expect(web).toEqual([...start, "web"]);
  expect(createUser("a", "b", true).slice(3)).toEqual([
    ...["admin", "user", "create", "--username", "a", "--password", "b"],
    ...["--email", "a@example.org", "--must-change-password=false", "--admin"],
  ]);
});
