/** A short `npm run soak:writes`. */
import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { soakWrites } from "../soak/writes.ts";

test("no acknowledged write is lost and every watch holds while the API server is killed again and again", async () => {
  const seed = randomInt(1_000_000);
  console.log(`npm run soak:writes -- --kills 6 --seed ${seed}`);
  // With fewer writes nothing is shown.
  const { violations, acknowledged, events } = await soakWrites({ kills: 6, seed, acknowledgedMin: 51 });

  expect(violations).toEqual([]);
  expect(acknowledged).toBeGreaterThan(50);
  expect(events).toBeGreaterThan(acknowledged);
});
