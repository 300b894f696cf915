import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { temporaryPath } from "../storage/replace-file.ts";
import { readSessionFile, type SessionFile, updateSessionFile } from "./session-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bosun-session-file-"));
  path = join(folder, "agent-1.session");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const agent_id = "agent-1";
const update = (changes: Partial<SessionFile> & { agent_id: string }) =>
  updateSessionFile(path, changes, "host");

test("a write changes what it names and keeps the rest", () => {
  update({
    agent_id,
    status: "working",
    current_project_id: "101",
    claim: 2,
    cost_usd: 1.25,
  });
  update({ agent_id, last_heartbeat: "2026-11-23T00:00:00Z" });
  expect(readSessionFile(path)).toMatchObject({
    status: "working",
    current_project_id: "101",
    claim: 2,
    cost_usd: 1.25,
    last_heartbeat: "2026-11-23T00:00:00Z",
    error_count: 0,
  });
});

test("text stays text in any YAML", () => {
  update({ agent_id, current_project_id: "0755", current_task: "yes" });
  expect(readFileSync(path, "utf8")).toContain('current_project_id: "0755"\n');
  expect(readFileSync(path, "utf8")).toContain('current_task: "yes"\n');
  expect(readFileSync(path, "utf8")).toContain('agent_id: "agent-1"\n');
});

/** Many in one file: each write waits for the disk. */
const texts = fc.record(
  Object.fromEntries(
    ["current_project_id", "current_phase", "branch_name", "session_id", "current_task", "last_error"].map(
      (field) => [field, fc.string({ unit: "binary" })],
    ),
  ),
);

test("every text is read back as it was, by any YAML too", () => {
  fc.assert(
    fc.property(texts, (said) => {
      update({ agent_id, ...said });
      expect(readSessionFile(path)).toMatchObject(said);
      expect(parse(readFileSync(path, "utf8"))).toMatchObject({ agent_id, ...said, pid: null });
    }),
    { numRuns: 50 },
  );
});

test("a file that a person wrote in another YAML is read like our own", () => {
  writeFileSync(
    path,
    "# mine\nagent_id: agent-1\nclaim: 3\ncurrent_project_id: '101'\nstatus: idle # for now\n",
  );
  expect(readSessionFile(path)).toMatchObject({
    agent_id,
    claim: 3,
    current_project_id: "101",
    status: "idle",
  });
});

test("who writes under an older claim of the project changes nothing", () => {
  update({ agent_id, current_project_id: "101", claim: 3, status: "working" });
  expect(update({ agent_id, current_project_id: "101", claim: 2, status: "idle" })).toBe(false);
  expect(readSessionFile(path)).toMatchObject({ claim: 3, status: "working" });
  expect(update({ agent_id, current_project_id: "101", claim: 3, status: "idle" })).toBe(true);
  expect(readSessionFile(path)).toMatchObject({ claim: 3, status: "idle" });
});

test("who writes leaves what the other writer has half written alone", () => {
  const others = temporaryPath(path, "operator");
  writeFileSync(others, "half");
  update({ agent_id, status: "working" });
  expect(readFileSync(others, "utf8")).toBe("half");
  updateSessionFile(path, { agent_id, status: "idle" }, "operator");
  expect(existsSync(others)).toBe(false);
});

test("another project's claims are counted apart", () => {
  update({ agent_id, current_project_id: "101", claim: 3 });
  expect(update({ agent_id, current_project_id: "102", claim: 1 })).toBe(true);
  expect(readSessionFile(path)).toMatchObject({ current_project_id: "102", claim: 1 });
});

test.each(["agent_id: [", "- a list", "", "agent_id: 7", 'agent_id: "agent-1"\nclaim: x'])(
  "a damaged file is set aside and rebuilt: %j",
  (text) => {
    writeFileSync(path, text);
    expect(readSessionFile(path)).toBeUndefined();
    expect(readFileSync(`${path}.damaged`, "utf8")).toBe(text);
    expect(existsSync(path)).toBe(false);
    update({ agent_id, status: "idle" });
    expect(readSessionFile(path)).toMatchObject({ agent_id, status: "idle", claim: null });
  },
);
