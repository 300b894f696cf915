import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RequestLog, type RequestRecord } from "./request-log.ts";

test("of very many requests the newest are kept, in memory and in two files: both grew for ever", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-requests-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const log = new RequestLog(path.join(folder, "rehearsal.jsonl"));
  const record = (id: number): RequestRecord => ({
    id: `${id}`,
    ...{
      startMs: 0,
      model: "m",
      turn: 0,
      scenario: "long".repeat(1_000),
      step: "say",
      status: 200,
      ended: "Open",
    },
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 },
  });
  for (let id = 0; id < 10_500; id += 1) log.begin(record(id));
  expect([log.all().length, log.all()[0]?.id, log.all().at(-1)?.id]).toEqual([10_000, "500", "10499"]);
  expect(readdirSync(folder)).toEqual(["rehearsal.jsonl", "rehearsal.jsonl.1"]);
  const ids = ["rehearsal.jsonl.1", "rehearsal.jsonl"].flatMap((name) => {
    const text = readFileSync(path.join(folder, name), "utf8");
    expect(text.length).toBeLessThanOrEqual(10 * 1024 * 1024);
    return text
      .trim()
      .split("\n")
      .map((line) => Number((JSON.parse(line) as RequestRecord).id));
  });
  expect(ids.length).toBeGreaterThan(2_500);
  expect(ids).toEqual(ids.map((_, index) => 10_500 - ids.length + index));
});
