import { expect, test } from "vitest";
import { pauseMsAfter } from "./start-again.ts";

test("the first end on a full disk waits for room alone, each next one in a row longer, up to five minutes", () => {
  const pauses = [1, 2, 3, 4, 8, 9, 1_000].map(pauseMsAfter);
  expect(pauses).toEqual([0, 5_000, 10_000, 20_000, 300_000, 300_000, 300_000]);
});
