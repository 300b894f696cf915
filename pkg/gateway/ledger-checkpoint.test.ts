import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { systemIds } from "../system/system.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { readLedger } from "./ledger-file.ts";
import type { Line, Step } from "./ledger-lines.ts";
import { isAgain, LedgerState } from "./ledger-state.ts";
import { grantStep, reservation, settled } from "./testing/steps.ts";
import { windowAt } from "./windows.ts";

let folder: string;
let path: string;
let ledger: Ledger | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-checkpoint-"));
  path = join(folder, "ledger.jsonl");
});

afterEach(async () => {
  await ledger?.close();
  ledger = undefined;
  await rm(folder, { recursive: true });
});

async function open(): Promise<Ledger> {
  await ledger?.close();
  ledger = undefined;
  ledger = await openLedger({
    path,
    totalsPath: join(folder, "state", "totals.json"),
    fs: nodeFileSystem,
    clock: new TestClock(),
    ids: systemIds,
    failed: () => undefined, // Told to who appended.
    checkpoints: { afterBytes: 2_000, requests: 2 },
  });
  return ledger;
}

async function spend(to: Pick<Ledger, "append">, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await to.append(reservation(id));
    await to.append({ step: "sent", id });
    await to.append(settled(id));
  }
}

/** A ledger of forty requests that is closed, with a checkpoint beside it. */
async function spent(): Promise<void> {
  const to = await open();
  await to.append(grantStep());
  await spend(
    to,
    Array.from({ length: 40 }, (_, index) => `r${index}`),
  );
  await to.close();
  ledger = undefined;
}

const checkpoint = (): Promise<string> => readFile(`${path}.checkpoint`, "utf8");

test("a start reads what is behind the checkpoint, and adds up to the same", async () => {
  await spent();
  const { prefix, checkpoint: from, state } = await readLedger(nodeFileSystem, path);
  expect(from.bytes).toBeGreaterThan(prefix.bytes / 2);
  expect(state.sums({})).toMatchObject({ spent: 1_600, spentTokens: 80, reserved: 0, requests: 40 });
  // By itself there is what is new alone; the rest is a charge.
  expect([...state.requests()].length).toBeLessThan(30);
  expect([...state.charges()]).toMatchObject([{ payer: { agent: "agent-1" }, isAgain: false }]);
  const again = await open();
  await spend(again, ["new"]);
  await again.close();
  await rm(`${path}.checkpoint`);
  const whole = await readLedger(nodeFileSystem, path);
  expect(whole.checkpoint.bytes).toBe(0);
  expect(whole.state.sums({})).toEqual(again.state.sums({}));
  expect(whole.state.sums(grantStep())).toEqual(again.state.sums(grantStep()));
  expect(whole.prefix).toEqual((await readLedger(nodeFileSystem, path)).prefix);
});

test("a checkpoint that is damaged, another version's or of other lines is as none", async () => {
  await spent();
  const text = await checkpoint();
  const { crc } = JSON.parse(text) as { crc: number };
  for (const other of [
    "",
    "{}",
    text.slice(0, -10),
    text.replace(/"tokens":2,/, '"tokens":1,'),
    text.replace('"version":1', '"version":2'),
    text.replace(`"crc":${crc}`, `"crc":${crc - 1}`),
  ]) {
    expect(other).not.toBe(text);
    await writeFile(`${path}.checkpoint`, other);
    const { state, checkpoint: from } = await readLedger(nodeFileSystem, path);
    expect(from).toEqual({ bytes: 0, size: 0 });
    expect(state.sums({})).toMatchObject({ spent: 1_600, requests: 40 });
  }
});

test("what happens to lines that a checkpoint stands for stops everything, as ever", async () => {
  await spent();
  const whole = await readFile(path, "utf8");
  await writeFile(path, whole.replace('"id":"r3"', '"id":"r4"'));
  await expect(open()).rejects.toThrow(/line \d+ is damaged/);
  // Cut within them.
  const { bytes } = JSON.parse(await checkpoint()) as { bytes: number };
  await writeFile(path, whole.slice(0, whole.lastIndexOf("\n", bytes - 2) + 1));
  await expect(open()).rejects.toThrow(/was cut/);
  await rm(path);
  await expect(open()).rejects.toThrow(/is missing/);
});

test("a line behind the checkpoint that is about a folded request, as another version writes it, is believed", async () => {
  await spent();
  await rm(join(folder, "state", "totals.json"));
  const { state } = await readLedger(nodeFileSystem, path);
  expect(state.request("r0")).toBeUndefined();
  const line = { step: "personSettled", id: "r0", cost: 7, seq: state.seq + 1, at: state.at };
  await writeFile(path, `${await readFile(path, "utf8")}${JSON.stringify(line)}\n`);
  expect((await open()).state.sums({}).spent).toBe(1_600 - 40 + 7);
});

// The state, by itself

function stateOf(steps: readonly Step[]): LedgerState {
  const state = new LedgerState();
  const all: Step[] = [{ step: "opened", ledger: "l", version: 1 }, ...steps];
  for (const step of all) state.apply({ at: 1, ...step, seq: state.seq + 1 } as Line);
  return state;
}

const again = (state: LedgerState): LedgerState =>
  LedgerState.fromJson(JSON.parse(JSON.stringify(state.asJson())));

const request = (id: string, more: Parameters<typeof reservation>[1] = {}): Step[] => [
  reservation(id, more),
  { step: "sent", id },
  settled(id),
];

test("what a person may still be asked about is never folded, nor what goes on", () => {
  const state = stateOf([
    ...request("settled"),
    reservation("unsettled"),
    { step: "sent", id: "unsettled" },
    { step: "unsettled", id: "unsettled", why: "cut", cost: 900, tokens: 250 },
    ...request("said").slice(0, 2),
    { step: "unsettled", id: "said", why: "cut", cost: 900, tokens: 250 },
    { step: "personSettled", id: "said", cost: 8 },
    ...request("corrected"),
    { step: "personSettled", id: "corrected", cost: 8 },
    ...request("too much").slice(0, 2),
    settled("too much", { cost: 5_000 }),
    reservation("released"),
    { step: "released", id: "released", why: "no connection" },
    reservation("reserved"),
    reservation("sent"),
    { step: "sent", id: "sent" },
  ]);
  const before = { ...state.sums({}) };
  state.fold(0);
  for (const one of [state, again(state)]) {
    expect([...one.requests()].map(({ id }) => id)).toEqual([
      ...["unsettled", "said", "corrected", "too much"],
      ...["reserved", "sent"],
    ]);
    expect(one.violated).toEqual(["too much"]);
    expect(one.sums({})).toEqual(before);
    for (const id of ["said", "corrected"]) {
      one.apply({ step: "personSettled", id, cost: 9, seq: one.seq + 1, at: 1 });
      one.fold(0);
      expect(one.request(id)?.cost).toBe(9);
    }
    expect(one.sums({}).spent).toBe(before.spent + 2);
  }
});

test("a turn that is asked for again is known as that however much was folded in between", () => {
  const turn = { session: "s", run: 1, turn: 4 };
  const state = stateOf([
    ...request("first", { ...turn, host: "a" }),
    ...Array.from({ length: 50 }, (_, index) => request(`r${index}`, { session: `other ${index}` })).flat(),
  ]);
  state.fold(0);
  for (const one of [state, again(state)]) {
    expect(one.repeated(turn, { turn: 4, host: "a" })).toEqual({ again: "first" });
    expect(one.repeated(turn, { turn: 4, host: "b" })).toEqual({ resume: "first" });
    expect(one.repeated(turn, { turn: 5, host: "b" })).toEqual({});
  }
});

test("a charge is in a window or not, as its requests were: in all zones windows begin with a quarter of an hour", () => {
  const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
  const moments = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2040, 0) });
  fc.assert(
    fc.property(zones, moments, fc.constantFrom("daily" as const, "monthly" as const), (zone, at, period) => {
      const { startMs, endMs } = windowAt(period, at, zone);
      expect([startMs % 900_000, endMs % 900_000]).toEqual([0, 0]);
    }),
    { numRuns: 2_000 },
  );
});

test("of what was folded every sum over a window is what it was", () => {
  const day = 86_400_000;
  const start = Date.UTC(2026, 9, 1);
  const hour = 3_600_000;
  // As days begin in India, Nepal and Newfoundland.
  const offsets = fc.constantFrom(0, 5.5 * hour, 5.75 * hour, -3.5 * hour);
  const made = fc.record({
    at: fc.oneof(
      fc.integer({ min: 0, max: 60 * day }),
      // Some of them in one quarter of an hour, or around a midnight.
      fc.integer({ min: 30 * day - hour, max: 30 * day + hour }),
    ),
    model: fc.constantFrom("small", "large"),
    project: fc.constantFrom("one", "two"),
    team: fc.constantFrom("red", "blue"),
    cost: fc.nat(900),
    isAgain: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(made, { maxLength: 30 }), fc.nat(5), offsets, (requests, keep, offset) => {
      const inOrder = requests
        .map((one) => ({ ...one, at: one.at - offset }))
        .toSorted((a, b) => a.at - b.at);
      const state = stateOf(
        inOrder.flatMap(({ at, model, project, team, cost, isAgain }, index) => {
          const id = `r${index}`;
          const labels = { team };
          const more = {
            at: start + at,
            model,
            project,
            session: project,
            labels,
            ...(isAgain ? { again: "x" } : {}),
          };
          return [reservation(id, more), { step: "sent", id } as const, settled(id, { cost })];
        }),
      );
      const questions = [
        ...[0, 1, 29, 30, 59, 60].map((from) => ({
          startMs: start + from * day - offset,
          endMs: start + (from + 1) * day - offset,
        })),
        ...["one", "two"].map((project) => ({ project })),
        ...["red", "blue"].map((team) => ({ selector: { team }, startMs: start, endMs: start + 31 * day })),
        { session: "one" },
      ];
      const said = questions.map((question) => ({ ...state.sums(question) }));
      const reported = byModel(state);
      state.fold(keep);
      const folded = again(state);
      expect([...folded.requests()]).toHaveLength(Math.min(keep, requests.length));
      // Kept sums stay; those of another process are made anew.
      for (const one of [state, folded, again(folded)])
        expect([questions.map((question) => ({ ...one.sums(question) })), byModel(one)]).toEqual([
          said,
          reported,
        ]);
    }),
  );
});

/** What a report says of each model: what turns cost, and what those that were paid before. */
function byModel(state: LedgerState): Record<string, number> {
  const sums = { small: 0, large: 0, "small again": 0, "large again": 0 } as Record<string, number>;
  const charge = (name: string, cost: number) => {
    sums[name] = (sums[name] ?? 0) + cost;
  };
  for (const { model, cost, isAgain } of state.charges()) charge(isAgain ? `${model} again` : model, cost);
  for (const one of state.requests()) charge(isAgain(one) ? `${one.model} again` : one.model, one.cost);
  return sums;
}

test("what is two months old is kept without its sessions, so that years of it have room", () => {
  const at = Date.UTC(2026, 0);
  const many = Array.from({ length: 500 }, (_, index) =>
    request(`r${index}`, { at: at + index * 60_000, session: `s${index}`, labels: { session: `s${index}` } }),
  );
  const state = stateOf([...many.flat(), ...request("new", { at: at + 80 * 86_400_000, session: "new" })]);
  state.fold(0);
  for (const one of [state, again(state)]) {
    expect([...one.charges()]).toMatchObject([{ requests: 1 }, { requests: 500, cost: 20_000 }]);
    expect(one.sums({ project: "x" })).toMatchObject({ spent: 20_040, requests: 501 });
    expect(JSON.stringify(one.asJson()).length).toBeLessThan(2_000);
  }
});

test("a line that a clock set forward has dated makes nothing old: sessions of this month are known still", () => {
  const at = Date.UTC(2026, 0);
  const [reserved, sent, over] = request("r1", { at, session: "s1" }) as [Step, Step, Step];
  const state = stateOf([reserved, sent, { ...over, at: at + 400 * 86_400_000 } as Step]);
  state.fold(0);
  expect([...state.requests()]).toEqual([]);
  for (const one of [state, again(state)])
    expect(one.sums({ session: "s1" })).toMatchObject({ spent: 40, requests: 1 });
});
