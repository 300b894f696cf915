import fc from "fast-check";
import { expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { crashFileSystem } from "../storage/testing/crash-file-system.ts";
import { seeded } from "../storage/testing/seeded.ts";
import { selects } from "./grants.ts";
import { openLedger } from "./ledger.ts";
import { encodeLines, readDamaged, readLedger } from "./ledger-file.ts";
import type { Line, Step } from "./ledger-lines.ts";
import { LedgerState } from "./ledger-state.ts";
import { type Totals, totalsOf } from "./ledger-totals.ts";
import { rebuild } from "./rebuild.ts";
import { inspectLedger, putRebuilt } from "./rebuild-ledger.ts";
import { grantStep, reservation, settled } from "./testing/steps.ts";

const red = { team: "red" };
/** The third window begins when some requests are over: those are in the others alone. */
const grants = [
  grantStep(),
  grantStep({
    grant: "g-2",
    window: "2026-11",
    period: "monthly",
    endMs: grantStep().startMs + 8 * 86_400_000,
    limitCost: 20_000,
  }),
  grantStep({
    ...{ grant: "g-3", budget: "red", uid: "u-3", selector: red, startMs: grantStep().startMs + 20 },
    ...{ limitCost: 3_000, limitTokens: 5_000 },
  }),
].map((grant) => (grant.grant === "g-1" ? { ...grant, limitCost: 9_000 } : grant));
const limits = grants.map(({ step: _, at: __, ...limit }) => limit);

/** A ledger as a gateway writes it that keeps to its limits, and the copies of its totals after each line. */
function played(seed: number, length: number): { lines: Line[]; totals: Totals[] } {
  const random = seeded(seed);
  const draw = (below: number) => Math.floor(random.next() * below);
  const state = new LedgerState();
  const lines: Line[] = [];
  const totals: Totals[] = [];
  const add = (step: Step): void => {
    const line = { seq: state.seq + 1, at: grantStep().at + lines.length, ...step };
    state.apply(line);
    lines.push(line);
    totals.push(totalsOf(state));
  };
  add({ step: "opened", ledger: "true", version: 1 });
  for (const grant of grants) add(grant);
  const fits = (cost: number, tokens: number, labels: Readonly<Record<string, string>>): boolean =>
    grants.every(({ selector, startMs, endMs, limitCost, limitTokens }) => {
      if (Object.keys(selector).length > 0 && labels.team !== "red") return true;
      const { spent, reserved, spentTokens, reservedTokens } = state.sums({ selector, startMs, endMs });
      const isCostLeft = limitCost === null || spent + reserved + cost <= limitCost;
      return isCostLeft && (limitTokens === null || spentTokens + reservedTokens + tokens <= limitTokens);
    });
  for (let at = 0; at < length; at += 1) {
    const open = [...state.requests()].filter(({ state }) => state === "reserved" || state === "sent");
    const ended = [...state.requests()].filter(({ state }) => state === "unsettled" || state === "settled");
    const one = open[draw(open.length)];
    const choice = draw(10);
    if (one === undefined || choice < 3) {
      const [cost, tokens, labels] = [
        draw(1_500),
        draw(900),
        random.next() < 0.4 ? red : ({} as Record<string, string>),
      ];
      if (fits(cost, tokens, labels))
        add(reservation(`r-${at}`, { cost, tokens, labels, at: grantStep().at + lines.length }));
    } else if (one.state === "reserved") {
      add(choice < 4 ? { step: "released", id: one.id, why: "no connection" } : { step: "sent", id: one.id });
    } else if (choice < 8) add(settled(one.id, { cost: draw(one.cost + 1), tokens: draw(one.tokens + 1) }));
    else add({ step: "unsettled", id: one.id, why: "cut", cost: one.cost, tokens: one.tokens });
    const doubtful = ended[draw(ended.length)];
    const corrected = draw((doubtful?.bound.cost ?? 0) + 1);
    const isCorrected = choice % 3 === 0 && doubtful !== undefined;
    if (isCorrected && fits(corrected - doubtful.cost, 0, doubtful.payer.labels))
      add({ step: "personSettled", id: doubtful.id, cost: corrected });
  }
  return { lines, totals };
}

/** What each window was really charged with once the gateway is dead: what wasn't sent cost nothing. */
function truth(lines: readonly Line[]): Map<string, { cost: number; tokens: number }> {
  const state = new LedgerState();
  for (const line of lines) state.apply(line);
  for (const { id, state: is } of [...state.requests()])
    if (is === "reserved")
      state.apply({ seq: state.seq + 1, at: state.at, step: "released", id, why: "the gateway ended" });
  return sumsOf(state);
}

function sumsOf(state: LedgerState): Map<string, { cost: number; tokens: number }> {
  return new Map(
    limits.map(({ grant, selector, startMs, endMs }) => {
      const { spent, reserved, spentTokens, reservedTokens } = state.sums({ selector, startMs, endMs });
      return [grant, { cost: spent + reserved, tokens: spentTokens + reservedTokens }];
    }),
  );
}

/** The most that a window can be charged with: each of its requests with its bound, and what people said after line `seq`. */
function most(lines: readonly Line[], grant: string, seq: number): number {
  const state = new LedgerState();
  for (const line of lines) state.apply(line);
  const { selector = {}, startMs = 0 } = limits.find((limit) => limit.grant === grant) ?? {};
  const bounds = [...state.requests()]
    .filter(({ payer, at }) => at >= startMs && selects(selector, payer.labels))
    .map(({ bound }) => bound.cost);
  const said = lines.map((line) => (line.step === "personSettled" && line.seq > seq ? line.cost : 0));
  return [...bounds, ...said].reduce((sum, cost) => sum + cost, 0);
}

function stateOf(steps: readonly (Step & { at: number })[]): LedgerState {
  const state = new LedgerState();
  state.apply({ seq: 1, at: 0, step: "opened", ledger: "new", version: 1 });
  for (const step of steps) state.apply({ ...step, seq: state.seq + 1 });
  return state;
}

type Damage = { kind: "drop" | "blot" | "cut" | "flip" | "gone"; where: number; length: number };

function damaged(text: string, { kind, where, length }: Damage): string {
  const at = Math.floor(where * text.length);
  if (kind === "gone") return "";
  if (kind === "cut") return text.slice(0, at);
  if (kind === "flip")
    return `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ length)}${text.slice(at + 1)}`;
  if (kind === "blot")
    return `${text.slice(0, at)}${"\0".repeat(Math.min(length * 40, text.length - at))}${text.slice(at + length * 40)}`;
  const lines = text.split("\n");
  lines.splice(Math.floor(where * (lines.length - 1)), length);
  return lines.join("\n");
}

const damage = fc.record({
  kind: fc.constantFrom("drop" as const, "blot" as const, "cut" as const, "flip" as const, "gone" as const),
  where: fc.double({ min: 0, max: 0.999, noNaN: true }),
  length: fc.integer({ min: 1, max: 6 }),
});

test("a ledger made anew charges no window with less than was spent, whatever is lost of the old one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 60 }),
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      async (seed, length, damages, copied) => {
        const { lines, totals } = played(seed, length);
        const whole = lines.map((line) => encodeLines([line], Infinity).text.toString()).join("");
        const text = damages.reduce(damaged, whole);
        const copy = copied === undefined ? undefined : totals[Math.floor(copied * (totals.length - 1))];
        const fs = crashFileSystem();
        fs.put("/ledger.jsonl", text);
        const left = await readDamaged(fs, "/ledger.jsonl");
        // A file that ends with a whole line is taken to end there, unless the copy knows of more.
        const last = left.lines.at(-1)?.seq ?? 0;
        const endIsLost = left.endIsLost || (copy?.seq ?? 0) > last;
        fc.pre(endIsLost || last === lines.length);

        const { steps } = rebuild({ lines: left.lines, endIsLost, totals: copy, limits });

        const now = sumsOf(stateOf(steps));
        for (const [grant, { cost, tokens }] of truth(lines)) {
          expect(now.get(grant)?.cost, `${grant} in USD`).toBeGreaterThanOrEqual(cost);
          // What is not limited can't be exceeded.
          if (grant === "g-3")
            expect(now.get(grant)?.tokens, `${grant} in tokens`).toBeGreaterThanOrEqual(tokens);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("where the copy knows of every lost line, no window is charged with less than was spent, nor with more than was bounded", async () => {
  await fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 5, max: 40 }),
      fc.double({ min: 0.3, max: 1, noNaN: true }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
      (seed, length, copied, drops) => {
        const { lines, totals } = played(seed, length);
        const copy = totals[Math.floor(copied * (totals.length - 1))] as Totals;
        // Not the first: without its name nobody knows whose the copy is.
        const lost = new Set(drops.map((drop) => 2 + (drop % Math.max(1, copy.seq - 1))));
        fc.pre([...lost].every((seq) => seq <= copy.seq && seq < lines.length));
        const left = lines.filter(({ seq }) => !lost.has(seq));

        const { steps, beyondTotals } = rebuild({ lines: left, endIsLost: false, totals: copy, limits });

        expect(beyondTotals).toBe(false);
        const now = sumsOf(stateOf(steps));
        for (const [grant, { cost, tokens }] of truth(lines)) {
          // A window that was opened since the copy has all its lines.
          expect(now.get(grant)?.cost, `${grant} in USD`).toBeGreaterThanOrEqual(cost);
          expect(now.get(grant)?.tokens, `${grant} in tokens`).toBeGreaterThanOrEqual(tokens);
          // What a person said since may be said of a request that the copy has with its bound.
          expect(now.get(grant)?.cost, `${grant} at most`).toBeLessThanOrEqual(most(lines, grant, copy.seq));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("a ledger that ends within a line may have lost what came after it, and one that ends with a line need not", async () => {
  const { lines } = played(7, 10);
  const texts = lines.map((line) => encodeLines([line], Infinity).text.toString());
  const [whole, last] = [texts.slice(0, -1).join(""), texts.at(-1) ?? ""];
  for (let kept = 0; kept <= last.length; kept += 1) {
    const fs = crashFileSystem();
    fs.put("/ledger.jsonl", whole + last.slice(0, kept));
    const isCut = kept > 0 && kept < last.length;
    expect((await readDamaged(fs, "/ledger.jsonl")).endIsLost, `${kept} bytes`).toBe(isCut);
  }
});

test("a line of before there were checksums whose number can't be its own is not believed: no line after it was", async () => {
  const { lines } = played(7, 10);
  const texts = lines.map((line) => `${JSON.stringify(line)}\n`);
  const changed = texts.with(3, (texts[3] ?? "").replace('"seq":4', '"seq":94'));
  const fs = crashFileSystem();
  fs.put("/ledger.jsonl", changed.join(""));
  expect(changed).not.toEqual(texts);
  const left = await readDamaged(fs, "/ledger.jsonl");
  expect(left).toEqual({ lines: lines.toSpliced(3, 1), endIsLost: false });
});

test("a ledger cut between two lines, before what the copy knows of, may have lost what came after the copy too", async () => {
  const { lines, totals } = played(7, 60);
  const fs = crashFileSystem();
  const kept = lines.slice(0, 20);
  fs.put("/ledger.jsonl", kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
  fs.put("/totals.json", JSON.stringify(totals[29]));
  const left = await inspectLedger(fs, { path: "/ledger.jsonl", totalsPath: "/totals.json" });
  expect(left).toMatchObject({ endIsLost: true, why: expect.stringContaining("was cut") });
  expect(left?.lines).toEqual(kept);
  if (left !== undefined) expect(rebuild({ ...left, limits }).lost).toBe(10);
});

test("a ledger that nothing is missing of is the same when it is made anew", () => {
  const { lines, totals } = played(7, 60);
  const { steps, charges, lost } = rebuild({ lines, endIsLost: false, totals: totals.at(-1), limits });
  expect({ charges, lost }).toEqual({ charges: [], lost: 0 });
  expect(sumsOf(stateOf(steps))).toEqual(truth(lines));
});

test("a lost line that the copy knows of costs its bound and no more", () => {
  const { lines, totals } = played(7, 60);
  const corrected = new Set(lines.map((line) => (line.step === "personSettled" ? line.id : "")));
  const settlement = lines.find(
    (line) => line.step === "settled" && line.seq > 10 && !corrected.has(line.id),
  );
  const left = lines.filter((line) => line !== settlement);
  const id = settlement?.step === "settled" ? settlement.id : "";
  const { atBound, charges, beyondTotals } = rebuild({
    lines: left,
    endIsLost: false,
    totals: totals.at(-1),
    limits,
  });
  expect(beyondTotals).toBe(false);
  expect(atBound).toContain(id);
  expect(charges).toEqual([]);
});

test("with the ledger gone and the copy kept, each window is charged to its limit: what came after the copy is unknown", () => {
  const { totals } = played(7, 60);
  const { steps, charges } = rebuild({ lines: [], endIsLost: true, totals: totals.at(-1), limits });
  const now = sumsOf(stateOf(steps));
  for (const { grant, limitCost } of limits)
    expect(now.get(grant)?.cost).toBeGreaterThanOrEqual(limitCost ?? 0);
  expect(charges.map(({ id }) => id)).toEqual(charges.map((_, at) => `rebuilt-${at + 1}`));
});

test("a damaged ledger is put right whole or not at all, and the gateway opens what was put there", async () => {
  const { lines, totals } = played(7, 60);
  const whole = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const place = { path: "/ledger/ledger.jsonl", totalsPath: "/state/totals.json" };
  const keptAs = "/ledger/ledger.jsonl.damaged-1";
  const start = () => {
    const fs = crashFileSystem();
    fs.put(place.path, damaged(whole, { kind: "blot", where: 0.5, length: 2 }));
    fs.put(place.totalsPath, JSON.stringify(totals.at(-1)));
    return fs;
  };
  const put = async (fs: ReturnType<typeof start>) => {
    const left = await inspectLedger(fs, place);
    if (left !== undefined)
      await putRebuilt(fs, { ...place, keptAs }, rebuild({ ...left, limits }), { id: "new", now: 5 });
  };
  const undisturbed = start();
  await put(undisturbed);
  const steps = undisturbed.made.length;
  const wanted = sumsOf((await readLedger(undisturbed, place.path)).state);
  for (let step = 0; step <= steps; step += 1) {
    const fs = start();
    fs.crashAfter(step);
    await put(fs).catch(() => {
      // The machine is gone.
    });
    const after = fs.afterCrash(seeded(step));
    // What is left is refused or the new one; done again, it is the new one.
    await put(after);
    expect(await inspectLedger(after, place), `crash at step ${step}`).toBeUndefined();
    const { clock, ids, failed } = { clock: new TestClock(), ids: { uuid: () => "x" }, failed: () => {} };
    const ledger = await openLedger({ ...place, fs: after, clock, ids, failed });
    const now = sumsOf(ledger.state);
    for (const [grant, { cost }] of truth(lines))
      expect(now.get(grant)?.cost, `crash at step ${step}`).toBeGreaterThanOrEqual(cost);
    // What only the copy proved was charged again after a crash before the last step.
    expect(now, `crash at step ${step}`).toEqual(wanted);
    await ledger.close();
    expect(await after.read(keptAs)).toBeDefined();
  }
});

/** Lines with the numbers they are given under. */
const numbered = (steps: Readonly<Record<number, Step>>): Line[] =>
  Object.entries(steps).map(([seq, step]) => ({ seq: Number(seq), at: grantStep().at, ...step }));

test("a request of which a lost line may have told the end is charged with its bound, to who asked for it", () => {
  const steps = {
    1: { step: "opened", ledger: "l", version: 1 },
    2: grantStep(),
    3: reservation("a"),
  } as const;
  const unsent = rebuild({ lines: numbered(steps), endIsLost: false, totals: undefined, limits: [] });
  expect([unsent.lost, unsent.atBound]).toEqual([0, []]);
  const lines = numbered({ ...steps, 5: reservation("b") });
  const { lost, atBound, steps: made } = rebuild({ lines, endIsLost: false, totals: undefined, limits: [] });
  expect([lost, atBound]).toEqual([1, ["a"]]);
  expect(stateOf(made).request("a")).toMatchObject({ state: "unsettled", cost: 1_000 });
  expect(stateOf(made).request("b")).toMatchObject({ state: "released" });
  // Also where lines that are left stand between.
  const apart = numbered({ ...steps, 4: reservation("b"), 6: reservation("c") });
  expect(rebuild({ lines: apart, endIsLost: false, totals: undefined, limits: [] }).atBound).toEqual([
    "a",
    "b",
  ]);
});

test.each([
  { now: 9_000, granted: 5_000 },
  { now: 5_000, granted: 9_000 },
])(
  "a window is charged to the greater of its limits, $now now and $granted when it was granted",
  ({ now, granted }) => {
    const lines = numbered({
      1: { step: "opened", ledger: "l", version: 1 },
      2: grantStep({ limitCost: granted, limitTokens: granted + 1 }),
    });
    const { step: _, at: __, ...limit } = grantStep({ limitCost: now, limitTokens: now + 1 });
    const { charges } = rebuild({ lines, endIsLost: true, totals: undefined, limits: [limit] });
    expect(charges).toMatchObject([{ window: "2026-11-23", cost: 9_000, tokens: 9_001 }]);
  },
);

test("what can't be proven is charged within the window that it is about, also where another's has begun since", () => {
  const { startMs, endMs } = grantStep();
  const [all, , red] = limits;
  if (all === undefined || red === undefined) throw new Error("There are three limits.");
  const next = { ...red, grant: "g-4", window: "2026-11-24", startMs: endMs, endMs: endMs + 86_400_000 };
  const { steps } = rebuild({ lines: [], endIsLost: true, totals: undefined, limits: [all, next] });
  const state = stateOf(steps);
  expect(state.sums({ startMs, endMs }).spent).toBe(all.limitCost);
  expect(state.sums({ startMs: endMs }).spent).toBe(next.limitCost);
});

test("a request that ended after the copy was made was in the copy with its bound: no more is charged than was lost", () => {
  const [grant] = grants;
  if (grant === undefined) throw new Error("There are three grants.");
  const line = (seq: number, step: Step): Line => ({ seq, at: grantStep().at + seq, ...step });
  const lines = [
    line(1, { step: "opened", ledger: "l", version: 1 }),
    line(2, grant),
    line(3, reservation("a")),
    // Another reservation was in line 4.
    line(5, { step: "sent", id: "a" }),
    line(6, settled("a", { cost: 100, tokens: 3 })),
  ];
  const window = { ...limits[0], cost: 1_500, tokens: 400 } as Totals["windows"][number];
  const totals: Totals = { ledger: "l", seq: 4, windows: [window] };
  const { charges } = rebuild({ lines, endIsLost: false, totals, limits: [] });
  expect(charges).toMatchObject([{ cost: 500, tokens: 100 }]);
});

test("what the copy of another ledger says was spent is charged beside what these lines do: neither explains the other", () => {
  const { lines, totals } = played(7, 60);
  const copy: Totals = { ...(totals.at(-1) as Totals), ledger: "another" };
  const { steps } = rebuild({ lines, endIsLost: false, totals: copy, limits });
  const now = sumsOf(stateOf(steps));
  const own = truth(lines);
  for (const { grant, cost } of copy.windows)
    expect(now.get(grant)?.cost, grant).toBe(cost + (own.get(grant)?.cost ?? 0));
  // Nor does it know of a line that is missing here.
  const left = lines.toSpliced(9, 1);
  expect(rebuild({ lines: left, endIsLost: false, totals: copy, limits }).beyondTotals).toBe(true);
});

test("what was lost is charged once, however many windows it is in", () => {
  const lines = numbered({
    1: { step: "opened", ledger: "l", version: 1 },
    // The grants, and a reservation of the team's, were in lines 2 to 5.
    6: reservation("b"),
    7: { step: "released", id: "b", why: "no connection" },
  });
  const windows = limits.map((limit) => ({ ...limit, cost: 500, tokens: 100 }));
  const { charges, steps } = rebuild({
    ...{ lines, endIsLost: false, limits: [] },
    totals: { ledger: "l", seq: 7, windows },
  });
  expect(charges).toMatchObject([{ budget: "red", cost: 500, tokens: 100 }]);
  expect([...sumsOf(stateOf(steps)).values()]).toEqual(limits.map(() => ({ cost: 500, tokens: 100 })));
});

test("that a request broke its bound goes on stopping all, also where nothing else of it is left", () => {
  const lines = numbered({
    1: { step: "opened", ledger: "l", version: 1 },
    2: grantStep(),
    // Its reservation and its settlement were in lines 3 to 5.
    6: { step: "violated", id: "a", cost: 1_500, bound: 1_000 },
  });
  const state = stateOf(rebuild({ lines, endIsLost: false, totals: undefined, limits: [] }).steps);
  expect(state.violated).toEqual(["a"]);
  expect(state.request("a")).toMatchObject({ state: "unsettled", cost: 1_500 });
});
