import { expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { type CrashFileSystem, crashFileSystem, seeded } from "../storage/testing/crash-file-system.ts";
import { everyFault, failureOf, faultsTimeoutMs, someOf } from "../storage/testing/every-fault.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import type { Line, Step } from "./ledger-lines.ts";
import { grantStep, reservation, settled } from "./testing/steps.ts";

const path = "/repository/.claude-sessions/.bosun/ledger/ledger.jsonl";

/** What a gateway did, and was told. */
interface Told {
  /** Every step that was asked for, in order. */
  asked: Step[];
  /** How many of them were on disk for sure: acted upon. */
  sure: number;
  failures: unknown[];
}

const nothing = (): Told => ({ asked: [], sure: 0, failures: [] });

async function open(fs: CrashFileSystem, told: Told): Promise<Ledger> {
  return await openLedger({
    path,
    totalsPath: "/state/gateway/totals.json",
    fs,
    clock: new TestClock(),
    ids: { uuid: () => "00000000-0000-4000-8000-000000000001" },
    failed: (error) => void told.failures.push(error),
    checkpoints: { afterBytes: 1, requests: 1 },
  });
}

/** Requests as a gateway makes them: some one after the other, some at once. Throws when the process has to end. */
async function story(fs: CrashFileSystem, told: Told): Promise<void> {
  const ledger = await open(fs, told);
  const base = (await linesOf(fs)).length;
  const append = async (step: Step): Promise<void> => {
    told.asked.push(step);
    const at = told.asked.length;
    await ledger.append(step);
    told.sure = Math.max(told.sure, at);
  };
  const request = async (id: string): Promise<void> => {
    await append(reservation(`${base}-${id}`));
    await append({ step: "sent", id: `${base}-${id}` });
    await append(settled(`${base}-${id}`));
  };
  try {
    await append(grantStep());
    await request("a");
    await Promise.all([request("b"), request("c"), request("d")]);
    await append(reservation(`${base}-e`));
  } catch (error) {
    // Nothing is granted by a process whose ledger has failed.
    await expect(ledger.append(reservation(`${base}-late`))).rejects.toThrow();
    expect(told.failures).toHaveLength(1);
    throw error;
  } finally {
    await ledger.close().catch(() => {
      // The disk again.
    });
  }
}

async function linesOf(fs: CrashFileSystem): Promise<Line[]> {
  const text = (await fs.read(path))?.toString() ?? "";
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

/** Opens what is left: every step that was sure is there, in order, and the others as far as they go. */
async function expectAll(fs: CrashFileSystem, before: number, told: Told, when: string): Promise<void> {
  const ledger = await open(fs, nothing()).catch((error: unknown) => {
    throw new Error(`${when}: ${(error as Error).message}`, { cause: error });
  });
  const lines = (await linesOf(fs)).slice(before);
  const kept = lines.findIndex((line, at) => {
    const asked = told.asked[at];
    return (
      asked === undefined ||
      line.step !== asked.step ||
      ("id" in asked && "id" in line && asked.id !== line.id)
    );
  });
  expect(kept === -1 ? lines.length : kept, when).toBeGreaterThanOrEqual(told.sure);
  // What was open is ended: nothing of it stays reserved.
  expect(ledger.state.sums({}).reserved, when).toBe(0);
  await ledger.close();
}

/** A ledger that an earlier process left in the middle of a request. */
async function begun(): Promise<{ fs: CrashFileSystem; before: number }> {
  const fs = crashFileSystem();
  const ledger = await open(fs, nothing());
  await ledger.append(grantStep());
  await ledger.append(reservation("old"));
  await ledger.append({ step: "sent", id: "old" });
  // Its end, which the next opening writes.
  return { fs: fs.afterKill(), before: 5 };
}

test(
  "whichever call fails, and however, what was acted upon is in the ledger, for the next process and after a power loss",
  async () => {
    const { fs: undisturbed } = await begun();
    await story(undisturbed, nothing());
    for (const { step, fault, said } of someOf(everyFault(undisturbed.made), 150)) {
      const { fs, before } = await begun();
      const told = nothing();
      fs.failAfter(step, fault);
      const error = await failureOf(story(fs, told));
      if (fault.code === "Short") expect(error, said).toBeUndefined();
      fs.mend();
      const next = fs.afterKill();
      for (const seed of [step, step + 1])
        await expectAll(fs.afterCrash(seeded(seed)), before, told, `${said}, then a power loss`);
      await expectAll(next, before, told, `${said}, then a restart`);
      await expectAll(
        next.afterCrash(seeded(step)),
        before,
        told,
        `${said}, then a restart, and a power loss`,
      );
      await story(next, nothing());
      await expectAll(next.afterCrash(seeded(step)), before, told, `${said}, then more, and a power loss`);
    }
  },
  faultsTimeoutMs,
);

test.each([
  { when: "on a ledger that was left", start: begun },
  { when: "on a new ledger", start: async () => ({ fs: crashFileSystem(), before: 1 }) },
])(
  "$when, killed before any call, what was acted upon is there, after a power loss too",
  async ({ start }) => {
    const { fs: undisturbed } = await start();
    await story(undisturbed, nothing());
    for (const step of someOf([...undisturbed.made.keys()], 60)) {
      const { fs, before } = await start();
      const told = nothing();
      fs.crashAfter(step);
      await failureOf(story(fs, told));
      for (const seed of [step, step + 1])
        await expectAll(fs.afterCrash(seeded(seed)), before, told, `power loss at step ${step}`);
      const next = fs.afterKill();
      await expectAll(next, before, told, `killed at step ${step}`);
      await expectAll(
        next.afterCrash(seeded(step)),
        before,
        told,
        `killed at step ${step}, then a power loss`,
      );
    }
  },
);

test("a torn write of several lines is cut where it is torn, though whole lines of it follow", async () => {
  const fs = crashFileSystem();
  const ledger = await open(fs, nothing());
  await Promise.all(["a", "b", "c", "d"].map((id) => ledger.append(reservation(id))));
  await ledger.close();
  const text = (await fs.read(path))?.toString() ?? "";
  const at = text.indexOf('"id":"b"');
  fs.put(path, `${text.slice(0, at)}\0\0\0\0${text.slice(at + 4)}`);
  // The copy of the totals lags behind a write that was torn.
  await fs.remove("/state/gateway/totals.json");
  const again = await open(fs, nothing());
  expect([...again.state.requests()].map(({ id, state }) => [id, state])).toEqual([["a", "released"]]);
  await again.close();
});

test("a line that is damaged before the last write stops everything, and nothing is changed", async () => {
  const fs = crashFileSystem();
  const ledger = await open(fs, nothing());
  for (const id of ["a", "b", "c"]) await ledger.append(reservation(id));
  await ledger.close();
  const damaged = (await fs.read(path))?.toString().replace('"id":"b"', '"id":"\0') ?? "";
  fs.put(path, damaged);
  await expect(open(fs, nothing())).rejects.toThrow(/line 3 is damaged: .*JSON.*\. Nothing is spent until/);
  expect((await fs.read(path))?.toString()).toBe(damaged);
});
