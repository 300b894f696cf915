import { expect, test } from "vitest";
import { jsonLogger } from "./logger.ts";
import { TestClock } from "./testing/clock.ts";
import { type Troubles, troubles } from "./troubles.ts";

function start(): { clock: TestClock; one: Troubles; said: () => string[] } {
  const clock = new TestClock();
  const lines: string[] = [];
  const logger = jsonLogger((line) => void lines.push(line), clock);
  const messages = { failed: "It fails", worked: "It works" };
  const said = (): string[] =>
    lines.map((line) => {
      const { message, failures = 1, seconds = 0 } = JSON.parse(line);
      return `${message} ${failures} ${seconds}`;
    });
  return { clock, one: troubles({ logger, clock, messages }), said };
}

async function each(clock: TestClock, seconds: number, act: () => void): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    act();
    await clock.advance(1_000);
  }
}

test("what fails each second for an hour is said at once, then ever less often, and once that it is over", async () => {
  const { clock, one, said } = start();
  await each(clock, 3_600, () => one.failed(new Error("away")));
  one.worked();
  one.worked();
  expect(said()).toEqual([
    "It fails 1 0",
    "It fails 11 10",
    "It fails 31 30",
    "It fails 71 70",
    "It fails 151 150",
    "It fails 311 310",
    "It fails 631 630",
    ...[1230, 1830, 2430, 3030].map((second) => `It fails ${second + 1} ${second}`),
    "It works 3600 3600",
  ]);
});

test("what fails and works in turn is said no more often", async () => {
  const { clock, one, said } = start();
  await each(clock, 60, () => {
    one.failed(new Error("away"));
    one.worked();
  });
  expect(said().filter((line) => line.startsWith("It fails"))).toHaveLength(3);
  expect(said()).toHaveLength(6);
});

test("what worked for a minute and fails again is news", async () => {
  const { clock, one, said } = start();
  one.failed(new Error("away"));
  one.worked();
  await clock.advance(61_000);
  one.failed(new Error("away"));
  expect(said()).toEqual(["It fails 1 0", "It works 1 0", "It fails 1 0"]);
});

test("what works is not said", () => {
  const { one, said } = start();
  one.worked();
  expect(said()).toEqual([]);
});
