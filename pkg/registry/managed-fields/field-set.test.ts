import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonical,
  difference,
  type FieldSet,
  has,
  intersection,
  none,
  paths,
  union,
  withoutTree,
} from "./field-set.ts";
import { printPath } from "./path-element.ts";

const element = fc.constantFrom("f:a", "f:b", "f:c", 'k:{"name":"x"}', 'v:"y"', "v:2");

/** Sets of any shape, as trees of elements: whether the field itself is in the set, and what is beneath it. */
const sets: fc.Arbitrary<FieldSet> = fc.letrec<{ set: FieldSet; node: FieldSet | undefined }>((tie) => ({
  set: fc.dictionary(element, tie("node"), { maxKeys: 4 }).map(trimmed),
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(none),
    fc.tuple(tie("set"), fc.boolean()).map(([set, isMember]) => {
      if (Object.keys(set).length === 0) return isMember ? none : undefined;
      return isMember ? { ".": none, ...set } : set;
    }),
  ),
})).set;

function trimmed(nodes: Record<string, FieldSet | undefined>): FieldSet {
  return Object.fromEntries(Object.entries(nodes).filter((entry) => entry[1] !== undefined)) as FieldSet;
}

function members(set: FieldSet): Set<string> {
  return new Set([...paths(set)].map(printPath));
}

function only(fields: Set<string>, keep: (field: string) => boolean): Set<string> {
  return new Set([...fields].filter(keep));
}

function law(check: (a: FieldSet, b: FieldSet, c: FieldSet) => void): void {
  fc.assert(
    fc.property(sets, sets, sets, (a, b, c) => void check(a, b, c)),
    { numRuns: 300 },
  );
}

describe("sets of fields are sets", () => {
  test("a union has the fields of both", () => {
    law((a, b) => expect(members(union(a, b))).toEqual(new Set([...members(a), ...members(b)])));
  });

  test("an intersection has what both have", () => {
    law((a, b) =>
      expect(members(intersection(a, b))).toEqual(only(members(a), (field) => members(b).has(field))),
    );
  });

  test("a difference has what only the first has, and keeps what is beneath a field that goes", () => {
    law((a, b) =>
      expect(members(difference(a, b))).toEqual(only(members(a), (field) => !members(b).has(field))),
    );
  });

  test("what changes nothing returns the set itself", () => {
    law((a, b) => {
      const both = union(a, b);
      expect(union(both, a)).toBe(both);
      expect(difference(a, difference(b, a))).toBe(a);
      expect(intersection(a, both)).toBe(a);
    });
  });

  test("each set has one form, whatever made it", () => {
    law((a, b, c) => {
      expect(canonical(union(union(a, b), c))).toEqual(canonical(union(a, union(c, b))));
      expect(canonical(difference(union(a, b), b))).toEqual(canonical(difference(a, b)));
      expect(canonical(union(intersection(a, b), difference(a, b)))).toEqual(canonical(a));
    });
  });

  test("a set has each of its fields, and no other", () => {
    law((a, b) => {
      for (const path of paths(a)) expect(has(a, path)).toBe(true);
      for (const path of paths(difference(b, a))) expect(has(a, path)).toBe(false);
    });
  });

  test("without a tree nothing of it is left, and all else", () => {
    fc.assert(
      fc.property(sets, fc.array(element, { minLength: 1, maxLength: 3 }), (set, path) => {
        const tree = printPath(path);
        const rest = [...members(set)].filter((field) => field !== tree && !/^[.[]/.test(after(field, tree)));
        expect(members(withoutTree(set, path))).toEqual(new Set(rest));
      }),
    );
  });
});

function after(field: string, prefix: string): string {
  return field.startsWith(prefix) ? field.slice(prefix.length) : "";
}

test("a set is written in kube-apiserver's order: fields, keys, values, and each as a number or a text", () => {
  const set: FieldSet = {
    "v:10": none,
    "v:9": none,
    'v:"a"': none,
    'k:{"port":80,"protocol":"TCP"}': none,
    'k:{"port":8}': none,
    "f:b": { "f:z": none, ".": none, "f:y": none },
    "f:a": none,
    "i:1": none,
  };
  expect(Object.keys(canonical(set))).toEqual([
    "f:a",
    "f:b",
    'k:{"port":8}',
    'k:{"port":80,"protocol":"TCP"}',
    "v:9",
    "v:10",
    'v:"a"',
    "i:1",
  ]);
  expect(Object.keys(canonical(set)["f:b"] ?? {})).toEqual([".", "f:y", "f:z"]);
});
