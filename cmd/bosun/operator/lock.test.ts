import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, request, Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { earlierLock, type Lock, takeLock } from "./lock.ts";
import { beatMs } from "./lock-holder.ts";
import { type Holder, lockTerms } from "./lock-terms.ts";

/** A folder with a lock, and hands for what other machines do to it. */
function folderOfALock() {
  const folder = mkdtempSync(path.join(tmpdir(), "bosun-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = (number: number) => path.join(folder, "lock", `${number}.json`);
  const holder = (number: number): Holder => JSON.parse(readFileSync(file(number), "utf8"));
  return {
    folder,
    holder,
    change: (number: number, more: Partial<Holder>) =>
      writeFileSync(file(number), JSON.stringify({ ...holder(number), ...more })),
    /** Its holder is now one that can't be seen or reached from here, silent for `silentMs`. */
    moveElsewhere(number: number, silentMs: number) {
      renameSync(path.join(folder, "operator.sock"), path.join(folder, "unreachable.sock"));
      this.change(number, { place: "another kernel", heartbeatMs: holder(number).heartbeatMs - silentMs });
    },
  };
}

/** A clock whose sleepers wake when the test says so. */
function steppedClock() {
  let nowMs = 1_764_000_000_000;
  let sleepers: { untilMs: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => nowMs,
    elapsed: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ untilMs: nowMs + ms, wake: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  return {
    clock,
    async pass(ms: number) {
      nowMs += ms;
      const due = sleepers.filter(({ untilMs }) => untilMs <= nowMs);
      sleepers = sleepers.filter(({ untilMs }) => untilMs > nowMs);
      for (const { wake } of due) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
    /** Lets time pass, a second at a time, until `work` has ended. */
    async passUntil<T>(work: Promise<T>): Promise<T> {
      let isOver = false;
      const over = () => {
        isOver = true;
      };
      work.then(over, over);
      while (!isOver) await this.pass(1_000);
      return work;
    },
  };
}

async function taken(
  folder: string,
  clock: Clock,
  lost: (unseen?: Error) => void = () => {},
  note: (line: string) => void = () => {},
): Promise<Lock> {
  const server = createServer((_, response) => response.end(folder));
  const lock = await takeLock({ folder, socket: "operator.sock", server, clock, note }, lost);
  onTestFinished(() => lock.release());
  return lock;
}

test("of many that start at once one holds, and the others say who", async () => {
  const { folder } = folderOfALock();
  const { clock } = steppedClock();
  for (let round = 0; round < 20; round += 1) {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => taken(folder, clock)));
    const held = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(held.map((lock) => lock.isHeld())).toEqual([true]);
    for (const one of tries)
      if (one.status === "rejected")
        expect(one.reason.message).toContain(`An operator already runs here (process ${process.pid}). `);
    held[0]?.release();
  }
});

test("who took a number that was free because two quicker ones went by holds nothing", async () => {
  const { folder } = folderOfALock();
  const { clock } = steppedClock();
  const first = await taken(folder, clock);
  const me = { ...lockTerms(path.join(folder, "lock")).holder(1) } as Holder;
  first.release();
  let quicker = true;
  const late: Clock = {
    ...clock,
    now() {
      // Between its look at the lock and its hand on the next number.
      if (quicker) lockTerms(path.join(folder, "lock")).take(3, me);
      quicker = false;
      return clock.now();
    },
  };
  await expect(taken(folder, late)).rejects.toThrow(
    `An operator already runs here (process ${process.pid}).`,
  );
});

test("who is just about to write that it holds is waited for; what a power loss left half written holds nothing", async () => {
  for (const isWritten of [true, false]) {
    const { folder } = folderOfALock();
    const time = steppedClock();
    const first = await taken(folder, time.clock);
    first.release();
    const file = (number: number) => path.join(folder, "lock", `${number}.json`);
    const whole = readFileSync(file(1), "utf8").replace(',"isReleased":true', "");
    writeFileSync(file(2), whole.slice(0, 20));
    const late = taken(folder, time.clock);
    await time.pass(100);
    if (isWritten) {
      writeFileSync(file(2), whole);
      await expect(time.passUntil(late)).rejects.toThrow(`already runs here (process ${process.pid})`);
    } else expect((await time.passUntil(late)).isHeld()).toBe(true);
  }
});

test("what earlier holders left is put away", async () => {
  const { folder } = folderOfALock();
  const { clock } = steppedClock();
  for (let round = 0; round < 3; round += 1) (await taken(folder, clock)).release();
  await taken(folder, clock);
  expect(readdirSync(path.join(folder, "lock")).sort()).toEqual([
    expect.stringMatching(/^4\.\d+\.sock$/),
    "4.json",
  ]);
});

test("the term grows with each holder, also when the folder of the lock was taken away", async () => {
  const { folder } = folderOfALock();
  const { clock, pass } = steppedClock();
  const first = await taken(folder, clock);
  first.release();
  const second = await taken(folder, clock);
  expect(second.term).toBeGreaterThan(first.term);
  rmSync(path.join(folder, "lock"), { recursive: true });
  expect(second.isHeld()).toBe(false);
  await pass(4_000);
  const third = await taken(folder, clock);
  expect(third.term).toBeGreaterThan(second.term);
  expect(second.isHeld()).toBe(false);
});

test("who took the lock after its folder was taken away holds it alone, though the numbers begin anew", async () => {
  const { folder, holder } = folderOfALock();
  const [before, after] = [steppedClock(), steppedClock()];
  let lost = 0;
  const first = await taken(folder, before.clock, () => {
    lost += 1;
  });
  rmSync(path.join(folder, "lock"), { recursive: true });
  await after.pass(1_000);
  const second = await taken(folder, after.clock);
  expect([first.isHeld(), second.isHeld()]).toEqual([false, true]);
  expect(second.term).toBeGreaterThan(first.term);

  const said = holder(1);
  await before.pass(2_000);
  expect(lost).toBe(1);
  first.release();
  expect(holder(1)).toEqual(said);
  expect(second.isHeld()).toBe(true);
  expect(await answerOf(path.join(folder, "operator.sock"))).toBe(folder);
});

test("a holder that lives on this machine holds, however old its heartbeat is", async () => {
  const here = folderOfALock();
  const { clock } = steppedClock();
  await taken(here.folder, clock);
  here.change(1, { heartbeatMs: clock.now() - 3_600_000 });
  await expect(taken(here.folder, clock)).rejects.toThrow(
    `An operator (process ${process.pid}) holds this workspace and has not moved for 3600 s. \`kill -9 ${process.pid}\` ends it`,
  );
});

test("a process that merely has the number of a dead holder holds nothing", async () => {
  const here = folderOfALock();
  const { clock } = steppedClock();
  await taken(here.folder, clock);
  here.change(1, { startTime: "of another process" });
  rmSync(path.join(here.folder, "operator.sock"));
  expect((await taken(here.folder, clock)).isHeld()).toBe(true);
});

test("one whose file names a process that is gone holds all the same while somebody listens at its socket", async () => {
  const { folder, change } = folderOfALock();
  const { clock } = steppedClock();
  const first = await taken(folder, clock);
  change(1, { startTime: "long ago" });
  await expect(taken(folder, clock)).rejects.toThrow("already runs in another container on this folder");
  expect(first.isHeld()).toBe(true);
});

test("one that can't be seen holds by its socket, or by a heartbeat younger than 30 s", async () => {
  const here = folderOfALock();
  const { clock } = steppedClock();
  await taken(here.folder, clock);
  here.change(1, { place: "another container", heartbeatMs: 0 });
  await expect(taken(here.folder, clock)).rejects.toThrow("in another container on this folder");
  here.change(1, { heartbeatMs: clock.now() });
  here.moveElsewhere(1, 12_000);
  await expect(taken(here.folder, clock)).rejects.toThrow(
    "held this workspace a moment ago. Stop it, or wait 18 s.",
  );
});

test("one that can't be seen holds while its socket can't be asked: that does not say that nobody listens", async () => {
  const here = folderOfALock();
  const time = steppedClock();
  const first = await taken(here.folder, time.clock);
  here.moveElsewhere(1, 600_000);
  symlinkSync("operator.sock", path.join(here.folder, "operator.sock"));
  await expect(time.passUntil(taken(here.folder, time.clock))).rejects.toThrow("already runs in another");
  expect(first.isHeld()).toBe(true);
});

test("one that can't be seen and beats under a clock that is behind holds", async () => {
  const here = folderOfALock();
  await taken(here.folder, steppedClock().clock);
  here.moveElsewhere(1, 600_000);
  const { clock } = steppedClock();
  const beat = () => here.change(1, { heartbeatMs: here.holder(1).heartbeatMs + beatMs });
  // It has beaten just now: who watches for less than a whole beat sees none.
  const watching: Clock = {
    ...clock,
    async sleep(ms) {
      if (ms > beatMs) beat();
    },
  };
  await expect(taken(here.folder, watching)).rejects.toThrow(/its clock is \d+ s behind the one here/);
});

test("one that can't be seen and has long been silent is replaced; when it wakes it is told, and changes nothing of its successor's", async () => {
  const here = folderOfALock();
  const suspended = steppedClock();
  let lost = 0;
  const stale = await taken(here.folder, suspended.clock, () => {
    lost += 1;
  });
  here.moveElsewhere(1, 60_000);
  const awake = steppedClock();
  const next = await awake.passUntil(taken(here.folder, awake.clock));
  expect([stale.isHeld(), next.isHeld()]).toEqual([false, true]);
  expect(next.term).toBeGreaterThan(stale.term);

  await suspended.pass(3_600_000);
  expect(lost).toBe(1);
  stale.release();
  expect(readdirSync(path.join(here.folder, "lock")).sort()).toEqual([
    expect.stringMatching(/^2\.\d+\.sock$/),
    "2.json",
  ]);
  expect(await answerOf(path.join(here.folder, "operator.sock"))).toBe(here.folder);
  expect(next.isHeld()).toBe(true);
});

test("a holder that can't see who holds waits for it and says so, for as long as nobody else may take the lock", async () => {
  const { folder } = folderOfALock();
  const { clock, pass } = steppedClock();
  const lost: unknown[] = [];
  const told: string[] = [];
  const lock = await taken(
    folder,
    clock,
    (unseen) => lost.push(unseen?.message),
    (line) => told.push(line),
  );
  const files = path.join(folder, "lock");
  const hide = () => {
    renameSync(files, `${files}.aside`);
    writeFileSync(files, "");
  };
  const beats = async (seconds: number) => {
    for (let past = 0; past < seconds; past += 2) await pass(2_000);
  };
  const unseen = /^Who holds this workspace can't be seen \(ENOTDIR: .*\)\.$/;

  hide();
  await beats(10);
  expect(() => lock.isHeld()).toThrow(unseen);
  expect(told.splice(0)).toEqual([
    expect.stringMatching(/^Warning: Who holds .*ENOTDIR.* in 30 s, .* ends\.$/),
  ]);
  rmSync(files);
  renameSync(`${files}.aside`, files);
  await beats(10);
  expect(lock.isHeld()).toBe(true);
  expect(told.splice(0)).toEqual(["Who holds this workspace can be seen again: it goes on."]);
  expect(lost).toEqual([]);

  hide();
  await beats(60);
  expect(lost).toEqual([expect.stringMatching(unseen)]);
  rmSync(files);
  renameSync(`${files}.aside`, files);
});

test("a process that has started again in its own place still holds, by its file alone, until it lets go or is replaced", async () => {
  const here = folderOfALock();
  const time = steppedClock();
  const { clock } = time;
  const lost = (): Error => new Error("lost");
  const earlier = () => earlierLock(here.folder, { clock, lost });
  expect(await earlier()).toBeUndefined();
  const before = await taken(here.folder, clock);
  // As its end closes it.
  renameSync(path.join(here.folder, "operator.sock"), path.join(here.folder, "closed.sock"));
  const mine = here.holder(1);
  for (const other of [{ pid: 1 }, { startTime: "of another" }, { place: "another kernel" }] as const) {
    here.change(1, other);
    expect(await earlier()).toBeUndefined();
    here.change(1, mine);
  }
  const held = await earlier();
  await expect(taken(here.folder, clock)).rejects.toThrow(`already runs here (process ${process.pid})`);
  here.change(1, { heartbeatMs: 0 });
  held?.beat();
  expect(here.holder(1)).toEqual(mine);

  held?.release();
  expect(await earlier()).toBeUndefined();
  const after = await taken(here.folder, clock);
  expect(after.term).toBeGreaterThan(before.term);
  expect(() => held?.beat()).toThrow("lost");
});

test("a socket that a stale holder put in place of the holder's is put right by the next beat", async () => {
  const { folder } = folderOfALock();
  const { clock, pass } = steppedClock();
  await taken(folder, clock);
  rmSync(path.join(folder, "operator.sock"));
  writeFileSync(path.join(folder, "operator.sock"), "no socket");
  await pass(5_000);
  expect(await answerOf(path.join(folder, "operator.sock"))).toBe(folder);
});

test("who lets go takes its own link away, and none that leads to another", async () => {
  for (const other of [undefined, "elsewhere.sock"]) {
    const { folder } = folderOfALock();
    const known = path.join(folder, "operator.sock");
    const lock = await taken(folder, steppedClock().clock);
    if (other !== undefined) {
      rmSync(known);
      symlinkSync(other, known);
    }
    lock.release();
    const left = lstatSync(known, { throwIfNoEntry: false });
    expect(left !== undefined).toBe(other !== undefined);
  }
});

function answerOf(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/" }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    })
      .on("error", reject)
      .end();
  });
}

test("only its owner reaches the socket, and nothing made meanwhile has less of a mode for it", async () => {
  const { folder } = folderOfALock();
  const masks: number[] = [];
  // A sandbox's trial made its folder while the whole process had the socket's umask, and could not enter it.
  class Watched extends Server {
    override listen(...args: unknown[]): this {
      masks.push(process.umask());
      return super.listen(...(args as Parameters<Server["listen"]>));
    }
  }
  const before = process.umask();
  const lock = await takeLock(
    { folder, socket: "operator.sock", server: new Watched(), clock: steppedClock().clock },
    () => {},
  );
  onTestFinished(() => lock.release());
  expect(masks).toEqual([before]);
  expect(statSync(path.join(folder, "operator.sock")).mode & 0o777).toBe(0o600);
  expect(statSync(path.join(folder, "lock")).mode & 0o777).toBe(0o700);
});

test("a heartbeat is written over the one before, and makes no new file", async () => {
  const { folder, holder } = folderOfALock();
  const { clock, pass } = steppedClock();
  await taken(folder, clock);
  const file = path.join(folder, "lock", "1.json");
  const { ino } = statSync(file);
  const before = holder(1);
  await pass(2_000);
  expect(holder(1)).toEqual({ ...before, heartbeatMs: before.heartbeatMs + 2_000 });
  expect(statSync(file).ino).toBe(ino);
  // Whatever a person or a full disk made of it, the next beat makes it whole.
  writeFileSync(file, "{");
  await pass(2_000);
  expect(holder(1)).toEqual({ ...before, heartbeatMs: before.heartbeatMs + 4_000 });
  writeFileSync(file, `${JSON.stringify(before)}}}`);
  await pass(2_000);
  expect(holder(1)).toEqual({ ...before, heartbeatMs: before.heartbeatMs + 6_000 });
});
