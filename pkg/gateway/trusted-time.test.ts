import fc from "fast-check";
import { expect, test } from "vitest";
import { momentOf, TrustedTime } from "./trusted-time.ts";

const START = Date.parse("2026-11-23T12:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** One look, or an answer at one: `wall` and `date` from START on, `elapsed` from the process's. All in ms. */
type Step = { wall: number; elapsed: number; date?: number | "none" | "unreachable" };

test.each<{ name: string; steps: Step[]; want: string }>([
  { name: "nothing was heard yet", steps: [{ wall: 0, elapsed: 0 }], want: "asking" },
  { name: "the first date agrees", steps: [{ wall: 0, elapsed: 0, date: -2_000 }], want: "confirmed" },
  {
    name: "the first date agrees within five minutes",
    steps: [{ wall: 0, elapsed: 0, date: 300_000 }],
    want: "confirmed",
  },
  {
    name: "the first date is further off than that",
    steps: [{ wall: 0, elapsed: 0, date: 300_001 }],
    want: "unconfirmed",
  },
  { name: "an answer has no date", steps: [{ wall: 0, elapsed: 0, date: "none" }], want: "unconfirmed" },
  {
    name: "nobody can be reached",
    steps: [{ wall: 0, elapsed: 0, date: "unreachable" }],
    want: "unconfirmed",
  },
  {
    name: "both clocks went on for days after",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: 9 * DAY, elapsed: 9 * DAY },
    ],
    want: "confirmed",
  },
  {
    name: "the first date came long after the start, and both clocks went on",
    steps: [
      { wall: 9 * DAY, elapsed: 9 * DAY, date: 9 * DAY },
      { wall: 10 * DAY, elapsed: 10 * DAY },
    ],
    want: "confirmed",
  },
  {
    name: "it was corrected by a few minutes",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: HOUR - 250_000, elapsed: HOUR },
    ],
    want: "confirmed",
  },
  {
    name: "it was minutes ahead when it was confirmed, and was set forward by minutes more",
    steps: [
      { wall: 212_000, elapsed: 0, date: 0 },
      { wall: HOUR + 509_000, elapsed: HOUR },
    ],
    want: "asking",
  },
  {
    name: "it crept away, a little at each look",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      ...Array.from({ length: 10 }, (_, i) => ({ wall: (i + 1) * 61_000 + i * 60_000, elapsed: i * 60_000 })),
    ],
    want: "asking",
  },
  {
    name: "the machine slept",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: 8 * HOUR, elapsed: 1_000 },
    ],
    want: "asking",
  },
  {
    name: "the machine slept and the upstream agrees",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: 8 * HOUR, elapsed: 1_000, date: 8 * HOUR },
    ],
    want: "confirmed",
  },
  {
    name: "it was set forward and the upstream contradicts it",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: DAY, elapsed: 1_000, date: 1_000 },
    ],
    want: "unconfirmed",
  },
  {
    name: "it was set forward again after that",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: DAY, elapsed: 1_000, date: 1_000 },
      { wall: 2 * DAY, elapsed: 2_000 },
    ],
    want: "asking",
  },
  {
    name: "it was set forward to where it was contradicted before it was confirmed: that says nothing of it now",
    steps: [
      { wall: DAY, elapsed: 0, date: 0 },
      { wall: 1_000, elapsed: 1_000, date: 1_000 },
      { wall: DAY + 2_000, elapsed: 2_000 },
    ],
    want: "asking",
  },
  {
    name: "it was set forward, and back to where it had been confirmed",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: DAY, elapsed: 1_000, date: 1_000 },
      { wall: 2_000, elapsed: 2_000 },
    ],
    want: "confirmed",
  },
  {
    name: "it was set back",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: -DAY, elapsed: 1_000, date: 1_000 },
    ],
    want: "unconfirmed",
  },
  {
    name: "a confirmed clock is contradicted by an answer from before",
    steps: [
      { wall: 0, elapsed: 0, date: 0 },
      { wall: HOUR, elapsed: HOUR, date: 0 },
    ],
    want: "confirmed",
  },
])("$name: the clock is $want", ({ steps, want }) => {
  const time = new TrustedTime();
  let is = "";
  for (const { wall, elapsed, date } of steps) {
    const look = { wallMs: START + wall, elapsedMs: elapsed };
    if (date === "unreachable") time.unheard("ECONNREFUSED", look);
    else if (date === "none") time.heard(undefined, look);
    else if (date !== undefined) time.heard(START + date, look);
    is = time.trust(look).is;
  }
  expect(is).toBe(want);
});

test("however the wall clock is set, the moment of money never goes back nor beyond the true time by more than agreed", () => {
  const step = fc.record({
    passMs: fc.integer({ min: 0, max: 2 * DAY }),
    sleepMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: DAY })),
    setMs: fc.oneof(fc.constant(0), fc.integer({ min: -40 * DAY, max: 40 * DAY })),
    isHeard: fc.boolean(),
    restart: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let time = new TrustedTime();
      let trueMs = START;
      let elapsedMs = 0;
      let setMs = 0;
      let newestMs: number | undefined;
      for (const { passMs, sleepMs, setMs: by, isHeard, restart } of steps) {
        trueMs += passMs + sleepMs;
        elapsedMs += passMs;
        setMs += by;
        if (restart) {
          time = new TrustedTime();
          elapsedMs = 0;
        }
        const look = { wallMs: trueMs + setMs, elapsedMs };
        if (isHeard) time.heard(trueMs, look);
        const moment = momentOf(time.trust(look), look.wallMs, newestMs);
        if (moment === undefined) continue;
        expect(moment).toBeGreaterThanOrEqual(newestMs ?? 0);
        expect(moment).toBeLessThanOrEqual(trueMs + 300_000);
        newestMs = moment;
      }
    }),
  );
});

test("what is told of a doubt stays as it was said first, however often it is heard again", () => {
  const time = new TrustedTime();
  const heardAt = (ms: number): unknown => {
    const look = { wallMs: START + DAY + ms, elapsedMs: ms };
    time.heard(START + ms, look);
    return time.trust(look);
  };
  const first = heardAt(0);
  expect(first).toMatchObject({
    message: expect.stringContaining("it said 2026-11-24T12:00:00Z, the upstream said 2026-11-23T12:00:00Z"),
  });
  expect(heardAt(61_000)).toEqual(first);
});

test("an upstream that can't be reached is named before the clock that it would have confirmed", () => {
  const time = new TrustedTime();
  const look = { wallMs: Date.parse("2026-11-23T12:00:00Z"), elapsedMs: 0 };
  time.unheard("No answer in 10 seconds.", look);
  expect(time.trust(look)).toEqual({
    is: "unconfirmed",
    message:
      "ClockUnconfirmed: the upstream can't be reached: No answer in 10 seconds; " +
      "no upstream has confirmed this machine's clock since the start.",
  });
});
