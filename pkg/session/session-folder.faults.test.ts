import { expect, test } from "vitest";
import { type CrashDisk, crashDisk } from "../storage/testing/crash-disk.ts";
import { everyFault, failureOf } from "../storage/testing/every-fault.ts";
import { seeded } from "../storage/testing/seeded.ts";
import { type EndOrder, sessionFolder } from "./session-folder.ts";
import type { SessionReport, SessionSpec } from "./sessions.ts";

const report = (turns: number): SessionReport => ({
  ...{
    run: 1,
    turns,
    liveSeconds: turns * 10,
    lastActivityMs: 0,
    heartbeatMs: 0,
    tasksDone: [],
    busy: false,
  },
});
const spec = (run: number): SessionSpec => ({ id: "s-1", run }) as SessionSpec;
const open = (disk: CrashDisk) =>
  sessionFolder("/repository/.claude-sessions/.bosun/sessions", "s-1", disk.blockingCalls);

/** The last thing that was safe, of each kind; and what was written since. */
interface Told {
  run: number;
  /** Of the checkout that was made ready last. */
  setup: number;
  turns: number;
  /** What was ordered last; undefined while that is being changed. */
  order: EndOrder | "none" | undefined;
  host: "starting" | "running" | "none" | undefined;
}

/** What a manager and a host write, in order. Throws when they have to end. */
async function story(disk: CrashDisk, told: Told): Promise<void> {
  const folder = open(disk);
  for (const round of [1, 2]) {
    folder.writeSpec(spec(round));
    told.run = round;
    folder.writeSetup({ checkout: `${round}`, run: "npm ci" });
    told.setup = round;
    folder.writeLaunch({ attempt: `${round}` } as never);
    told.host = undefined;
    folder.writeHost({ state: "starting", attempt: `${round}`, place: "here" });
    told.host = "starting";
    folder.writeReport(report(round * 10), { durable: true });
    told.turns = round * 10;
    folder.writeReport(report(round * 10 + 1), { durable: false });
    for (const order of ["AfterTurn", "Now"] as const) {
      told.order = undefined;
      folder.writeOrder(order);
      told.order = order;
    }
    folder.writeReport(report(round * 10 + 2), { durable: true });
    told.turns = round * 10 + 2;
    told.host = undefined;
    folder.clearHost();
    told.host = "none";
    told.order = undefined;
    folder.clearOrder();
    told.order = "none";
  }
}

/** Every file is whole, and says what was safe or something later. */
function expectAll(disk: CrashDisk, told: Told, when: string): void {
  const folder = open(disk);
  expect(folder.readSpec()?.run ?? 0, when).toBeGreaterThanOrEqual(told.run);
  expect(Number(folder.readSetup()?.checkout ?? 0), when).toBeGreaterThanOrEqual(told.setup);
  expect(folder.readReport()?.turns ?? 0, when).toBeGreaterThanOrEqual(told.turns);
  folder.readLaunch();
  if (told.order !== undefined) expect(folder.readOrder() ?? "none", when).toBe(told.order);
  if (told.host !== undefined) expect(folder.readHost()?.state ?? "none", when).toBe(told.host);
}

const nothing = (): Told => ({ run: 0, setup: 0, turns: 0, order: "none", host: "none" });

test("whichever call fails, and however, a session's files are whole and say what was safe, after a power loss too", async () => {
  const undisturbed = crashDisk();
  await story(undisturbed, nothing());
  for (const { step, fault, said } of everyFault(undisturbed.made)) {
    const disk = crashDisk();
    const told = nothing();
    disk.failAfter(step, fault);
    const error = await failureOf(story(disk, told));
    if (fault.code === "Short") expect(error, said).toBeUndefined();
    expect(disk.open, said).toBe(0);
    disk.mend();
    expectAll(disk.afterKill(), told, `${said}, then a restart`);
    for (const seed of [step, step + 1])
      expectAll(disk.afterCrash(seeded(seed)), told, `${said}, then a power loss`);
  }
});

test("killed before any call, a session's files are whole and say what was safe, after a power loss too", async () => {
  const undisturbed = crashDisk();
  await story(undisturbed, nothing());
  for (let step = 0; step <= undisturbed.made.length; step += 1) {
    const disk = crashDisk();
    const told = nothing();
    disk.crashAfter(step);
    await failureOf(story(disk, told));
    const next = disk.afterKill();
    expectAll(next, told, `killed at step ${step}`);
    for (const seed of [step, step + 1])
      expectAll(disk.afterCrash(seeded(seed)), told, `power loss at step ${step}`);
    // The next one begins again, and what it is told holds.
    const after = nothing();
    await story(next, after);
    for (const seed of [step, step + 1, step + 2, step + 3])
      expectAll(
        next.afterCrash(seeded(seed)),
        after,
        `killed at step ${step}, then again, then a power loss`,
      );
  }
});

test("what a host still writes into a transcript that was detached is read by nobody, after a power loss too", () => {
  const disk = crashDisk();
  const { transcriptPath, detachTranscript } = open(disk);
  const transcriptOf = ({ blockingCalls }: CrashDisk) =>
    blockingCalls.readFileSync(transcriptPath).toString();
  disk.put(transcriptPath, "said\n");
  const { openSync, writeSync, fdatasyncSync } = disk.blockingCalls;
  const host = openSync(transcriptPath, "a");
  detachTranscript();
  writeSync(host, Buffer.from("late\n"), 0, 5, null);
  fdatasyncSync(host);
  expect(transcriptOf(disk)).toBe("said\n");
  for (let seed = 0; seed < 10; seed += 1) expect(transcriptOf(disk.afterCrash(seeded(seed)))).toBe("said\n");
});

test("the way to the model, and what was said, are for their owner alone", async () => {
  const disk = crashDisk();
  const folder = open(disk);
  disk.put(folder.transcriptPath, "said\n");
  folder.detachTranscript();
  folder.writeAccess({ url: "http://127.0.0.1:1", token: "secret" });
  for (const path of [folder.transcriptPath, `${folder.path}/access.json`])
    expect((await disk.calls.stat(path, { bigint: true })).mode & 0o077n, path).toBe(0n);
});
