import { expect, test } from "vitest";
import { isLine } from "./ledger-line-shape.ts";
import type { Step } from "./ledger-lines.ts";
import { grantStep, reservation, settled } from "./testing/steps.ts";

const steps: readonly Step[] = [
  { step: "opened", ledger: "l", version: 1 },
  { step: "rebuilt", lost: 1, charges: [] },
  grantStep(),
  grantStep({ limitCost: null, limitTokens: 5 }),
  reservation("a"),
  { step: "sent", id: "a" },
  settled("a"),
  { step: "unsettled", id: "a", why: "cut", cost: 1, tokens: 1 },
  { step: "released", id: "a", why: "no connection" },
  { step: "violated", id: "a", cost: 2, bound: 1 },
  { step: "personSettled", id: "a", cost: 0 },
];

/** What no amount can be, whatever became of a line: sums of it would be none, or no whole nano-dollars. */
const noAmounts = [0.5, -1, 2 ** 53, "1", null, true, Number.NaN, undefined];

test.each(steps)(
  "a line that says $step is taken as it is written, and not without a number or a time",
  (step) => {
    const line = { seq: 2, at: 1, ...step };
    expect(isLine(line)).toBe(true);
    for (const seq of [1.5, "2", undefined]) expect(isLine({ ...line, seq })).toBe(false);
    for (const at of ["1", null, Number.NaN]) expect(isLine({ ...line, at })).toBe(false);
    expect(isLine({ ...line, step: "paid" })).toBe(false);
  },
);

test.each(steps)("of a line that says $step each amount is a whole one, and each name is there", (step) => {
  const line = { seq: 2, at: 1, ...step };
  for (const field of ["cost", "tokens", "bound"].filter((name) => name in step))
    for (const value of noAmounts)
      expect(isLine({ ...line, [field]: value }), `${field}: ${value}`).toBe(false);
  for (const field of ["id", "ledger", "grant", "budget", "uid", "window"].filter((name) => name in step))
    for (const value of ["", 1, null])
      expect(isLine({ ...line, [field]: value }), `${field}: ${value}`).toBe(false);
  for (const field of ["labels", "selector"].filter((name) => name in step))
    for (const value of [null, "team=red", { team: 1 }])
      expect(isLine({ ...line, [field]: value }), `${field}: ${value}`).toBe(false);
});
