import { expect, test } from "vitest";
import { serverWarnings } from "./server-warnings.ts";

test("what a server drops because its kinds are older is told once, and what to do", () => {
  const told: string[] = [];
  const warned = serverWarnings("https://server", (line) => told.push(line));
  for (let times = 0; times < 3; times += 1) warned('unknown field "status.stop.generation"');
  warned("it goes away");
  expect(told).toEqual([
    'https://server drops what it does not know: unknown field "status.stop.generation". Its kinds are of another version of Bosun. Run `bosun install` with this one.',
    "https://server warns: it goes away",
  ]);
});

test("warnings that are new each time are not told for ever", () => {
  const told: string[] = [];
  const warned = serverWarnings("https://server", (line) => told.push(line));
  for (let times = 0; times < 1000; times += 1) warned(`request ${times}`);
  expect(told.length).toBeLessThan(100);
});
