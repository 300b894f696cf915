import { expect, test } from "vitest";
import { goFloat, goValue } from "./go-format.ts";

test.each([
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [0.5, "0.5"],
  [100000, "100000"],
  [1000000, "1e+06"],
  [1234567.5, "1.2345675e+06"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [-1.5e-7, "-1.5e-07"],
  [1e21, "1e+21"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
])("%d reads %s", (value, want) => {
  expect(goFloat(value)).toBe(want);
});

test("a value reads as Go prints it", () => {
  expect(goValue({ b: [2, "x y", null], a: 1.5, c: {}, d: true })).toBe(
    "map[a:1.5 b:[2 x y <nil>] c:map[] d:true]",
  );
});
