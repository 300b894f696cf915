import { expect, test } from "vitest";
import { uniform } from "../../test/support/uniform.ts";
import { aProject } from "../testing/objects.ts";
import { estimate, type Finished, kept, sizeOf } from "./estimate.ts";

const finished = (size: number, usd: number): Finished => ({ size, usd, tokens: Math.round(usd * 100_000) });

test("size counts tasks, criteria and the description's length, and is never nothing", () => {
  expect(sizeOf(aProject())).toBe(1);
  const tasks = ["T-1", "T-2"].map((id) => ({ id, title: id }));
  const acceptanceCriteria = [{ id: "AC-1", text: "It retries." }];
  expect(sizeOf(aProject({}, { tasks, acceptanceCriteria, description: "x".repeat(500) }))).toBe(4.5);
});

test("fewer than three finished Projects say nothing", () => {
  expect(estimate(3, [])).toBeUndefined();
  expect(estimate(3, [finished(1, 1), finished(2, 2)])).toBeUndefined();
});

test.each([
  {
    name: "three of one size",
    costs: [1, 4, 2],
    want: { usd: 2, lowUSD: 1, highUSD: 4, coveragePercent: 50 },
  },
  {
    name: "the middle of an even number",
    costs: [1, 2, 4, 9],
    want: { usd: 3, lowUSD: 1, highUSD: 9, coveragePercent: 60 },
  },
  {
    name: "seven",
    costs: [1, 2, 3, 4, 5, 6, 7],
    want: { usd: 4, lowUSD: 1, highUSD: 7, coveragePercent: 75, projects: 7 },
  },
  {
    name: "of nineteen a tenth at each end is left out",
    costs: Array.from({ length: 19 }, (_, index) => index + 1),
    want: { usd: 10, lowUSD: 2, highUSD: 18, coveragePercent: 80 },
  },
])("the median and the range of $name", ({ costs, want }) => {
  expect(
    estimate(
      1,
      costs.map((usd) => finished(1, usd)),
    ),
  ).toMatchObject(want);
});

test("a Project twice as large costs twice as much, in tokens too", () => {
  const history = [finished(2, 1), finished(4, 2.2), finished(8, 3.6)];
  expect(estimate(4, history)).toMatchObject({ usd: 2, lowUSD: 1.8, highUSD: 2.2, tokens: 200_000 });
  expect(estimate(8, history)).toMatchObject({
    ...{ usd: 4, lowUSD: 3.6, highUSD: 4.4, tokens: 400_000, lowTokens: 360_000, highTokens: 440_000 },
  });
});

const told = {
  ...{ usd: 2, lowUSD: 1, highUSD: 4, tokens: 200, lowTokens: 100, highTokens: 400 },
  ...{ coveragePercent: 75, projects: 7 },
};

test.each([
  { name: "nearly the same", fresh: { ...told, usd: 2.1, highTokens: 370, projects: 8 }, stays: true },
  { name: "more by a tenth of what it is now", fresh: { ...told, usd: 2.21 }, stays: true },
  { name: "more by a tenth and a little", fresh: { ...told, usd: 2.25 }, stays: false },
  { name: "a narrower range", fresh: { ...told, lowUSD: 1.5 }, stays: false },
  { name: "to be trusted a little further", fresh: { ...told, coveragePercent: 84 }, stays: true },
  { name: "to be trusted a tenth further", fresh: { ...told, coveragePercent: 85 }, stays: false },
  { name: "to be trusted a tenth less", fresh: { ...told, coveragePercent: 65 }, stays: false },
  { name: "nothing", fresh: undefined, stays: false },
])("an estimate that was told stays while a new one says the same: $name", ({ fresh, stays }) => {
  expect(kept(told, fresh)).toBe(stays ? told : fresh);
  expect(kept(undefined, fresh)).toBe(fresh);
});

test("only the newest fifty count", () => {
  const history = [...Array(50).fill(finished(1, 1)), ...Array(50).fill(finished(1, 9))];
  expect(estimate(1, history)).toMatchObject({ usd: 1, highUSD: 1, projects: 50 });
});

/** What a Project costs in a world, by its size; `next` gives a number from 0 up to 1. */
type World = (size: number, next: () => number) => number;
/** Near the normal distribution, with a spread of 1. */
const normal = (next: () => number): number =>
  Array.from({ length: 12 }, next).reduce((sum, each) => sum + each, -6);

const worlds: Record<string, World> = {
  "cost grows with size": (size, next) => 0.3 * size * Math.exp(0.3 * normal(next)),
  "cost has nothing to do with size": (_, next) => 2 * Math.exp(0.3 * normal(next)),
  "half of it is fixed": (size, next) => (1 + 0.1 * size) * Math.exp(0.4 * normal(next)),
  "one in ten runs away": (size, next) => 0.2 * size * (next() < 0.1 ? 15 : 1) * Math.exp(0.2 * normal(next)),
  "every cost is as likely as any": (_, next) => 0.01 + 5 * next(),
};

const rounds = 1_000;
/** How far a share of so many rounds may be off by chance, in parts of one: four standard deviations at most. */
const chance = 4 * Math.sqrt(0.25 / rounds);

for (const [name, cost] of Object.entries(worlds))
  test.each([3, 5, 7, 9, 19, 50])(
    `where ${name} the stated share of Projects ends within the range of %i`,
    (count) => {
      const next = uniform(count);
      let within = 0;
      let stated = 0;
      for (let round = 0; round < rounds; round++) {
        const made = Array.from({ length: count + 1 }, () => {
          const size = 1 + Math.floor(next() * 12);
          return finished(size, cost(size, next));
        });
        const [one, ...history] = made;
        const told = estimate(one?.size ?? 0, history);
        stated = (told?.coveragePercent ?? 0) / 100;
        if ((told?.lowUSD ?? 0) <= (one?.usd ?? 0) + 1e-4 && (one?.usd ?? 0) <= (told?.highUSD ?? 0) + 1e-4)
          within += 1;
      }
      expect(within / rounds).toBeGreaterThan(stated - chance);
      // Nor is it wider than it says: who is told half expects half.
      expect(within / rounds).toBeLessThan(stated + 0.01 + chance);
    },
  );

test("where cost grows with size the estimate is closer than the median of all costs is", () => {
  const next = uniform(7);
  const world = worlds["cost grows with size"] as World;
  const off = { sized: 0, plain: 0 };
  for (let round = 0; round < 500; round++) {
    const made = Array.from({ length: 8 }, () => {
      const size = 1 + Math.floor(next() * 12);
      return finished(size, world(size, next));
    });
    const [one = finished(1, 1), ...history] = made;
    const plain = [...history].sort((a, b) => a.usd - b.usd)[3]?.usd ?? 0;
    off.sized += Math.abs(Math.log((estimate(one.size, history)?.usd ?? 0) / one.usd));
    off.plain += Math.abs(Math.log(plain / one.usd));
  }
  expect(off.sized).toBeLessThan(off.plain / 2);
});
