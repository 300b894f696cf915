import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sameJson } from "../api/same-json.ts";
import { copyJson, deepFreeze, type Json } from "./json.ts";

/** All that JSON says but `__proto__`, which no object of the registry holds: see the last test. */
const json = fc.jsonValue().map((value) => withoutProto(JSON.stringify(value)));

function withoutProto(text: string): Json {
  return JSON.parse(text, (key, item) => (key === "__proto__" ? undefined : item));
}

/** The same JSON with nothing shared, and the keys of every object the other way round. */
function turned(value: Json): Json {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, turned(item)]),
  );
}

describe("copyJson", () => {
  it("gives what is known where a client sends the same, however it wrote it", () => {
    fc.assert(
      fc.property(json, (value) => {
        const known = deepFreeze(value);
        expect(copyJson(turned(known), known)).toBe(known);
      }),
    );
  });

  it("gives what was sent whatever is known", () => {
    fc.assert(
      fc.property(json, json, (value, other) => {
        expect(sameJson(copyJson(value, deepFreeze(other)), value)).toBe(true);
      }),
    );
  });

  it.each<[name: string, known: Json, sent: Json]>([
    ["a key that is gone", { a: 1, b: 2 }, { a: 1 }],
    ["a key that is new", { a: 1 }, { a: 1, b: 2 }],
    ["an item that is gone", [1, 2], [1]],
    ["an item that is new", [1], [1, 2]],
    ["items that changed places", [1, 2], [2, 1]],
    ["an empty map in the place of a list", { a: [] }, { a: {} }],
    ["a null in the place of a value", { a: 1 }, { a: null }],
    ["a key that every object inherits", {}, { constructor: 1 }],
  ])("sees %s", (_name, known, sent) => {
    expect(copyJson(sent, deepFreeze(known))).toEqual(sent);
  });

  it("shares the parts that are as they were", () => {
    const known = deepFreeze({
      spec: { parts: [{ name: "a" }, { name: "b" }] },
      status: { phase: "Queued" },
    });
    const sent = { spec: { parts: [{ name: "a" }, { name: "c" }] }, status: { phase: "Queued" } };
    const copy = copyJson(sent, known) as unknown as typeof known;
    expect(copy).toEqual(sent);
    expect(copy.status).toBe(known.status);
    expect(copy.spec.parts[0]).toBe(known.spec.parts[0]);
  });

  it("takes no `__proto__`, and gives what is known where nothing else was sent", () => {
    const known = deepFreeze({ a: { b: 1 } });
    const sent = JSON.parse('{ "a": { "b": 1, "__proto__": { "c": 2 } }, "__proto__": null }');
    expect(copyJson(sent, known)).toBe(known);
    expect(Object.getPrototypeOf(copyJson(sent))).toBe(Object.prototype);
    expect(JSON.stringify(copyJson(sent))).toBe('{"a":{"b":1}}');
  });
});
