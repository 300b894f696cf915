import { expect, test } from "vitest";
import { dollars } from "./dollars.ts";

test.each([
  [5, "5.00"],
  [0, "0.00"],
  [1.9, "1.90"],
  [0.055, "0.055"],
  [0.001, "0.001"],
  [0.6049, "0.6049"],
  [12.10001, "12.10"],
])("%d USD is %s: 0.055 was shown as 0.06, 0.001 as 0.00", (usd, said) => {
  expect(dollars(usd)).toBe(said);
});
