import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ProcessEntry } from "./process-table.ts";
import { endsWith, startedAt, workspaceMark } from "./workspace-mark.ts";

test("a process ends with the latch of its own workspace, by whichever way to it either was named, and with no other", () => {
  const root = mkdtempSync(join(tmpdir(), "bosun-workspace-mark-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [own, other] = ["own", "other"].map((name) => join(root, name)) as [string, string];
  for (const folder of [own, other]) mkdirSync(folder);
  const link = join(root, "link");
  symlinkSync(own, link);
  for (const named of [own, link]) {
    const environment = Object.entries(workspaceMark(join(named, "stop"))).map(
      ([name, value]) => `${name}=${value}`,
    );
    const entry: ProcessEntry = { pid: 1000, parent: 1, group: 1000, startTime: "1", environment };
    const ends = (stopped: string): boolean => endsWith(join(stopped, "stop"))(entry);
    expect([own, link, other].map(ends), named).toEqual([true, true, false]);
    expect([startedAt(own)(entry), startedAt(other)(entry)]).toEqual([true, false]);
  }
});
