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
  expect(() => append(stateOf(), { step: "given" } as never)).toThrow('Line 2 has the unknown step "given".');
});

test("the newest moment is the latest that anything was reserved or granted at, whatever came after it", () => {
  const moments = [3, 9, 5].map((at, index) => reservation(`r${index}`, { at }));
  expect(stateOf().newestMs).toBeUndefined();
  expect(stateOf(...moments).newestMs).toBe(9);
  expect(stateOf(...moments, grantStep({ at: 12 }), grantStep({ at: 4 })).newestMs).toBe(12);
});

test("the last window of a Budget is the later one of its uid's and of its name's: both may have had another since", () => {
  const at = grantStep().startMs;
  const later = { grant: "g-2", window: "2026-11-24", startMs: at + 1, endMs: at + 2 * 86_400_000 };
  const policy = { timeZone: "UTC", selector: {} };
  for (const newer of [
    { uid: "u-1", budget: "renamed" },
    { uid: "u-2", budget: "all" },
  ]) {
    const state = stateOf(grantStep(), grantStep({ ...later, ...newer }));
    expect(state.newestWindow({ ...policy, uid: "u-1", name: "all" }, "daily")?.name).toBe("2026-11-24");
    expect(state.newestWindow({ ...policy, uid: "u-1", name: "all" }, "monthly")).toBeUndefined();
    expect(state.newestWindow({ ...policy, uid: "u-3", name: "other" }, "daily")).toBeUndefined();
  }
});

/** A request for turn 2 of run 1 by the host `h`, and how it ended. */
const asked = (id: string, end: "paid" | "failed" | "released" | "open", more = {}): Step[] => [
  reservation(id, { run: 1, turn: 2, host: "h", ...more }),
  ...(end === "released" ? [{ ...released, id }] : [{ ...sent, id }]),
  ...(end === "paid" ? [{ ...unsettled, id }] : end === "failed" ? [settled(id, { cost: 0 })] : []),
];

test.each<{ name: string; before: Step[]; host?: string; run?: number; want: object }>([
  { name: "nothing when none was asked for", before: [], want: {} },
  { name: "what the same host has asked for and paid", before: asked("a", "paid"), want: { again: "a" } },
  { name: "what another host has asked for", before: asked("a", "paid"), host: "i", want: { resume: "a" } },
  { name: "what may yet be paid", before: asked("a", "open"), want: { again: "a" } },
  { name: "nothing that was not sent", before: asked("a", "released"), want: {} },
  { name: "nothing that cost nothing", before: asked("a", "failed"), want: {} },
  {
    name: "the newest that was paid",
    before: [...asked("a", "paid"), ...asked("b", "paid", { host: "i" }), ...asked("c", "released")],
    want: { resume: "b" },
  },
  { name: "nothing of another turn", before: asked("a", "paid", { turn: 1 }), want: {} },
  {
    name: "nothing of a turn that another has followed",
    before: [...asked("a", "paid"), ...asked("b", "paid", { turn: 3 })],
    want: {},
  },
  { name: "nothing of another run", before: asked("a", "paid"), run: 2, want: {} },
  {
    name: "nothing of a run that another has followed",
    before: [...asked("a", "paid"), ...asked("b", "released", { run: 2 })],
    want: {},
  },
  {
    name: "nothing that an earlier run has paid, once this one has asked for it",
    before: [...asked("a", "paid"), ...asked("b", "released", { run: 2 })],
    run: 2,
    want: {},
  },
  { name: "nothing of another session", before: asked("a", "paid", { session: "t" }), want: {} },
  {
    name: "nothing of a host that counts no turns",
    before: asked("a", "paid", { turn: undefined }),
    want: {},
  },
  {
    name: "nothing of a turn that no host asks for",
    before: asked("a", "paid", { host: undefined }),
    want: {},
  },
])("a turn repeats $name", ({ before, host = "h", run = 1, want }) => {
  const state = stateOf(...before);
  expect(state.repeated({ session: "s", run }, { turn: 2, host })).toEqual(want);
});

test("what a request repeats is known of it, whatever happens to it", () => {
  const state = stateOf(
    reservation("a", { resume: "x" }),
    reservation("b", { again: "y" }),
    reservation("c"),
    sent,
  );
  const marks = [...state.requests()].map(({ resume, again }) => [resume, again]);
  expect(marks).toEqual([
    ["x", undefined],
    [undefined, "y"],
    [undefined, undefined],
  ]);
});

test("a usage above its bound stops all from the line that says so on, until a person has said what it cost", () => {
  const above = settled("a", { tokens: 301 });
  for (const end of [above, { ...unsettled, cost: 1_001 } as Step]) {
    const state = stateOf(reservation("a"), sent, end);
    expect(state.violated).toEqual(["a"]);
    append(state, corrected);
    expect([state.violated, state.corrections]).toEqual([[], 1]);
    expect(state.request("a")).toMatchObject({ state: "settled", cost: 70 });
    expect(state.sums({})).toMatchObject({ spent: 70, unsettled: 0 });
  }
  expect(stateOf(reservation("a"), sent, settled("a", { cost: 1_000, tokens: 300 })).violated).toEqual([]);
});

test("of a hundred sessions it is known what their requests measured, and of a thousand which turn was asked for: the last", () => {
  const measured = { shape: "s", messages: 1, digest: "d", promptTokens: 9, outputTokens: 1 };
  const state = stateOf();
  let id = 0;
  const spend = (session: string) => {
    id += 1;
    append(state, reservation(`${id}`, { session, turn: 2, host: "h" }));
    append(state, { step: "sent", id: `${id}` });
    append(state, settled(`${id}`, { basis: measured }));
  };
  const knows = (session: string) => [
    state.bases(session).length > 0,
    "again" in state.repeated({ session, run: 1 }, { turn: 2, host: "h" }),
  ];
  spend("first");
  for (let other = 1; other < 100; other += 1) spend(`s${other}`);
  // It goes on, so that another one is the oldest.
  spend("first");
  spend("s100");
  expect([knows("first"), knows("s1"), knows("s2")]).toEqual([
    [true, true],
    [false, true],
    [true, true],
  ]);
  for (let other = 101; other < 1_000; other += 1) spend(`s${other}`);
  expect([knows("first"), knows("s2"), knows("s1")]).toEqual([
    [false, true],
    [false, true],
    [false, true],
  ]);
  spend("first");
  spend("s1000");
  expect([knows("first"), knows("s1"), knows("s2"), knows("s3")].map(([, turn]) => turn)).toEqual([
    ...[true, false, true, true],
  ]);
});
