import { describe, expect, test } from "vitest";
import type { Json } from "../json.ts";
import { JsonPatchError, jsonPatch } from "./json-patch.ts";
import { mergePatch } from "./merge-patch.ts";

describe("merge patch", () => {
  // The examples of RFC 7386, appendix A.
  test.each<[Json, Json, Json]>([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j patched with %j is %j", (target, patch, want) => {
    expect(mergePatch(target, patch)).toEqual(want);
  });

  test.each<[Json, Json, Json]>([
    [{}, { a: [{ b: null, c: [null] }] }, { a: [{ c: [null] }] }],
    [{ a: [1] }, { a: [{ b: null }] }, { a: [{}] }],
    [{ a: { x: 1 } }, { a: [{ b: null }] }, { a: [{ b: null }] }],
  ])("as kube-apiserver does it, %j patched with %j is %j", (target, patch, want) => {
    expect(mergePatch(target, patch)).toEqual(want);
  });

  test("what is not touched is shared", () => {
    const target = { kept: { deep: 1 }, changed: 1 };
    expect((mergePatch(target, { changed: 2 }) as typeof target).kept).toBe(target.kept);
  });
});

describe("JSON patch", () => {
  const document = { a: { b: [1, 2, 3] }, "c/d": 1, "e~f": 2 };

  test.each<{ name: string; operations: Json[]; want: Json }>([
    { name: "adds a key", operations: [{ op: "add", path: "/g", value: 1 }], want: { ...document, g: 1 } },
    {
      name: "inserts into a list",
      operations: [{ op: "add", path: "/a/b/1", value: 9 }],
      want: { ...document, a: { b: [1, 9, 2, 3] } },
    },
    {
      name: "appends to a list",
      operations: [{ op: "add", path: "/a/b/-", value: 9 }],
      want: { ...document, a: { b: [1, 2, 3, 9] } },
    },
    {
      name: "removes an item",
      operations: [{ op: "remove", path: "/a/b/0" }],
      want: { ...document, a: { b: [2, 3] } },
    },
    {
      name: "counts a negative index from the end",
      operations: [{ op: "remove", path: "/a/b/-1" }],
      want: { ...document, a: { b: [1, 2] } },
    },
    {
      name: "replaces a missing key",
      operations: [{ op: "replace", path: "/g", value: 1 }],
      want: { ...document, g: 1 },
    },
    {
      name: "unescapes",
      operations: [
        { op: "replace", path: "/c~1d", value: 3 },
        { op: "remove", path: "/e~0f" },
      ],
      want: { a: document.a, "c/d": 3 },
    },
    {
      name: "moves",
      operations: [{ op: "move", from: "/a/b", path: "/g" }],
      want: { "c/d": 1, "e~f": 2, a: {}, g: [1, 2, 3] },
    },
    { name: "copies", operations: [{ op: "copy", from: "/a/b/0", path: "/g" }], want: { ...document, g: 1 } },
    {
      name: "tests a missing key against null",
      operations: [{ op: "test", path: "/g", value: null }],
      want: document,
    },
    {
      name: "takes no value for null",
      operations: [{ op: "add", path: "/g" }],
      want: { ...document, g: null },
    },
    {
      name: "copies a missing key as null",
      operations: [{ op: "copy", from: "/none", path: "/g" }],
      want: { ...document, g: null },
    },
    { name: "replaces the whole document", operations: [{ op: "replace", path: "", value: [1] }], want: [1] },
    {
      name: "changes a copy and not what was copied",
      operations: [
        { op: "add", path: "/a/b/-", value: 4 },
        { op: "copy", from: "/a", path: "/g" },
        { op: "add", path: "/g/b/-", value: 5 },
        { op: "remove", path: "/a/b/0" },
      ],
      want: { ...document, a: { b: [2, 3, 4] }, g: { b: [1, 2, 3, 4, 5] } },
    },
    {
      name: "tests deeply",
      operations: [{ op: "test", path: "/a", value: { b: [1, 2, 3] } }],
      want: document,
    },
  ])("$name", ({ operations, want }) => {
    expect(jsonPatch(document, operations)).toEqual(want);
  });

  test.each<{ name: string; operation: Json }>([
    { name: "a failed test", operation: { op: "test", path: "/a", value: 1 } },
    { name: "a missing path", operation: { op: "remove", path: "/g" } },
    { name: "a missing parent", operation: { op: "add", path: "/g/h", value: 1 } },
    { name: "an index out of range", operation: { op: "add", path: "/a/b/9", value: 1 } },
    { name: "an unknown operation", operation: { op: "grow", path: "/a" } },
    { name: "a path that is none", operation: { op: "add", path: "a", value: 1 } },
    { name: "adding the whole document", operation: { op: "add", path: "", value: {} } },
    { name: "a plain value for the whole document", operation: { op: "replace", path: "", value: 1 } },
    { name: "a way into the prototype", operation: { op: "add", path: "/__proto__/polluted", value: true } },
  ])("$name is refused", ({ operation }) => {
    expect(() => jsonPatch(document, [operation])).toThrow(JsonPatchError);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("what was patched is as it was", () => {
    const before = JSON.stringify(document);
    jsonPatch(document, [
      { op: "remove", path: "/a/b/0" },
      { op: "move", from: "/a", path: "/g" },
    ]);
    expect(JSON.stringify(document)).toBe(before);
  });

  test("copies of copies end before they fill the memory", () => {
    const bomb = Array.from({ length: 40 }, () => ({ op: "copy", from: "/a", path: "/a/b/-" }));
    expect(() => jsonPatch({ a: { b: [] } }, bomb)).toThrow(JsonPatchError);
  });

  test("many operations on a large object copy it once: a copy for each would be 500 million keys, and no end", () => {
    const large = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]));
    const operations = Array.from({ length: 10_000 }, (_, i) => ({ op: "add", path: `/n${i}`, value: i }));
    expect(Object.keys(jsonPatch(large, operations) as object)).toHaveLength(60_000);
  });
});
