import { expect, test } from "vitest";
import { parseLabelSelector } from "./label-selector.ts";

const labels = { app: "x", "example.com/tier": "front", empty: "", number: "7" };

test.each<{ selector: string | undefined; want: boolean }>([
  { selector: undefined, want: true },
  { selector: " ", want: true },
  { selector: "app=x", want: true },
  { selector: "app == x", want: true },
  { selector: "app=y", want: false },
  { selector: "other=y", want: false },
  { selector: "app!=y", want: true },
  { selector: "other!=y", want: true },
  { selector: "app in (y, x)", want: true },
  { selector: "other in (y)", want: false },
  { selector: "app notin (y)", want: true },
  { selector: "other notin (y)", want: true },
  { selector: "app notin (x)", want: false },
  { selector: "example.com/tier", want: true },
  { selector: "!other", want: true },
  { selector: "! app", want: false },
  { selector: "empty=", want: true },
  { selector: "empty=,app=x", want: true },
  { selector: "app=x,example.com/tier=back", want: false },
  { selector: "number>6", want: true },
  { selector: "number>7", want: false },
  { selector: "number<10", want: true },
  { selector: "app>0", want: false },
  { selector: "other<3", want: false },
  { selector: "empty in ()", want: true },
  { selector: "empty in (,x)", want: true },
  { selector: "app in (in,x)", want: true },
])("$selector on app=x, a tier, a number and an empty label is $want", ({ selector, want }) => {
  expect(parseLabelSelector(selector)(labels)).toBe(want);
});

test("an object without labels matches what asks for absence", () => {
  expect(parseLabelSelector("!app,app!=x")(undefined)).toBe(true);
  expect(parseLabelSelector("app")(undefined)).toBe(false);
});

test.each<{ selector: string; message: string }>([
  { selector: "app in x", message: "unable to parse requirement: found 'x' expected: '('" },
  {
    selector: "a b",
    message: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  },
  {
    selector: "app=x,",
    message: "found '', expected: identifier after ','",
  },
  { selector: "app in (x", message: "unable to parse requirement: found '', expected: ',' or ')'" },
  { selector: "app in (x,", message: "unable to parse requirement: found '', expected: ',', or identifier" },
  { selector: "=x", message: "found '=', expected: !, identifier, or 'end of string'" },
  { selector: "!=x", message: "found '!=', expected: !, identifier, or 'end of string'" },
  { selector: "! =x", message: "unable to parse requirement: found '=', expected: identifier" },
  { selector: "app==!", message: "unable to parse requirement: found '!', expected: identifier" },
  { selector: "app=x y", message: "found 'y', expected: ',' or 'end of string'" },
  {
    selector: "app>x",
    message:
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  },
])("$selector is refused", ({ selector, message }) => {
  expect(() => parseLabelSelector(selector)).toThrow(message);
});

test("a value that no label can have is refused and named", () => {
  expect(() => parseLabelSelector("app=b@d")).toThrow(
    /^unable to parse requirement: values\[0\]\[app\]: Invalid value: "b@d": a valid label must be/,
  );
});
