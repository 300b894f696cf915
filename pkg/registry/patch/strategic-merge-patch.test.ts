import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../json.ts";
import { keyed, list, map, omitempty, set, string, struct } from "../typed/types.ts";
import { mergePatch } from "./merge-patch.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";

const condition = struct("Condition", {
  type: omitempty(1, string),
  status: omitempty(2, string),
  words: omitempty(3, set(string)),
});
const thing = struct("Thing", {
  name: omitempty(1, string),
  labels: omitempty(2, map(string)),
  finalizers: omitempty(3, set(string)),
  args: omitempty(4, list(string)),
  conditions: omitempty(5, keyed(condition, "type")),
  inner: omitempty(6, struct("Inner", { a: omitempty(1, string), b: omitempty(2, string) })),
});

const ready = { type: "Ready", status: "True" };
const synced = { type: "Synced", status: "True" };

describe("a strategic merge patch", () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ["replaces values", { name: "a" }, { name: "b" }, { name: "b" }],
    [
      "deletes with null, and keeps no null",
      { name: "a" },
      { name: null, inner: { a: null, b: "x" } },
      { inner: { b: "x" } },
    ],
    [
      "merges maps",
      { labels: { a: "1", b: "2" } },
      { labels: { a: null, c: "3" } },
      { labels: { b: "2", c: "3" } },
    ],
    ["replaces lists that are atomic", { args: ["a", "b"] }, { args: ["c"] }, { args: ["c"] }],
    ["merges sets", { finalizers: ["a", "b"] }, { finalizers: ["b", "c"] }, { finalizers: ["a", "b", "c"] }],
    [
      "merges items by key",
      { conditions: [ready, synced] },
      { conditions: [{ type: "Synced", status: "False" }] },
      { conditions: [ready, { type: "Synced", status: "False" }] },
    ],
    ["adds items", { conditions: [ready] }, { conditions: [synced] }, { conditions: [synced, ready] }],
    [
      "deletes an item",
      { conditions: [ready, synced] },
      { conditions: [{ $patch: "delete", type: "Ready" }] },
      { conditions: [synced] },
    ],
    [
      "replaces a keyed list",
      { conditions: [ready] },
      { conditions: [{ $patch: "replace" }, synced] },
      { conditions: [synced] },
    ],
    [
      "replaces a map",
      { inner: { a: "1" } },
      { inner: { $patch: "replace", b: "2" } },
      { inner: { b: "2" } },
    ],
    ["empties a map", { inner: { a: "1" } }, { inner: { $patch: "delete" } }, { inner: {} }],
    [
      "deletes plain values",
      { finalizers: ["a", "b", "c", "d"] },
      { "$deleteFromPrimitiveList/finalizers": ["b", "d", "e"] },
      { finalizers: ["a", "c"] },
    ],
    [
      "retains keys",
      { inner: { a: "1", b: "2" } },
      { inner: { $retainKeys: ["b"], b: "3" } },
      { inner: { b: "3" } },
    ],
    [
      "sets an order",
      { finalizers: ["a", "b", "c"] },
      { "$setElementOrder/finalizers": ["c", "a"] },
      { finalizers: ["b", "c", "a"] },
    ],
    [
      "sets the order of what it adds",
      { conditions: [ready, synced] },
      {
        "$setElementOrder/conditions": [{ type: "New" }, { type: "Ready" }],
        conditions: [{ type: "New", status: "True" }],
      },
      { conditions: [{ type: "New", status: "True" }, ready, synced] },
    ],
    [
      "leaves no directive in what is new",
      {},
      { conditions: [{ $patch: "delete", type: "Ready" }, synced], inner: { $retainKeys: ["a"], a: "1" } },
      { conditions: [synced], inner: { a: "1" } },
    ],
    [
      "merges sets in items",
      { conditions: [{ type: "Ready", words: ["a"] }] },
      { conditions: [{ type: "Ready", words: ["b"] }] },
      { conditions: [{ type: "Ready", words: ["b", "a"] }] },
    ],
  ])("%s", (_name, target, patch, wanted) => {
    expect(strategicMergePatch(target, patch, thing)).toEqual(wanted);
  });

  test.each<[JsonObject, string]>([
    [{ conditions: [{ status: "True" }] }, "map: map[status:True] does not contain declared merge key: type"],
    [{ inner: { $patch: "turn" } }, "unknown patch type: turn in map: map[$patch:turn]"],
    [
      { conditions: [{ $patch: "merge", type: "Ready" }] },
      "merging lists cannot yet be specified in the patch",
    ],
    [{ inner: { $retainKeys: ["a"], b: "1" } }, "invalid patch format of retainKeys"],
    [{ "$setElementOrder/finalizers": ["a"], finalizers: ["b"] }, "doesn't match $setElementOrder list"],
  ])("%j does not apply", (patch, why) => {
    const target = { conditions: [ready], inner: { a: "1" }, finalizers: ["a"] };
    expect(() => strategicMergePatch(target, patch, thing)).toThrow(why);
  });

  test("without lists and directives is a merge patch", () => {
    const value = fc.option(fc.string());
    const fields = fc.record(
      { name: value, labels: fc.dictionary(fc.constantFrom("a", "b", "c"), value) },
      { requiredKeys: [] },
    );
    const target = fc.record({
      name: fc.string(),
      labels: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.string()),
    });
    fc.assert(
      fc.property(target, fields, (before, patch) => {
        expect(strategicMergePatch(before, patch as JsonObject, thing)).toEqual(
          mergePatch(before, patch as JsonObject),
        );
      }),
    );
  });

  test("applied twice changes nothing more", () => {
    const types = fc.uniqueArray(fc.constantFrom("A", "B", "C", "D"), { maxLength: 4 });
    const conditions = types.map((names) => names.map((type) => ({ type, status: "True" })));
    fc.assert(
      fc.property(conditions, conditions, (before, patch) => {
        const once = strategicMergePatch({ conditions: before }, { conditions: patch }, thing);
        expect(strategicMergePatch(once, { conditions: patch }, thing)).toEqual(once);
      }),
    );
  });
});
