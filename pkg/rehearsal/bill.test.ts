import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { costOf } from "./bill.ts";

const million = 1_000_000;
const none = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };

test("a million tokens of each kind cost what the list says, to the nano-dollar", () => {
  const cost = (usage: Partial<typeof none>) => costOf("claude-sonnet-5-5", { ...none, ...usage });
  expect(cost({ input: million })).toBe(2e9);
  expect(cost({ output: million })).toBe(10e9);
  expect(cost({ cacheRead: million })).toBe(0.1e9);
  expect(cost({ cacheWrite5m: million })).toBe(2.5e9);
  expect(cost({ cacheWrite1h: million })).toBe(4e9);
  expect(cost({ input: 1 })).toBe(2000);
});

test("a model without a price has no cost", () => {
  expect(costOf("claude-unheard-of", none)).toBeUndefined();
});

interface Row {
  model: string;
  aliases: string[];
  fromPromptTokens: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: { "5m": number; "1h": number };
}

test("the two price lists, the gateway's and this one, agree on every row", () => {
  const file = new URL("../gateway/prices.json", import.meta.url);
  const { rows } = JSON.parse(readFileSync(file, "utf8")) as { rows: Row[] };
  for (const row of rows) {
    const usage = {
      input: row.fromPromptTokens + 10,
      output: 20,
      cacheRead: 30,
      cacheWrite5m: 40,
      cacheWrite1h: 50,
    };
    const want =
      usage.input * row.input +
      usage.output * row.output +
      usage.cacheRead * row.cacheRead +
      usage.cacheWrite5m * row.cacheWrite["5m"] +
      usage.cacheWrite1h * row.cacheWrite["1h"];
    for (const model of [row.model, ...row.aliases]) expect(costOf(model, usage)).toBeCloseTo(want * 1000, 3);
  }
});
