import { expect, test } from "vitest";
import { Pulses } from "./pulse.ts";

/** What an observer sees that looks every five seconds, while `beats` come at those seconds and the machine sleeps. */
function watch(
  beats: readonly number[],
  seconds: number,
  sleeps: { at: number; seconds: number }[] = [],
): string[] {
  const pulses = new Pulses();
  const changes: string[] = [];
  let before = "Regular";
  let slept = 0;
  for (let second = 0; second <= seconds; second += 5) {
    slept += sleeps.find(({ at }) => at === second)?.seconds ?? 0;
    const beat = beats.filter((at) => at <= second).length;
    const pulse = pulses.see("s", `host ${beat}`, (second + slept) * 1000);
    if (pulse !== before) changes.push(`${pulse} at ${second}`);
    before = pulse;
  }
  return changes;
}
const everyTen = (from: number, to: number): number[] =>
  Array.from({ length: (to - from) / 10 + 1 }, (_, index) => from + index * 10);

test.each<[string, number[], number, { at: number; seconds: number }[], string[]]>([
  ["a host that beats is regular for ever", everyTen(0, 600), 600, [], []],
  [
    "one that falls silent is late after 60 s and lost after 120 s",
    [0],
    200,
    [],
    ["Late at 65", "Lost at 125"],
  ],
  ["one that beats again is regular at once", [0, 90, 100], 110, [], ["Late at 65", "Regular at 90"]],
  ["an hour of sleep makes nothing late", everyTen(0, 300), 300, [{ at: 95, seconds: 3600 }], []],
  [
    "one that was late before the machine slept is not lost by it",
    [0, 95],
    100,
    [{ at: 90, seconds: 3600 }],
    ["Late at 65", "Regular at 95"],
  ],
  ["sleep puts no end to a silence", [0], 200, [{ at: 30, seconds: 60 }], ["Late at 55", "Lost at 115"]],
])("%s", (_name, beats, seconds, sleeps, want) => {
  expect(watch(beats, seconds, sleeps)).toEqual(want);
});

test("an observer that has just begun knows of no silence, and another host is another heart", () => {
  const pulses = new Pulses();
  expect(pulses.see("s", "a 1", 10_000_000)).toBe("Regular");
  for (let ms = 0; ms <= 130_000; ms += 5_000) pulses.see("s", "a 1", 10_000_000 + ms);
  expect(pulses.see("s", "a 1", 10_135_000)).toBe("Lost");
  expect(pulses.see("s", "b 1", 10_135_000)).toBe("Regular");
  pulses.forget("s");
  expect(pulses.see("s", "b 1", 20_000_000)).toBe("Regular");
});
