/** Single seeds: a day without faults, and each that once found something. */
import { expect, test } from "vitest";
import { PINNED } from "./seeds.ts";
import { simulate, stepsPerDayMax } from "./simulate.ts";

test("a whole day of ten agents in which nothing fails takes far fewer", async () => {
  const { roughStepsPerDay, merged } = await simulate({ seed: 6, hours: 24, faults: false });
  expect(merged).toBeGreaterThan(20);
  expect(roughStepsPerDay).toBeLessThanOrEqual(0.8 * stepsPerDayMax);
}, 600_000);

for (const { seed, hours = 8, found } of PINNED)
  test(`seed ${seed} stays mended: ${found}`, async () => {
    await simulate({ seed, hours });
  });
