import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { removeStaleLocks } from "./stale-locks.ts";

const now = Date.parse("2026-11-26T12:00:00Z");
const branchLock = "refs/heads/agent-1/project-101.lock";
const claimLock = "refs/bosun/claims/retry-uploads.lock";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bosun-locks-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

async function lock(path: string, ageMs: number): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), "");
  touch(path, ageMs);
}

function touch(path: string, ageMs: number): void {
  utimesSync(join(folder, path), (now - ageMs) / 1000, (now - ageMs) / 1000);
}

const isThere = (path: string): boolean => existsSync(join(folder, path));

test.each([
  { path: branchLock, ageMs: 10_001, goes: true },
  { path: branchLock, ageMs: 10_000, goes: false },
  { path: claimLock, ageMs: 10_001, goes: true },
  { path: "refs/heads/rehearsal/main.lock", ageMs: 60_000, goes: true },
  { path: "refs/heads/main.lock", ageMs: 60_000, goes: false },
  { path: "refs/heads/agent-1-notes.lock", ageMs: 60_000, goes: false },
])("a lock at $path that is $ageMs ms old is removed: $goes", async ({ path, ageMs, goes }) => {
  await lock(path, ageMs);
  await removeStaleLocks(folder, now);
  expect(isThere(path)).toBe(!goes);
});

test("a repository without any of the operator's refs has none to remove", async () => {
  await removeStaleLocks(folder, now);
});

test("the lock on a claim stays until that of the branch is gone: its git could end its transaction else", async () => {
  // A folder, which is no lock that can be removed.
  await mkdir(join(folder, branchLock), { recursive: true });
  touch(branchLock, 60_000);
  await lock(claimLock, 60_000);
  await expect(removeStaleLocks(folder, now)).rejects.toThrow();
  expect(isThere(claimLock)).toBe(true);
});
