import { expect, test } from "vitest";
import { declaredPatch, leaves, unknownFields } from "./difference.ts";

test.each([
  { name: "nothing", from: { spec: { a: 1 } }, to: { spec: { a: 1 } }, want: undefined },
  { name: "a field set", from: { spec: { a: 1 } }, to: { spec: { a: 2 } }, want: { spec: { a: 2 } } },
  {
    name: "a field removed",
    from: { spec: { a: 1, b: 2 } },
    to: { spec: { b: 2 } },
    want: { spec: { a: null } },
  },
  {
    name: "a list replaced whole",
    from: { spec: { l: [1, 2] } },
    to: { spec: { l: [1] } },
    want: { spec: { l: [1] } },
  },
  {
    name: "a map within",
    from: { spec: {} },
    to: { spec: { m: { a: 1 } } },
    want: { spec: { m: { a: 1 } } },
  },
  {
    name: "a map emptied",
    from: { spec: { m: { a: 1 } } },
    to: { spec: { m: {} } },
    want: { spec: { m: { a: null } } },
  },
  {
    name: "a map for a scalar",
    from: { spec: { m: 1 } },
    to: { spec: { m: { a: 1 } } },
    want: { spec: { m: { a: 1 } } },
  },
  { name: "null said anew is nothing", from: { spec: {} }, to: { spec: { a: null } }, want: undefined },
  {
    name: "status is nobody's to say",
    from: { spec: {} },
    to: { spec: {}, status: { phase: "Done" } },
    want: undefined,
  },
  {
    name: "the last label goes, and the metadata stays (found by fuzzing: the edit was refused)",
    from: { metadata: { name: "a", labels: { x: "1" } } },
    to: { metadata: { name: "a" } },
    want: { metadata: { labels: null } },
  },
  {
    name: "of metadata labels and annotations alone",
    from: { metadata: { name: "a", labels: { x: "1" } } },
    to: { metadata: { name: "a", labels: { x: "2" }, annotations: { y: "3" }, finalizers: ["z"], uid: "7" } },
    want: { metadata: { labels: { x: "2" }, annotations: { y: "3" } } },
  },
])("$name", ({ from, to, want }) => {
  expect(declaredPatch(from, to)).toEqual(want);
});

test("what is ours is left out", () => {
  const isOurs = ({ path }: { path: readonly (string | number)[] }) => path.at(-1) === "a";
  expect(declaredPatch({ spec: { a: 1, b: 1 } }, { spec: { a: 2, b: 2 } }, isOurs)).toEqual({
    spec: { b: 2 },
  });
});

test("leaves are the fields that are set or removed", () => {
  expect(leaves({ spec: { a: 1, m: { b: null }, l: [{ c: 1 }], e: {} } })).toEqual([
    { path: ["spec", "a"], value: 1 },
    { path: ["spec", "m", "b"], value: null },
    { path: ["spec", "l"], value: [{ c: 1 }] },
    { path: ["spec", "e"], value: {} },
  ]);
});

test("fields that pruning took are found, within lists too", () => {
  expect(
    unknownFields({ a: 1, l: [{ b: 1, c: 2 }], n: null }, { a: 1, l: [{ b: 1 }], d: "default" }),
  ).toEqual([["l", 0, "c"]]);
});
