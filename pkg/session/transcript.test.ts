import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Entry, openTranscript } from "./transcript.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bosun-transcript-"));
  path = join(folder, "transcript.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = () => Date.UTC(2026, 10, 23);

test("what was appended is there for the next to open it", () => {
  const first = openTranscript(path, now);
  first.append({ type: "message", run: 1, text: "Größe\nzwei" });
  first.append({ type: "lost", why: "cut" });
  expect(first.entries).toHaveLength(2);
  first.close();

  const second = openTranscript(path, now);
  expect(second.entries).toEqual([
    { at: "2026-11-23T00:00:00.000Z", type: "message", run: 1, text: "Größe\nzwei" },
    { at: "2026-11-23T00:00:00.000Z", type: "lost", why: "cut" },
  ]);
  second.close();
});

test("a transcript is for its owner alone", () => {
  openTranscript(path, now).close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

const last: readonly Entry[] = [
  { type: "message", run: 2, text: "Mend it." },
  { type: "restart", text: "Go on." },
  { type: "nudge", why: "Silent", text: "Use a tool." },
  { type: "assistant", content: [{ type: "text", text: "So." }], stopReason: "tool_use", inputTokens: 3 },
  { type: "lost", why: "cut" },
  { type: "intended", call: "call_1", tool: "bash" },
  { type: "done", call: "call_1", content: "ok", isError: false },
];

test.each(last)("a host that ends with $type as its last line goes on from there", (entry) => {
  const first = openTranscript(path, now);
  first.append({ type: "message", run: 1, text: "Go." });
  first.append(entry);
  first.close();
  const second = openTranscript(path, now);
  expect(second.entries.at(-1)).toMatchObject(entry);
  expect(second.entries).toHaveLength(2);
  second.close();
});

test("a torn last line is cut off, and the next line starts at its place", () => {
  const first = openTranscript(path, now);
  first.append({ type: "lost", why: "größer" });
  first.close();
  appendFileSync(path, '{"at":"2026","type":"done","content":"gr');

  const second = openTranscript(path, now);
  expect(second.entries).toHaveLength(1);
  second.append({ type: "lost", why: "again" });
  second.close();
  expect(readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(2);
  const third = openTranscript(path, now);
  expect(third.entries.map((entry) => entry.type === "lost" && entry.why)).toEqual(["größer", "again"]);
  third.close();
});

test("a last line of which a power loss left the middle out is cut off like any torn one", () => {
  writeFileSync(path, '{"type":"lost","why":"a"}\n{"type":"lo\0\0\0\0\0\0b"}\n');
  const transcript = openTranscript(path, now);
  expect(transcript.entries).toEqual([{ type: "lost", why: "a" }]);
  transcript.close();
  expect(readFileSync(path, "utf8")).toBe('{"type":"lost","why":"a"}\n');
});

test("a damaged line before the last is refused by its number", () => {
  writeFileSync(path, '{"type":"lost","why":"a"}\nnonsense\n{"type":"lost","why":"b"}\n');
  expect(() => openTranscript(path, now)).toThrow(`${path}:2 is damaged`);
});
