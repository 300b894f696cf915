import { expect, test } from "vitest";
import { compileJsonPath } from "./json-path.ts";

const value = {
  metadata: { name: "a", labels: { "app.kubernetes.io/name": "x" } },
  spec: { size: 5, tags: ["x", "y", "z"], parts: [{ name: "p", qty: 1 }, { name: "q", qty: 2 }, { qty: 3 }] },
  status: {
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Other (old)", status: "False" },
    ],
    note: null,
  },
};

test.each<{ path: string; want: readonly unknown[] }>([
  { path: ".metadata.name", want: ["a"] },
  { path: "$.metadata.name", want: ["a"] },
  { path: ".metadata.labels.app\\.kubernetes\\.io/name", want: ["x"] },
  { path: ".metadata.labels['app\\.kubernetes\\.io/name']", want: ["x"] },
  { path: ".spec['size']", want: [5] },
  { path: ".spec.none.deeper", want: [] },
  { path: ".spec.constructor", want: [] },
  { path: ".status.note", want: [null] },
  { path: ".status.note.deeper", want: [] },
  { path: ".status.note[0]", want: [] },
  { path: ".spec.tags", want: [["x", "y", "z"]] },
  { path: ".spec.tags[0]", want: ["x"] },
  { path: ".spec.tags[-1]", want: ["z"] },
  { path: ".spec.tags[*]", want: ["x", "y", "z"] },
  { path: ".spec.tags.*", want: ["x", "y", "z"] },
  { path: ".spec.tags[1:]", want: ["y", "z"] },
  { path: ".spec.tags[:2]", want: ["x", "y"] },
  { path: ".spec.tags[-2:-1]", want: ["y"] },
  { path: ".spec.tags[0:3:2]", want: ["x", "z"] },
  { path: ".spec.tags[0,2]", want: ["x", "z"] },
  { path: ".spec.parts[*].name", want: ["p", "q"] },
  { path: ".spec.parts[?(@.qty>1)].qty", want: [2, 3] },
  { path: ".spec.parts[?(@.name!='p')].name", want: ["q"] },
  { path: ".spec.parts[?(@.name)].qty", want: [1, 2] },
  { path: '.status.conditions[?(@.type=="Ready")].status', want: ["True"] },
  { path: '.status.conditions[?(@.type == "Other (old)")].status', want: ["False"] },
  { path: ".status.conditions[?(@.type=='None')].status", want: [] },
  { path: "..qty", want: [1, 2, 3] },
  { path: ".spec.parts[?(@.qty==@.max)]", want: [] },
  { path: ".status.conditions[?(@.type[0])].status", want: ["True", "False"] },
])("$path finds $want", ({ path, want }) => {
  expect(compileJsonPath(path)(value)).toEqual(want);
});

test.each([
  ".spec.tags[3]",
  ".spec.size[0]",
  ".spec[?(@.a==1)]",
  "spec.size",
  ".spec.none[?(@.a==1)].x",
  '.spec.parts[?(@.qty=="1")]',
])("%s does not fit", (path) => {
  // A list that is not there finds nothing; the filter has nothing to refuse then.
  if (path.includes("none")) expect(compileJsonPath(path)(value)).toEqual([]);
  else expect(() => compileJsonPath(path)(value)).toThrow(RangeError);
});

test.each([".spec.tags[x]", "[?(@.a", ".spec{"])("%s is no path", (path) => {
  expect(() => compileJsonPath(path)).toThrow(SyntaxError);
});
