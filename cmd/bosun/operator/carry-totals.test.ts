import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryWorkspace } from "../testing/operator.ts";
import type { WorkspaceFolder } from "../workspace-folder.ts";
import { carryTotals } from "./carry-totals.ts";

const nowMs = Date.parse("2026-11-26T12:00:00Z");
const totals = (endMs: number): string => JSON.stringify({ ledger: "l", seq: 9, windows: [{ endMs }] });
const running = totals(nowMs + 1);

let folder: WorkspaceFolder;
let base: string;
beforeEach(() => {
  folder = temporaryWorkspace();
  base = path.join(folder.repository, "state");
});
afterEach(() => rmSync(folder.repository, { recursive: true, force: true }));

/** The state of a workspace, as its operator makes it; `copy` is what its gateway then writes. */
function state(uid: string, copy?: string, of = folder): string {
  const made = path.join(base, uid);
  mkdirSync(made, { recursive: true });
  carryTotals(of, made, nowMs);
  if (copy === undefined) return made;
  mkdirSync(path.join(made, "gateway"), { recursive: true });
  writeFileSync(path.join(made, "gateway", "totals.json"), copy);
  return made;
}

const copyOf = (made: string): string | undefined => {
  const file = path.join(made, "gateway", "totals.json");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
};

test("what was spent is known to the next workspace of a folder whose .bosun was removed: it began at nothing", () => {
  state("first", running);
  expect(copyOf(state("second"))).toBe(running);
});

test("of several copies the one written last is carried, whatever the states are called", () => {
  const copies = [1, 2, 3].map((ms) => totals(nowMs + ms));
  for (const [at, uid] of ["b", "c", "a"].entries()) {
    state(uid, copies[at]);
    utimesSync(path.join(base, uid, "gateway", "totals.json"), at, at);
  }
  expect(copyOf(state("next"))).toBe(copies[2]);
});

test("a state's own copy stays, also where its ledger is gone and another state has one that was written later", () => {
  const own = totals(nowMs + 2);
  const made = state("second", own);
  // As before states were marked with their folder.
  rmSync(path.join(made, "folder"));
  state("first", running);
  carryTotals(folder, made, nowMs);
  expect(copyOf(made)).toBe(own);
});

test("a copy is carried while one of its windows runs, though others are over", () => {
  const both = JSON.stringify({ ledger: "l", seq: 9, windows: [{ endMs: nowMs }, { endMs: nowMs + 1 }] });
  state("first", both);
  expect(copyOf(state("second"))).toBe(both);
});

test("a copy that can't be read is carried too: it does not say that nothing was spent", () => {
  state("first", "{");
  expect(copyOf(state("second"))).toBe("{");
});

test("windows that are over, and other folders, say nothing of what may be spent now", () => {
  state("first", totals(nowMs));
  expect(copyOf(state("second"))).toBeUndefined();
  state("elsewhere", running, { ...folder, path: "/elsewhere" });
  expect(copyOf(state("third"))).toBeUndefined();
});

test("a workspace that has a ledger keeps to it, and so does one whose state was carried once", () => {
  const known = state("known", running);
  state("first", running);
  rmSync(path.join(known, "gateway", "totals.json"));
  carryTotals(folder, known, nowMs);
  expect(copyOf(known)).toBeUndefined();
  mkdirSync(path.join(folder.operator, "ledger"));
  writeFileSync(path.join(folder.operator, "ledger", "ledger.jsonl"), "");
  expect(copyOf(state("second"))).toBeUndefined();
});
