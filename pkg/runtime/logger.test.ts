import { expect, test } from "vitest";
import type { Clock } from "./clock.ts";
import { jsonLogger } from "./logger.ts";

const clock: Clock = { now: () => 0, elapsed: () => 0, sleep: () => Promise.resolve() };

test("a line is one JSON object with time, level, message and all fields", () => {
  const lines: string[] = [];
  const logger = jsonLogger((line) => lines.push(line), clock).with({ controller: "agent" });
  logger.debug("Dropped");
  logger.warn("Session lost", { name: "agent-1" });
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00Z","level":"warn","message":"Session lost","controller":"agent","name":"agent-1"}\n',
  ]);
});

test("an error is written with its stack and what caused it", () => {
  const lines: string[] = [];
  const error = new Error("cannot merge", { cause: new TypeError("no commit") });
  jsonLogger((line) => lines.push(line), clock).error("Reconcile failed", { error });
  const written = JSON.parse(lines.join("")) as { error: string };
  expect(written.error).toMatch(/^Error: cannot merge\n\s+at [\s\S]*caused by TypeError: no commit/);
});

test("fields that JSON cannot say do not end the process", () => {
  const lines: string[] = [];
  const circle: Record<string, unknown> = { size: 1n };
  circle.self = circle;
  jsonLogger((line) => lines.push(line), clock).info("Odd", { circle });
  expect(JSON.parse(lines.join(""))).toMatchObject({ message: "Odd" });
});
