import fc from "fast-check";
import { expect, test } from "vitest";
import { type Share, Taken } from "./taken.ts";

const pools = fc.constantFrom("builders", "reviewers");
const ids = fc.constantFrom("a", "b", "c", "d", "e");
const shares: fc.Arbitrary<Share> = fc.record({
  startMs: fc.constantFrom(0, 10),
  endMs: fc.constantFrom(10, 20, 30),
  selector: fc.oneof(fc.constant({}), fc.record({ pool: pools })),
});
const steps = fc.oneof(
  fc.record({ do: fc.constant("ask" as const), share: shares }),
  fc.record({ do: fc.constant("forget" as const), id: ids }),
  fc.record({
    do: fc.constant("count" as const),
    id: ids,
    at: fc.nat(29),
    pool: pools,
    cost: fc.nat(1000),
    tokens: fc.nat(1000),
  }),
);

test("what is kept of a window is what all its reservations add up to, whatever happened since it was asked for first", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), (history) => {
      const taken = new Taken();
      const asked: Share[] = [];
      for (const step of history) {
        if (step.do === "ask") asked.push(step.share);
        else if (step.do === "forget") taken.forget(step.id);
        else taken.count({ id: step.id, at: step.at, labels: { pool: step.pool } }, step);
        for (const share of asked) expect(taken.within(share)).toEqual(taken.recounted(share));
      }
    }),
  );
});
