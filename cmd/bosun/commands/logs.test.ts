import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sessionFolder } from "../../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../../pkg/session/sessions.ts";
import { openTranscript } from "../../../pkg/session/transcript.ts";
import { runIn, temporaryWorkspace, until } from "../testing/operator.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";

let folder: WorkspaceFolder;
beforeEach(() => {
  folder = temporaryWorkspace();
});
afterEach(() => rmSync(folder.repository, { recursive: true, force: true }));

function startSession() {
  const session = sessionFolder(folder.sessions, "session-1");
  const spec: Partial<SessionSpec> = { agent: "agent-1", purpose: "execute", project: "retry" };
  session.writeSpec(spec as SessionSpec);
  return {
    session,
    transcript: openTranscript(session.transcriptPath, () => Date.parse("2026-11-23T12:00:00Z")),
  };
}

test("where the folder of sessions can't be read logs says that, and not that there are none", async () => {
  expect((await runIn(folder.repository, ["logs", "agent-1"])).notes.join()).toContain("has no session yet");
  // Permissions would not keep root out.
  symlinkSync(folder.sessions, folder.sessions);
  const { exitCode, notes } = await runIn(folder.repository, ["logs", "agent-1"]);
  expect({ exitCode, notes }).toEqual({ exitCode: 1, notes: [expect.stringContaining("ELOOP")] });
});

test("logs shows an agent's session beside one of another whose folder is damaged", async () => {
  const { transcript } = startSession();
  transcript.append({ type: "message", run: 1, text: "Do it." });
  transcript.close();
  const { path } = sessionFolder(folder.sessions, "damaged");
  mkdirSync(path);
  writeFileSync(join(path, "spec.json"), "{");
  const { out } = await runIn(folder.repository, ["logs", "agent-1"]);
  expect(out).toEqual(["12:00:00 operator, run 1: Do it."]);
});

test("logs shows what was asked, said, called and answered", async () => {
  const { transcript } = startSession();
  transcript.append({ type: "message", run: 1, text: "Do it." });
  transcript.append({
    type: "assistant",
    content: [
      { type: "text", text: "I look first." },
      { type: "tool_use", id: "c1", name: "bash", input: { command: "ls" } },
    ],
    stopReason: "tool_use",
    inputTokens: 10,
  });
  transcript.append({ type: "intended", call: "c1", tool: "bash" });
  transcript.append({ type: "done", call: "c1", content: "a\nb", isError: false });
  transcript.close();

  const { exitCode, out, notes } = await runIn(folder.repository, ["logs", "agent-1"]);

  expect(exitCode).toBe(0);
  expect(notes[0]).toContain("agent-1, work on retry");
  expect(out).toEqual([
    "12:00:00 operator, run 1: Do it.",
    "12:00:00 agent: I look first.",
    "12:00:00 bash: ls",
    "12:00:00 result: a",
    "    b",
  ]);
});

test("logs -f goes on as lines are written, whole lines only, until it is interrupted", async () => {
  const { session, transcript } = startSession();
  transcript.append({ type: "message", run: 1, text: "Do it." });
  const interrupt = new AbortController();
  const out: string[] = [];
  const following = runIn(folder.repository, ["logs", "agent-1", "-f"], {
    out: (line) => void out.push(line),
    signal: interrupt.signal,
  });
  await until(() => out.length === 1, "the first line");
  const line = JSON.stringify({
    at: "2026-11-23T12:00:01.000Z",
    type: "nudge",
    why: "Silent",
    text: "Go on.",
  });
  appendFileSync(session.transcriptPath, line.slice(0, 20));
  appendFileSync(session.transcriptPath, `${line.slice(20)}\n`);
  await until(() => out.length === 2, "the second line");
  interrupt.abort();
  expect((await following).exitCode).toBe(0);
  expect(out[1]).toBe("12:00:01 operator: Go on.");
  transcript.close();
});

test("an agent without a session says so", async () => {
  expect(await runIn(folder.repository, ["logs", "agent-9"])).toMatchObject({
    exitCode: 1,
    notes: [expect.stringContaining("agent-9 has no session yet")],
  });
});
