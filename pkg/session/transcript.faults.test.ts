import { expect, test } from "vitest";
import { makeDirectory } from "../storage/blocking-files.ts";
import { type CrashDisk, crashDisk } from "../storage/testing/crash-disk.ts";
import { everyFault, failureOf } from "../storage/testing/every-fault.ts";
import { seeded } from "../storage/testing/seeded.ts";
import { type Entry, openTranscript } from "./transcript.ts";

const folder = "/repository/.claude-sessions/.bosun/sessions/s-1";
const path = `${folder}/transcript.jsonl`;
const now = () => Date.UTC(2026, 10, 23);

/** What a host wrote down, and how much of it it knew to be on disk when it went on. */
interface Told {
  asked: Entry[];
  sure: number;
}

/** Writes numbered entries, each before what it announces. Throws when the host has to end. */
async function story(disk: CrashDisk, told: Told): Promise<void> {
  const transcript = openTranscript(path, now, disk.blockingCalls);
  try {
    for (let n = 0; n < 4; n += 1) {
      const entry: Entry = { type: "intended", call: `${told.asked.length}`, tool: "bash" };
      told.asked.push(entry);
      try {
        transcript.append(entry);
        told.sure = told.asked.length;
      } catch (error) {
        expect(() => transcript.append({ type: "lost", why: "late" })).toThrow();
        throw error;
      }
    }
  } finally {
    transcript.close();
  }
}

/** Opens what is left, and gives how many entries it holds: all that were sure, and no half of one. */
function expectAll(disk: CrashDisk, told: Told, when: string): number {
  const transcript = openTranscript(path, now, disk.blockingCalls);
  const calls = transcript.entries.map((entry) => (entry.type === "intended" ? entry.call : entry.type));
  transcript.close();
  expect(calls, when).toEqual([...calls.keys()].map(String));
  expect(calls.length, when).toBeGreaterThanOrEqual(told.sure);
  expect(calls.length, when).toBeLessThanOrEqual(told.asked.length);
  return calls.length;
}

function begun(): { disk: CrashDisk; told: Told } {
  const disk = crashDisk();
  makeDirectory(folder, 0o700, disk.blockingCalls);
  const told: Told = { asked: [], sure: 0 };
  return { disk: disk.afterKill(), told };
}

async function left(): Promise<{ disk: CrashDisk; told: Told }> {
  const { disk, told } = begun();
  await story(disk, told);
  return { disk: disk.afterKill(), told };
}

const knownUpTo = (told: Told, count: number): Told => ({ asked: told.asked.slice(0, count), sure: count });

test.each([
  { when: "on a new transcript", start: async () => begun() },
  { when: "on one that was left", start: left },
])(
  "$when, whichever call fails, and however, what was written down is there for the next host, after a power loss too",
  async ({ start }) => {
    const undisturbed = await start();
    await story(undisturbed.disk, undisturbed.told);
    for (const { step, fault, said } of everyFault(undisturbed.disk.made)) {
      const { disk, told } = await start();
      disk.failAfter(step, fault);
      const error = await failureOf(story(disk, told));
      if (fault.code === "Short") expect(error, said).toBeUndefined();
      expect(disk.open, said).toBe(0);
      disk.mend();
      const next = disk.afterKill();
      for (const seed of [step, step + 1])
        expectAll(disk.afterCrash(seeded(seed)), told, `${said}, then a power loss`);
      const after = knownUpTo(told, expectAll(next, told, `${said}, then a restart`));
      expectAll(next.afterCrash(seeded(step)), after, `${said}, then a restart and a power loss`);
      await story(next, after);
      expectAll(next.afterCrash(seeded(step)), after, `${said}, then more and a power loss`);
    }
  },
);

test("killed before any call, a host leaves what the next one reads, after a power loss too", async () => {
  const undisturbed = begun();
  await story(undisturbed.disk, undisturbed.told);
  for (let step = 0; step <= undisturbed.disk.made.length; step += 1) {
    const { disk, told } = begun();
    disk.crashAfter(step);
    await failureOf(story(disk, told));
    const next = disk.afterKill();
    const after = knownUpTo(told, expectAll(next, told, `killed at step ${step}`));
    for (const seed of [step, step + 1, step + 2]) {
      expectAll(disk.afterCrash(seeded(seed)), told, `power loss at step ${step}`);
      expectAll(next.afterCrash(seeded(seed)), after, `killed at step ${step}, then a power loss`);
    }
  }
});
