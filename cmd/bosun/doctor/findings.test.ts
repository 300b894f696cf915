import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { runIn, startOperator, temporaryWorkspace } from "../testing/operator.ts";
import { workspaceFolder } from "../workspace-folder.ts";
import { credentialFinding, diskFinding, folderFinding, nodeFinding, operatorFinding } from "./findings.ts";

test.each([
  ["20.20.2", "error"],
  ["22.21.1", "error"],
  ["22.22.0", "ok"],
  ["24.0.0", "ok"],
])("Node %s is %s", (version, want) => {
  expect(nodeFinding(version).state).toBe(want);
});

test.each([
  [{}, "warning"],
  [{ ANTHROPIC_API_KEY: "" }, "warning"],
  [{ ANTHROPIC_AUTH_TOKEN: "t" }, "warning"],
  [{ ANTHROPIC_API_KEY: "k" }, "ok"],
  [{ ANTHROPIC_AUTH_TOKEN: "t", ANTHROPIC_BASE_URL: "https://gateway.example" }, "ok"],
])("the environment %j as a credential is %s", (env, want) => {
  expect(credentialFinding(env).state).toBe(want);
});

test("a credential is never printed", () => {
  expect(JSON.stringify(credentialFinding({ ANTHROPIC_API_KEY: "secret-value" }))).not.toContain(
    "secret-value",
  );
});

test("a folder of the operator's that can't be looked into is said: all was well but for a stop that nobody began", () => {
  const folder = temporaryWorkspace();
  rmSync(folder.operator, { recursive: true, force: true });
  expect(folderFinding(folder).state).toBe("ok");
  // Permissions would not keep root out.
  symlinkSync(folder.operator, folder.operator);
  expect(folderFinding(folder)).toMatchObject({
    state: "error",
    message: `${folder.operator} can't be read and written.`,
  });
  rmSync(folder.repository, { recursive: true });
});

test("a folder that is missing, or open to others, is said", () => {
  expect(folderFinding(workspaceFolder("/nowhere")).fix).toBe("Run: bosun init");
  const folder = temporaryWorkspace();
  chmodSync(folder.path, 0o755);
  expect(folderFinding(folder).state).toBe("ok");
  chmodSync(folder.path, 0o777);
  expect(folderFinding(folder)).toMatchObject({
    state: "warning",
    fix: expect.stringContaining("chmod go-w"),
  });
  rmSync(folder.repository, { recursive: true });
});

test("what is to be typed works as it is, whatever the folder is called", () => {
  const place = mkdtempSync(path.join(tmpdir(), "it's (mine) $HOME "));
  const folder = workspaceFolder(place);
  mkdirSync(folder.path);
  chmodSync(folder.path, 0o777);
  execFileSync("sh", ["-c", folderFinding(folder).fix ?? ""]);
  expect(folderFinding(folder).state).toBe("ok");
  rmSync(place, { recursive: true });
});

test("an operator is told apart from none, and from an engaged stop", async () => {
  await using operator = await startOperator("");
  expect((await operatorFinding(operator.folder)).message).toBe("An operator is running");
  expect((await operatorFinding(workspaceFolder("/nowhere"))).message).toBe("No operator is running");
  writeFileSync(operator.folder.stopLatch, "why\n");
  expect((await operatorFinding(operator.folder)).fix).toBe("bosun resume");
});

test("the disk of a state folder that does not exist yet is looked at", async () => {
  expect((await diskFinding({ XDG_STATE_HOME: path.join(tmpdir(), "not", "there") })).message).toContain(
    "GiB",
  );
});

test("doctor names what is not handled, with what to do, and fails", async () => {
  const repository = mkdtempSync(path.join(tmpdir(), "bosun-doctor-"));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: repository });
  git("init", "--quiet");
  const empty = await runIn(repository, ["doctor"]);
  expect(empty).toMatchObject({ exitCode: 1 });
  expect(empty.out.join("\n")).toContain("FAIL  The repository has no commit");
  git(
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@example.invalid",
    "commit",
    "--quiet",
    "--allow-empty",
    "-m",
    "Begin",
  );
  git("branch", "agent-1");
  const blocked = await runIn(repository, ["doctor"]);
  expect(blocked.out.join("\n")).toContain("A branch called agent-1");
  rmSync(repository, { recursive: true });
});
