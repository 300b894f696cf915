import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Editor, startEditor } from "./editor.ts";
import type { Sight } from "./history.ts";

let folder: string;
let watchers: Sight[][];
let editor: Editor;

const list = (revision: number, token: string): Sight => ({
  is: "list",
  revision,
  objects: new Map([["a", { revision, token }]]),
});

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "bosun-editor-"));
  writeFileSync(path.join(folder, "a.yaml"), "description: token-0\n");
  watchers = [[list(1, "token-0")], [list(1, "token-0")]];
  editor = startEditor({ folder, names: ["a"], writes: [], watchers, random: () => 0, patienceMs: 20 });
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What an API writes over the save, once it is there. */
async function writtenOver(): Promise<void> {
  const file = path.join(folder, "a.yaml");
  while (!readFileSync(file, "utf8").includes("saved-1")) await new Promise(setImmediate);
  writeFileSync(file, "description: token-9\n");
}

test("a save that nobody saw come about is lost as long as somebody watched all the time", async () => {
  await writtenOver();
  watchers[0]?.push(list(9, "token-9"));
  await editor.end();
  expect(editor.lost).toEqual([expect.stringMatching(/^a was saved as saved-1, .* Its file says token-9/)]);
});

test("a save that may have come about while everybody had to list anew is not called lost", async () => {
  await writtenOver();
  for (const sights of watchers) sights.push(list(9, "token-9"));
  await editor.end();
  expect(editor.lost).toEqual([]);
});
