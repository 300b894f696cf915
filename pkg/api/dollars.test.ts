import fc from "fast-check";
import { expect, test } from "vitest";
import { cents, dollars } from "./dollars.ts";

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

test.each([
  [5, "5.00"],
  [0, "0.00"],
  [1.75, "1.75"],
  [0.015, "0.02"],
  [1.005, "1.01"],
  [0.0149, "0.01"],
  [0.9999, "1.00"],
])("%d USD are %s to the cent: 0.015 was shown as 0.01", (usd, said) => {
  expect(cents(usd)).toBe(said);
});

test("an exact amount reads to the cent as a status does that has it to a ten-thousandth: one was 0.02, the other 0.01", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2_000_000_000 }), (nano) => {
      const usd = nano / 1e9;
      const told = cents(Math.round(usd * 10_000) / 10_000);
      expect(cents(usd)).toBe(told);
      // Half a cent, and half a ten-thousandth.
      expect(Math.abs(Number(told) - usd)).toBeLessThanOrEqual(0.00505 + 1e-9);
    }),
  );
});
