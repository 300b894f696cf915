import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import type { JsonMap } from "./json.ts";
import { newDocument, projectOnto } from "./projection.ts";

/** A schema with one default: `mode: Auto`, in `spec` and in each of `spec.items`. */
function meaning(object: KubeObject): KubeObject {
  const { status: _status, ...kept } = structuredClone(object);
  const spec = (kept.spec ?? {}) as JsonMap;
  const items = spec.items as JsonMap[] | undefined;
  return {
    ...kept,
    spec: {
      mode: "Auto",
      ...spec,
      ...(items ? { items: items.map((item) => ({ mode: "Auto", ...item })) } : {}),
    },
  };
}

const object = (spec: JsonMap, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject =>
  ({ apiVersion: "v1", kind: "Thing", metadata: { name: "a", ...metadata }, spec }) as KubeObject;
const document = (spec: JsonMap, metadata: JsonMap = {}): JsonMap => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: "a", ...metadata },
  spec,
});

describe("onto a document", () => {
  test.each([
    { name: "a default is not said", has: { x: 1 }, is: { x: 1, mode: "Auto" }, want: { x: 1 } },
    {
      name: "a default that was said stays",
      has: { mode: "Auto" },
      is: { mode: "Auto" },
      want: { mode: "Auto" },
    },
    {
      name: "what differs from a default is said",
      has: { x: 1 },
      is: { x: 1, mode: "Off" },
      want: { x: 1, mode: "Off" },
    },
    { name: "what is gone goes", has: { x: 1, y: 2 }, is: { y: 2, mode: "Auto" }, want: { y: 2 } },
    {
      name: "items of a list keep what they said",
      has: { items: [{ n: 1 }, { n: 2 }, { n: 3 }] },
      is: {
        mode: "Auto",
        items: [
          { n: 1, mode: "Auto" },
          { n: 3, mode: "Auto" },
        ],
      },
      want: { items: [{ n: 1 }, { n: 3 }] },
    },
    {
      name: "an item is changed in place",
      has: { items: [{ n: 1 }, { n: 2 }] },
      is: {
        mode: "Auto",
        items: [
          { n: 1, mode: "Auto" },
          { n: 5, mode: "Auto" },
        ],
      },
      want: { items: [{ n: 1 }, { n: 5 }] },
    },
  ])("$name", ({ has, is, want }) => {
    expect(projectOnto(document(has), object(is), meaning)).toEqual(document(want));
  });

  test("annotations of machinery are neither written nor taken away", () => {
    const has = document({}, { annotations: { "bosun.dev/by-hand": "x", mine: "1" } });
    const is = object(
      { mode: "Auto" },
      { annotations: { "bosun.dev/other": "y", mine: "2" }, finalizers: ["f"] },
    );
    expect(projectOnto(has, is, meaning)).toEqual(
      document({}, { annotations: { "bosun.dev/by-hand": "x", mine: "2" } }),
    );
  });
});

test("a new document says nothing that goes without saying", () => {
  const is = object(
    {
      x: 1,
      mode: "Auto",
      items: [
        { n: 1, mode: "Auto" },
        { n: 2, mode: "Off" },
      ],
    },
    { uid: "u", labels: { a: "b" } },
  );
  expect(newDocument({ ...is, status: { phase: "Done" } }, meaning)).toEqual(
    document({ x: 1, items: [{ n: 1 }, { n: 2, mode: "Off" }] }, { labels: { a: "b" } }),
  );
});
