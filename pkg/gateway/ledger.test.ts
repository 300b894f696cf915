import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import type { FileSystem } from "../storage/file-system.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { crashFileSystem } from "../storage/testing/crash-file-system.ts";
import { systemIds } from "../system/system.ts";
import { type Ledger, type LedgerOptions, openLedger } from "./ledger.ts";
import { readLedger } from "./ledger-file.ts";
import { LedgerError, type Step } from "./ledger-lines.ts";
import { grantStep, reservation, SETTLED } from "./testing/steps.ts";

let folder: string;
const opened: Ledger[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-ledger-"));
});

afterEach(async () => {
  for (const ledger of opened.splice(0)) await ledger.close();
  await rm(folder, { recursive: true });
});

async function open(more: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const ledger = await openLedger({
    path: join(folder, "ledger.jsonl"),
    totalsPath: join(folder, "state", "totals.json"),
    fs: nodeFileSystem,
    clock: new TestClock(),
    ids: systemIds,
    failed: () => undefined, // Told to who appended.
    ...more,
  });
  opened.push(ledger);
  return ledger;
}

/** One that has taken these steps, and is closed. */
async function closedAfter(...steps: Step[]): Promise<void> {
  const ledger = await open();
  for (const step of steps) await ledger.append(step);
  await ledger.close();
  opened.splice(0);
}

async function reopened(): Promise<Ledger> {
  for (const ledger of opened.splice(0)) await ledger.close();
  return open();
}

test("a step is on disk when append resolves", async () => {
  const ledger = await open();
  await ledger.append(reservation("a"));
  expect(await readFile(join(folder, "ledger.jsonl"), "utf8")).toContain('"step":"reserved","id":"a"');
});

test("a ledger opened again adds up to the same, with what a crash left open ended", async () => {
  const ledger = await open();
  for (const id of ["reserved", "sent", "settled", "unsettled", "released"])
    void ledger.append(reservation(id));
  for (const id of ["sent", "settled", "unsettled"]) void ledger.append({ step: "sent", id });
  void ledger.append({ ...SETTLED, id: "settled" });
  void ledger.append({ step: "unsettled", id: "unsettled", why: "cut", cost: 900, tokens: 250 });
  await ledger.append({ step: "released", id: "released", why: "no connection" });
  expect(ledger.state.sums({})).toMatchObject({ spent: 940, reserved: 2_000, requests: 4, unsettled: 1 });

  const again = await reopened();
  expect([...again.state.requests()].map(({ id, state, cost }) => [id, state, cost])).toEqual([
    ["reserved", "released", 0],
    ["sent", "unsettled", 1_000],
    ["settled", "settled", 40],
    ["unsettled", "unsettled", 900],
    ["released", "released", 0],
  ]);
  const sums = { spent: 1_940, reserved: 0, spentTokens: 552, requests: 3, unsettled: 2 };
  expect(again.state.sums({})).toMatchObject(sums);
  expect((await reopened()).state.sums({})).toMatchObject(sums);
});

test("a gateway whose ledger another has opened acts upon nothing more, and leaves the other's lines whole", async () => {
  const stale = await open();
  await stale.append(reservation("a"));
  const next = await open();
  // Reserved, not sent: it took nothing along that the other would not know of.
  expect(next.state.sums({})).toMatchObject({ spent: 0, reserved: 0 });
  await expect(stale.append({ step: "sent", id: "a" })).rejects.toThrow(/Another gateway has opened/);
  await next.append(reservation("b"));
  await expect(stale.append({ step: "released", id: "a", why: "?" })).rejects.toThrow(
    /Another gateway has opened/,
  );
  await next.append({ step: "sent", id: "b" });
  expect([...(await reopened()).state.requests()].map(({ id, state }) => [id, state])).toEqual([
    ["a", "released"],
    ["b", "unsettled"],
  ]);
});

test("a gateway is told from its successors also where the disk gives what marked it to one of them", async () => {
  const disk = crashFileSystem();
  const fs: FileSystem = {
    ...disk,
    async stat(path) {
      const found = await disk.stat(path);
      // As an inode that was freed is given anew.
      return found === undefined ? undefined : { ...found, ino: 7n };
    },
  };
  const stale = await open({ fs });
  await stale.append(reservation("a"));
  await open({ fs });
  await expect(stale.append({ step: "sent", id: "a" })).rejects.toThrow(/Another gateway has opened/);
});

test("a gateway that is suspended in the middle of a write while another opens the ledger does not act upon it", async () => {
  let meanwhile: (() => Promise<unknown>) | undefined;
  const fs: FileSystem = {
    ...nodeFileSystem,
    async append(path, options) {
      const file = await nodeFileSystem.append(path, options);
      return {
        ...file,
        async write(bytes) {
          await file.write(bytes);
          const now = meanwhile;
          meanwhile = undefined;
          await now?.();
        },
      };
    },
  };
  const stale = await open({ fs });
  await stale.append(reservation("a"));
  meanwhile = () => open();
  await expect(stale.append({ step: "sent", id: "a" })).rejects.toThrow(/Another gateway has opened/);
  // What it had written was read, and is charged.
  expect(opened.at(-1)?.state.sums({})).toMatchObject({ spent: 1_000, unsettled: 1 });
});

test("a gateway acts upon nothing more once another reads the ledger, which would not see it and cut it off", async () => {
  const stale = await open();
  await stale.append(reservation("a"));
  let late: Promise<void> | undefined;
  const fs: FileSystem = {
    ...nodeFileSystem,
    async *pieces(path) {
      yield* nodeFileSystem.pieces(path);
      late = stale.append(reservation("b"));
      await late.catch(() => undefined); // Told below.
    },
  };
  await open({ fs });
  await expect(late).rejects.toThrow(/Another gateway has opened/);
});

test("a reservation counts at the moment that it names, whatever the clock says when it is written", async () => {
  const at = new TestClock("2026-11-30T23:59:59Z").now();
  const windows = [
    { startMs: at - 1_000, endMs: at + 1_000 },
    { startMs: at + 1_000, endMs: at + 86_400_000 },
  ];
  const late = await open({ clock: new TestClock("2026-12-01T00:00:01Z") });
  await late.append(reservation("a", { at }));
  await late.append({ step: "sent", id: "a" });
  for (const { state } of [late, await reopened()])
    expect(windows.map((window) => state.sums(window).spent + state.sums(window).reserved)).toEqual([
      1_000, 0,
    ]);
});

test("a step that can't follow is refused and leaves nothing behind", async () => {
  const ledger = await open();
  await ledger.append(reservation("a"));
  const { seq } = ledger.state;
  expect(() => ledger.append(reservation("a"))).toThrow(LedgerError);
  expect(() => ledger.append({ ...SETTLED, id: "a" })).toThrow("is reserved");
  expect(() => ledger.append({ step: "sent", id: "b" })).toThrow("never reserved");
  await ledger.append({ step: "sent", id: "a" });
  await ledger.append({ ...SETTLED, id: "a" });
  expect(() => ledger.append({ ...SETTLED, id: "a" })).toThrow("is settled");
  expect(ledger.state.seq).toBe(seq + 2);
  expect((await reopened()).state.sums({})).toMatchObject({ spent: 40, requests: 1 });
});

test("what a person settles counts, and lifts a violation, over a restart too", async () => {
  const ledger = await open();
  await ledger.append(reservation("a"));
  await ledger.append({ step: "sent", id: "a" });
  await ledger.append({ ...SETTLED, id: "a", cost: 5_000 });
  await ledger.append({ step: "violated", id: "a", cost: 5_000, bound: 1_000 });
  expect((await reopened()).state.violated).toEqual(["a"]);
  await opened[0]?.append({ step: "personSettled", id: "a", cost: 70 });
  const again = await reopened();
  expect(again.state.violated).toEqual([]);
  expect(again.state.sums({}).spent).toBe(70);
});

test("sums are by window, selector, project, session, agent and purpose", async () => {
  const { state, append } = await open().then((ledger) => ({
    state: ledger.state,
    append: ledger.append.bind(ledger),
  }));
  const at = new TestClock().now();
  const ask = (session: string) => state.sums({ session }).reserved;
  expect(ask("s")).toBe(0);
  await append(reservation("a", { labels: { team: "red" } }));
  await append(reservation("b", { session: "t", agent: "agent-2", project: "y", purpose: "review" }));
  expect(ask("s")).toBe(1_000);
  for (const [question, requests] of [
    [{}, 2],
    [{ selector: { team: "red" } }, 1],
    [{ selector: { team: "blue" } }, 0],
    [{ startMs: at, endMs: at + 1 }, 2],
    [{ startMs: at + 1 }, 0],
    [{ endMs: at }, 0],
    [{ project: "y" }, 1],
    [{ agent: "agent-1", purpose: "review" as const }, 0],
    [{ purpose: "review" as const }, 1],
  ] as const) {
    expect(state.sums(question).requests).toBe(requests);
  }
});

test("three unsettled in a row are counted, whatever was released in between, until one settles", async () => {
  const ledger = await open();
  for (const id of ["a", "b", "c"]) {
    await ledger.append(reservation(id));
    await ledger.append({ step: "sent", id });
    await ledger.append({ step: "unsettled", id, why: "cut", cost: 1, tokens: 1 });
    await ledger.append(reservation(`${id}, not sent`));
    await ledger.append({ step: "released", id: `${id}, not sent`, why: "no connection" });
  }
  expect((await reopened()).state.unsettledInRow).toBe(3);
  await opened[0]?.append(reservation("d"));
  await opened[0]?.append({ step: "sent", id: "d" });
  await opened[0]?.append({ ...SETTLED, id: "d" });
  expect(opened[0]?.state.unsettledInRow).toBe(0);
});

test("a line that a crash cut short is cut off, and the next one follows on it", async () => {
  await closedAfter(reservation("a"), { step: "sent", id: "a" }, { ...SETTLED, id: "a" });
  const path = join(folder, "ledger.jsonl");
  await writeFile(path, `${await readFile(path, "utf8")}{"seq":5,"at":1,"step":"rese`);
  await (await open()).append(reservation("b"));
  expect((await reopened()).state.seq).toBe(6);
});

test("where a line is cut off is counted in bytes, whatever the lines before it say", async () => {
  await closedAfter(reservation("a"), { step: "released", id: "a", why: "keine Verbindung möglich ✗" });
  const path = join(folder, "ledger.jsonl");
  const whole = await readFile(path, "utf8");
  await writeFile(path, `${whole}{"seq":4,"at":1,"step":"rese\n`);
  await (await open()).append(reservation("b"));
  expect((await readFile(path, "utf8")).startsWith(`${whole}{"seq":4,`)).toBe(true);
  expect((await reopened()).state.seq).toBe(5);
});

test("a line that is missing in the middle stops everything", async () => {
  await closedAfter(reservation("a"), reservation("b"));
  const path = join(folder, "ledger.jsonl");
  const lines = (await readFile(path, "utf8")).split("\n");
  await writeFile(path, lines.toSpliced(1, 1).join("\n"));
  await expect(open()).rejects.toThrow(/line 2 is damaged: Line 2 has seq 3/);
});

test("the copy of the totals is as new as the ledger when it is closed, however short ago it was made", async () => {
  const ledger = await open();
  for (const id of ["a", "b"]) await ledger.append(reservation(id));
  const last = ledger.append(reservation("c"));
  const { seq } = ledger.state;
  await ledger.close();
  await last;
  opened.splice(opened.indexOf(ledger), 1);
  const totals = JSON.parse(await readFile(join(folder, "state", "totals.json"), "utf8"));
  expect(totals).toMatchObject({ seq });
});

test("the copy of the totals tells of the windows that are not over: what it has to say does not grow for ever", async () => {
  const now = new TestClock().now();
  const ledger = await open();
  const yesterday = { window: "2026-11-22", grant: "g-0", startMs: now - 86_400_000, endMs: now };
  const month = { period: "monthly", window: "2026-11", grant: "g-2", endMs: now + 8 * 86_400_000 } as const;
  for (const more of [yesterday, {}, month]) await ledger.append(grantStep(more));
  await ledger.append(reservation("a"));
  await ledger.close();
  opened.splice(opened.indexOf(ledger), 1);
  const totals = JSON.parse(await readFile(join(folder, "state", "totals.json"), "utf8"));
  expect(totals.windows).toMatchObject([
    { window: "2026-11-23", cost: 1_000, tokens: 300 },
    { window: "2026-11", cost: 1_000, tokens: 300 },
  ]);
});

test("another ledger in the place of the one that the copy of the totals is of stops everything, whatever it says", async () => {
  await closedAfter(reservation("a"));
  const path = join(folder, "state", "totals.json");
  const totals = JSON.parse(await readFile(path, "utf8"));
  for (const seq of [1, totals.seq]) {
    await writeFile(path, JSON.stringify({ ...totals, ledger: "the one that is gone", seq }));
    await expect(open()).rejects.toThrow(/is another one/);
  }
});

test("a ledger in whose last line a digit was changed stops everything", async () => {
  await closedAfter(grantStep(), reservation("a"));
  const path = join(folder, "ledger.jsonl");
  await writeFile(path, (await readFile(path, "utf8")).replace('"cost":1000,', '"cost":9,'));
  await expect(open()).rejects.toThrow(/line 3 is damaged: Its checksum does not fit/);
});

test("a copy of the totals that can't be read stops everything, also where the ledger is gone: nothing says what was spent", async () => {
  await closedAfter(reservation("a"));
  const totals = join(folder, "state", "totals.json");
  const whole = await readFile(totals, "utf8");
  for (const damaged of ["", whole.slice(0, -1), `\0${whole.slice(1)}`]) {
    await writeFile(totals, damaged);
    await expect(open()).rejects.toThrow(/totals\.json is damaged/);
  }
  await rm(join(folder, "ledger.jsonl"));
  await expect(open()).rejects.toThrow(/totals\.json is damaged/);
});

test.each([
  ['"cost":1000,', '"cost":9,'],
  ['"tokens":300,', '"tokens":9,'],
])(
  "a ledger of before there were checksums, in which %s is %s, is known by the copy of its totals",
  async (said, changed) => {
    await closedAfter(grantStep(), reservation("a"));
    const path = join(folder, "ledger.jsonl");
    const old = (await readFile(path, "utf8")).replaceAll(/,"sum":"\w+"/g, "");
    expect(old).toContain(said);
    await writeFile(path, old.replace(said, changed));
    await expect(open()).rejects.toThrow(/adds up to something else/);
  },
);

test("a changed bit anywhere before the last write stops everything, or changes no sum, also without a copy of the totals", async () => {
  const ledger = await open();
  await ledger.append(grantStep());
  await ledger.append(reservation("a"));
  await ledger.append({ step: "sent", id: "a" });
  await ledger.append({ ...SETTLED, id: "a" });
  await ledger.append(reservation("b"));
  const sums = ledger.state.sums(grantStep());
  const whole = await readFile(join(folder, "ledger.jsonl"));
  // With the end of the line before it, since what begins there may have been torn.
  const lastWrite = whole.lastIndexOf("\n", -2);
  const fs = crashFileSystem();
  let refused = 0;
  for (let at = 0; at < lastWrite; at += 1) {
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    fs.put("/ledger.jsonl", bytes);
    const read = await readLedger(fs, "/ledger.jsonl").then(
      ({ state }) => state.sums(grantStep()),
      (error: unknown) => error,
    );
    if (read instanceof LedgerError) refused += 1;
    else expect(read, `byte ${at}`).toEqual(sums);
  }
  expect(refused).toBeGreaterThan(0.95 * lastWrite);
});

test("a line without an amount is damage, not nothing: what can't be added up can't be compared with a limit", async () => {
  await closedAfter(reservation("a"), { step: "sent", id: "a" }, { ...SETTLED, id: "a" });
  const path = join(folder, "ledger.jsonl");
  const old = (await readFile(path, "utf8")).replaceAll(/,"sum":"\w+"/g, "");
  await rm(join(folder, "state", "totals.json"));
  const settlement = old.lastIndexOf('"cost":');
  await writeFile(path, `${old.slice(0, settlement)}"cosu":${old.slice(settlement + '"cost":'.length)}`);
  await expect(open()).rejects.toThrow(/line 4 is damaged: It lacks what a line of its step has/);
});

test("the copy of the totals is never ahead of the ledger, also where its lines take more than one write", async () => {
  let writes = 0;
  const fs: FileSystem = {
    ...nodeFileSystem,
    async append(...where) {
      const file = await nodeFileSystem.append(...where);
      const write = async (bytes: Uint8Array): Promise<void> => {
        writes += 1;
        if (writes === 4) throw new Error("The disk is gone.");
        await file.write(bytes);
      };
      return { ...file, write };
    },
  };
  const ledger = await open({ fs });
  await ledger.append(reservation("a"));
  const long = ledger.append({ step: "released", id: "a", why: "x".repeat(1024 * 1024) });
  const next = ledger.append(reservation("b"));
  await long;
  await expect(next).rejects.toThrow("The disk is gone.");
  expect((await reopened()).state.request("b")).toBeUndefined();
});

test("when the disk fails whatever waits is refused, what was to be written after it too", async () => {
  let isGone = false;
  const fs: FileSystem = {
    ...nodeFileSystem,
    async append(...where) {
      const file = await nodeFileSystem.append(...where);
      const write = async (bytes: Uint8Array): Promise<void> => {
        if (isGone) throw new Error("The disk is gone.");
        await file.write(bytes);
      };
      return { ...file, write };
    },
  };
  const ledger = await open({ fs });
  await ledger.append(reservation("a"));
  isGone = true;
  const long = { step: "released", id: "a", why: "x".repeat(1024 * 1024) } as const;
  const ended = await Promise.allSettled([long, reservation("b")].map((step) => ledger.append(step)));
  expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("a copy of the totals that can't be written keeps nobody from spending", async () => {
  const totals = join(folder, "state", "totals.json");
  const fs: FileSystem = {
    ...nodeFileSystem,
    rename: async (from, to) => {
      if (to === totals) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      await nodeFileSystem.rename(from, to);
    },
  };
  const ledger = await open({ fs });
  await ledger.append(reservation("a"));
  await ledger.append({ step: "sent", id: "a" });
  await ledger.close();
  opened.splice(0);
  expect(await nodeFileSystem.stat(totals)).toBeUndefined();
  expect((await open()).state.request("a")).toMatchObject({ state: "unsettled" });
});

test("a ledger that can't be read is named, and nobody is told to make it anew", async () => {
  const path = join(folder, "ledger.jsonl");
  await mkdir(path);
  const failure = await open().catch((error: unknown) => error);
  expect(failure).not.toBeInstanceOf(LedgerError);
  expect(failure).toMatchObject({
    message: expect.stringMatching(/ledger\.jsonl can't be read: EISDIR/),
    code: "EISDIR",
  });
});
