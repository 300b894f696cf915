import { describe, expect, test } from "vitest";
import table from "./prices.json" with { type: "json" };
import { costOf, mostOf, type Price, pricedModels, priceOf } from "./prices.ts";
import { NO_USAGE } from "./usage.ts";

const MILLION = 1_000_000;

function priced(model: string, factor?: number): Price {
  const price = priceOf(model, factor);
  if (price === undefined) throw new Error(`${model} has no price`);
  return price;
}

test.each([
  ["claude-fable-5-2", [8, 40, 0.2, 10, 16]],
  ["claude-mythos-5-2", [8, 40, 0.2, 10, 16]],
  ["claude-fable-5", [10, 50, 1, 12.5, 20]],
  ["claude-opus-5-5", [4, 20, 0.2, 5, 8]],
  ["claude-opus-5", [5, 25, 0.5, 6.25, 10]],
  ["claude-opus-4-5-20251101", [5, 25, 0.5, 6.25, 10]],
  ["claude-sonnet-5-5", [2, 10, 0.1, 2.5, 4]],
  ["claude-sonnet-5", [2, 10, 0.2, 2.5, 4]],
  ["claude-sonnet-4-5-20250929", [3, 15, 0.3, 3.75, 6]],
  ["claude-haiku-5-5", [0.1, 0.5, 0.01, 0.125, 0.2]],
  ["claude-haiku-4-5-20251001", [1, 5, 0.1, 1.25, 2]],
])("%s costs what the list says", (model, [input, output, cacheRead, write5m, write1h] = []) => {
  const usd = (nano: number): number => nano / 1e9;
  // A thousand tokens each, so that no step is passed.
  const cost = (part: object): number => usd(costOf([{ ...NO_USAGE, ...part }], priced(model)) * 1000);
  expect(cost({ input: 1000 })).toBeCloseTo(input ?? 0, 9);
  expect(cost({ output: 1000 })).toBeCloseTo(output ?? 0, 9);
  expect(cost({ cacheRead: 1000 })).toBeCloseTo(cacheRead ?? 0, 9);
  expect(cost({ cacheWrite5m: 1000 })).toBeCloseTo(write5m ?? 0, 9);
  expect(cost({ cacheWrite1h: 1000 })).toBeCloseTo(write1h ?? 0, 9);
});

test("a model that the list does not have has no price", () => {
  for (const model of ["", "claude-opus-6", "claude-sonnet-5-5-20990101", "gpt"])
    expect(priceOf(model)).toBeUndefined();
});

test("models that have a price are named once each, whatever steps they have", () => {
  const names = pricedModels();
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(priceOf(name)?.model).toBe(name);
});

describe("claude-haiku-5-5 costs five times as much from 300,000 prompt tokens on", () => {
  const price = priced("claude-haiku-5-5");

  test("a million in and a million out cost 3 USD", () => {
    expect(costOf([{ ...NO_USAGE, input: MILLION, output: MILLION }], price)).toBe(3e9);
  });

  test("the step goes by the whole prompt, cached tokens included, of each iteration alone", () => {
    const below = { ...NO_USAGE, input: 1, cacheRead: 299_998 };
    expect(costOf([below], price)).toBe(100 + 299_998 * 10);
    expect(costOf([{ ...below, input: 2 }], price)).toBe(2 * 500 + 299_998 * 50);
    expect(costOf([below, below], price)).toBe(2 * (100 + 299_998 * 10));
  });

  test("a bound takes the dearest step that the prompt can reach", () => {
    const of = (inputTokens: number): number =>
      mostOf({ inputTokens, outputTokens: 0, writes: undefined }, price);
    expect(of(299_999)).toBe(299_999 * 100);
    expect(of(300_000)).toBe(300_000 * 500);
  });
});

test("the rows of a model may stand in any order", () => {
  const price = priceOf("claude-haiku-5-5", 1, table.rows.toReversed());
  expect(price).toEqual(priced("claude-haiku-5-5"));
});

test("a bound takes the dearest cache write that the request allows", () => {
  const most = (writes: "5m" | "1h" | undefined): number =>
    mostOf({ inputTokens: 1000, outputTokens: 10, writes }, priced("claude-sonnet-5-5"));
  expect(most(undefined)).toBe(1000 * 2_000 + 10 * 10_000);
  expect(most("5m")).toBe(1000 * 2_500 + 10 * 10_000);
  expect(most("1h")).toBe(1000 * 4_000 + 10 * 10_000);
});

test("a factor makes everything dearer, rounded up to whole nano-dollars, and the bound no less", () => {
  const price = priced("claude-haiku-5-5", 1.001);
  // 10.01 nano-dollars and 13,413.4: not to the nearest.
  expect(costOf([{ ...NO_USAGE, cacheRead: 1 }], price)).toBe(11);
  expect(costOf([{ ...NO_USAGE, input: 99, output: 7 }], price)).toBe(13_414);
  expect(mostOf({ inputTokens: 99, outputTokens: 7, writes: undefined }, price)).toBe(13_414);
});

test("each row has its source and date, a first step from 0 and no price twice", () => {
  const keys = table.rows.map(({ model, fromPromptTokens }) => `${model} ${fromPromptTokens}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const row of table.rows) {
    expect(row.source).not.toBe("");
    expect(row.date).toMatch(/^\d{4}-\d\d/);
    expect(keys).toContain(`${row.model} 0`);
  }
});
