/** What was spent here before `.bosun` was removed, and the ledger with it. */
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Totals } from "../../../pkg/gateway/ledger-totals.ts";
import { readIfPresent } from "../../../pkg/storage/blocking-files.ts";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import { ledgerFile, type WorkspaceFolder } from "../workspace-folder.ts";

/**
 * Puts the copy of a lost ledger's totals to the state of a new workspace in the same folder, so that its gateway misses
 * that ledger and does not begin at nothing spent.
 *
 * Who removes `.bosun`, as `git clean -dfx` does, removes the Workspace's uid too, and with it the way to its state. So
 * each state says which folder it belongs to. A copy whose windows are all over says nothing of what may be spent now.
 *
 * @param state - the new workspace's
 * @param nowMs - wall time
 */
export function carryTotals(folder: WorkspaceFolder, state: string, nowMs: number): void {
  const mark = path.join(state, markName);
  if (readIfPresent(mark) === folder.path) return;
  const own = totalsPath(state);
  if (!existsSync(own) && !existsSync(ledgerFile(folder, false))) {
    const newest = earlier(folder, state).sort((a, b) => b.writtenMs - a.writtenMs)[0];
    if (newest !== undefined && isOpen(newest.text, nowMs)) {
      mkdirSync(path.dirname(own), { recursive: true, mode: 0o700 });
      replaceFileSync(own, newest.text, { durable: true, mode: 0o600 });
    }
  }
  // Last: killed before, the next start does it all again.
  replaceFileSync(mark, folder.path, { durable: true });
}

/** Names the folder that a state belongs to. */
const markName = "folder";

function totalsPath(state: string): string {
  return path.join(state, "gateway", "totals.json");
}

/** What other states of the same folder say. */
function earlier(folder: WorkspaceFolder, state: string): { text: string; writtenMs: number }[] {
  const base = path.dirname(state);
  return readdirSync(base).flatMap((name) => {
    const other = path.join(base, name);
    if (other === state || readIfPresent(path.join(other, markName)) !== folder.path) return [];
    const text = readIfPresent(totalsPath(other));
    return text === undefined ? [] : [{ text, writtenMs: statSync(totalsPath(other)).mtimeMs }];
  });
}

/** Some window may still be running. A damaged copy can't say that none is. */
function isOpen(text: string, nowMs: number): boolean {
  try {
    return (JSON.parse(text) as Totals).windows.some(({ endMs }) => endMs > nowMs);
  } catch {
    // The gateway refuses it, and says so.
    return true;
  }
}
