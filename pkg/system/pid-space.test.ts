import { expect, test } from "vitest";
import { pidSpace, whereabouts } from "./pid-space.ts";

test("a pid space is the same for a process and itself", () => {
  expect(whereabouts(pidSpace(), pidSpace())).toBe("here");
});

test.each([
  ["this machine before it was started anew", "m1 boot0 10", "ended"],
  ["another container of this machine", "m1 boot1 11", "elsewhere"],
  ["another machine", "m2 boot2 10", "elsewhere"],
  ["a container without a name of its machine, on this kernel", "- boot1 11", "elsewhere"],
  ["what another release wrote", "", "elsewhere"],
])("%s", (_name, space, wanted) => {
  expect(whereabouts(space, "m1 boot1 10")).toBe(wanted);
});

test("where machines have no name, another kernel may be another machine", () => {
  expect(whereabouts("- boot0 10", "- boot1 10")).toBe("elsewhere");
});
