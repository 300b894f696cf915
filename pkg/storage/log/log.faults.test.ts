import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import type { StoredState, Transaction } from "../storage.ts";
import { type CrashFileSystem, crashFileSystem, seeded } from "../testing/crash-file-system.ts";
import { everyFault, failureOf } from "../testing/every-fault.ts";
import { type Log, openLog } from "./log.ts";

// What is written is numbered, so that a state says up to where it goes: change n sets `last`, and `kept-n` stays.
function transaction(n: number): Transaction {
  const object = (name: string): KubeObject => ({
    apiVersion: "bosun.dev/v1alpha1",
    kind: "Project",
    metadata: { name, resourceVersion: String(n) },
    spec: { n, padding: "x".repeat(n % 7) },
  });
  const change = (name: string) => ({
    ...{ revision: n, resource: "bosun.dev/projects", namespace: "default", name },
    object: object(name),
  });
  return { changes: [change("last"), change(`kept-${n}`)], files: [{ path: "f.yaml", text: String(n) }] };
}

/** Up to which transaction `state` goes. Throws when it is no prefix, or holds half of one. */
function prefixIn({ objects, files, revision }: StoredState): number {
  const names = objects.map(({ name }) => name).sort();
  const kept = names.filter((name) => name.startsWith("kept-")).length;
  const wanted = [...Array.from({ length: kept }, (_, index) => `kept-${index + 1}`), "last"].sort();
  expect(names).toEqual(kept === 0 ? [] : wanted);
  expect(revision).toBe(kept);
  if (kept > 0) {
    expect(objects.find(({ name }) => name === "last")?.object?.spec).toMatchObject({ n: kept });
    expect(files).toEqual([{ path: "f.yaml", text: String(kept) }]);
  }
  return kept;
}

const open = (fs: CrashFileSystem): Log => openLog({ directory: "/operator/log", fs, segmentBytes: 2_500 });

/** What a story's clients know. */
interface Told {
  sent: number;
  /** Every one up to this was acknowledged. */
  acknowledged: number;
  refused: number[];
}

/** Opens, and commits some one by one and some at once, over several segments and a snapshot. Throws when it can't go on. */
async function story(fs: CrashFileSystem, told: Told): Promise<void> {
  const log = open(fs);
  const start = prefixIn(await log.open());
  // Else what is written next takes the place of what is missing, and says the same.
  expect(start).toBeGreaterThanOrEqual(told.acknowledged);
  told.sent = Math.max(told.sent, start);
  const commit = async (n: number): Promise<void> => {
    told.sent = Math.max(told.sent, n);
    try {
      await log.commit(transaction(n));
      told.acknowledged = Math.max(told.acknowledged, n);
    } catch (error) {
      told.refused.push(n);
      throw error;
    }
  };
  let next = start + 1;
  try {
    for (let round = 0; round < 3; round += 1) {
      await commit(next++);
      await Promise.all([commit(next++), commit(next++)]);
    }
  } catch (error) {
    // The process may live on for a moment, and must not be told that anything counts.
    for (const n of [next++, next++]) await expect(commit(n)).rejects.toThrow();
    throw error;
  } finally {
    await log.close().catch(() => {
      // The disk again; what was told is what counts.
    });
  }
}

/** A log that a process left without closing it, with its parent folder unsynced. */
async function begun(): Promise<{ fs: CrashFileSystem; told: Told }> {
  const fs = crashFileSystem();
  const log = open(fs);
  await log.open();
  for (let n = 1; n <= 3; n += 1) await log.commit(transaction(n));
  return { fs: fs.afterKill(), told: { ...nothing(), sent: 3, acknowledged: 3 } };
}

/** The same with one more write that readers see, and that a failed sync has kept from the disk for good. */
async function unsynced(): Promise<{ fs: CrashFileSystem; told: Told }> {
  const { fs } = await begun();
  const log = open(fs);
  await log.open();
  // Its write succeeds.
  fs.failAfter(1, { code: "EIO", lasting: false });
  await expect(log.commit(transaction(4))).rejects.toThrow();
  fs.mend();
  return { fs: fs.afterKill(), told: { ...nothing(), sent: 4, acknowledged: 3 } };
}

const nothing = (): Told => ({ sent: 0, acknowledged: 0, refused: [] });

async function oneMore(fs: CrashFileSystem, told: Told): Promise<void> {
  const log = open(fs);
  await log.open();
  await log.commit(transaction(told.sent + 1));
  await log.close();
  told.sent += 1;
  told.acknowledged = told.sent;
}

async function expectAll(fs: CrashFileSystem, told: Told, when: string): Promise<number> {
  const log = open(fs);
  const found = await log.open().then(prefixIn, (error: unknown) => {
    throw new Error(`${when}: ${(error as Error).message}`, { cause: error });
  });
  await log.close();
  expect(found, when).toBeGreaterThanOrEqual(told.acknowledged);
  expect(found, when).toBeLessThanOrEqual(told.sent);
  return found;
}

describe("whichever call fails, and however", () => {
  test("what was acknowledged is there, in order and whole, for the next process and after a power loss", async () => {
    const { fs: undisturbed, told } = await begun();
    await story(undisturbed, told);
    const faults = everyFault(undisturbed.made);
    expect(faults.length).toBeGreaterThan(200);

    for (const { step, fault, said } of faults) {
      const { fs, told } = await begun();
      fs.failAfter(step, fault);
      const error = await failureOf(story(fs, told));
      if (fault.code === "Short") expect(error, said).toBeUndefined();
      expect(fs.open, said).toBe(0);
      // Each in its turn: nothing that was refused is followed by something acknowledged.
      for (const n of told.refused) expect(n, said).toBeGreaterThan(told.acknowledged);
      fs.mend();
      const next = fs.afterKill();
      for (const seed of [step, step + 1])
        await expectAll(fs.afterCrash(seeded(seed)), told, `${said}, then a power loss`);

      // The next process goes on from what it finds, and that counts from then on.
      const found = await expectAll(next.afterKill(), told, `${said}, then a restart`);
      const after = { sent: found, acknowledged: found, refused: [] };
      await oneMore(next, after);
      await expectAll(next.afterCrash(seeded(step)), after, `${said}, then one more, and a power loss`);
      await story(next, after);
      expect(after.acknowledged).toBe(found + 10);
      await expectAll(next.afterCrash(seeded(step)), after, `${said}, then more, and a power loss`);
    }
  });
});

describe("a process killed before any call", () => {
  test.each([
    { when: "on a log that was left", start: begun },
    { when: "on a log whose last write could not be synced", start: unsynced },
    { when: "on a new log", start: async () => ({ fs: crashFileSystem(), told: nothing() }) },
  ])("$when leaves what the next one finds and adds to, after a power loss too", async ({ start }) => {
    const { fs: undisturbed, told } = await start();
    await story(undisturbed, told);
    for (let step = 0; step <= undisturbed.made.length; step += 1) {
      const { fs, told } = await start();
      fs.crashAfter(step);
      await failureOf(story(fs, told));
      const next = fs.afterKill();
      // Readers are shown what is found: it must not be taken back.
      const found = await expectAll(next, told, `killed at step ${step}, then opened`);
      const shown = { sent: found, acknowledged: found, refused: [] };
      for (const seed of [step, step + 1])
        await expectAll(next.afterCrash(seeded(seed)), shown, `killed at step ${step}, then a power loss`);
      await oneMore(next, shown);
      for (const seed of [step, step + 1])
        await expectAll(next.afterCrash(seeded(seed)), shown, `killed at step ${step}, then one more`);
    }
  });
});
