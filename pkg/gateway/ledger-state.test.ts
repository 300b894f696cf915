import { expect, test } from "vitest";
import { LedgerError, type Line, type Step } from "./ledger-lines.ts";
import { LedgerState } from "./ledger-state.ts";
import { grantStep, reservation, settled } from "./testing/steps.ts";

function stateOf(...steps: Step[]): LedgerState {
  const state = new LedgerState();
  for (const step of [{ step: "opened", ledger: "l", version: 1 } as const, ...steps]) append(state, step);
  return state;
}

function append(state: LedgerState, step: Step): void {
  state.apply({ seq: state.seq + 1, at: 1, ...step } as Line);
}

const sent: Step = { step: "sent", id: "a" };
const unsettled: Step = { step: "unsettled", id: "a", why: "cut", cost: 900, tokens: 250 };
const released: Step = { step: "released", id: "a", why: "no connection" };
const violated: Step = { step: "violated", id: "a", cost: 5_000, bound: 1_000 };
const corrected: Step = { step: "personSettled", id: "a", cost: 70 };
const all = [reservation("a"), sent, settled("a"), unsettled, released, violated, corrected];

test.each<{ when: string; before: Step[]; may: Step["step"][] }>([
  { when: "not there", before: [], may: ["reserved"] },
  { when: "reserved", before: [reservation("a")], may: ["sent", "released"] },
  { when: "sent", before: [reservation("a"), sent], may: ["settled", "unsettled", "released"] },
  {
    when: "settled",
    before: [reservation("a"), sent, settled("a")],
    may: ["violated", "personSettled"],
  },
  { when: "unsettled", before: [reservation("a"), sent, unsettled], may: ["violated", "personSettled"] },
  { when: "released", before: [reservation("a"), released], may: [] },
])("of a request that is $when no step is taken in but $may, and a refused one changes nothing", (row) => {
  const took = all.filter((step) => {
    const state = stateOf(...row.before);
    const { seq, at } = state;
    const [request, sums] = [structuredClone(state.request("a")), { ...state.sums({}) }];
    try {
      append(state, step);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(LedgerError);
      expect([state.seq, state.at, state.request("a"), state.sums({})]).toEqual([seq, at, request, sums]);
      return false;
    }
  });
  expect(took.map(({ step }) => step)).toEqual(row.may);
});

test("a ledger begins with `opened`, once, and its lines are numbered without gaps", () => {
  expect(() => append(new LedgerState(), reservation("a"))).toThrow(LedgerError);
  expect(() => append(stateOf(), { step: "opened", ledger: "m", version: 1 })).toThrow(LedgerError);
  expect(() => stateOf().apply({ ...reservation("a"), seq: 3 })).toThrow("Line 2 has seq 3.");
});

test("the newest moment is the latest that anything was reserved or granted at, whatever came after it", () => {
  const moments = [3, 9, 5].map((at, index) => reservation(`r${index}`, { at }));
  expect(stateOf().newestMs).toBeUndefined();
  expect(stateOf(...moments).newestMs).toBe(9);
  expect(stateOf(...moments, grantStep({ at: 12 }), grantStep({ at: 4 })).newestMs).toBe(12);
});

test("a usage above its bound stops all from the line that says so on, until a person has said what it cost", () => {
  const above = settled("a", { tokens: 301 });
  for (const end of [above, { ...unsettled, cost: 1_001 } as Step]) {
    const state = stateOf(reservation("a"), sent, end);
    expect(state.violated).toEqual(["a"]);
    append(state, corrected);
    expect([state.violated, state.corrections]).toEqual([[], 1]);
  }
  expect(stateOf(reservation("a"), sent, settled("a", { cost: 1_000, tokens: 300 })).violated).toEqual([]);
});
