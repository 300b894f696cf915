import fc from "fast-check";
import { expect, test } from "vitest";
import { Timers } from "./timers.ts";

test("timers come by time, those of one time in the order asked for, without the cancelled", () => {
  const asked = fc.array(fc.record({ atMs: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(asked, (list) => {
      const timers = new Timers<number>();
      list.forEach(({ atMs, cancelled }, index) => {
        timers.add(atMs, index).cancelled = cancelled;
      });
      const taken: number[] = [];
      for (let what = timers.take(20); what !== undefined; what = timers.take(20)) taken.push(what);
      const want = list
        .map((timer, index) => ({ ...timer, index }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.atMs - b.atMs || a.index - b.index);
      expect(taken).toEqual(want.map(({ index }) => index));
    }),
  );
});

test("a timer that is not due is not taken", () => {
  const timers = new Timers<string>();
  timers.add(10, "later");
  expect(timers.take(9)).toBeUndefined();
  expect(timers.nextMs()).toBe(10);
  expect(timers.take(10)).toBe("later");
});
