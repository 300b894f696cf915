import { describe, expect, test } from "vitest";
import type { Json } from "../json.ts";
import { deepFreeze, type JsonObject } from "../json.ts";
import { normalize } from "./normalize.ts";
import { compileSchema } from "./schema.ts";

describe("pruning and defaulting", () => {
  const schema = compileSchema({
    type: "object",
    properties: {
      mode: { type: "string", default: "auto" },
      note: { type: "string", nullable: true },
      nick: { type: "string", nullable: true, default: "nobody" },
      box: { type: "object", default: {}, properties: { width: { type: "integer", default: 10 } } },
      lid: { type: "object", properties: { color: { type: "string", default: "red" } } },
      parts: { type: "array", items: { type: "object", properties: { n: { type: "integer", default: 1 } } } },
      limits: {
        type: "object",
        additionalProperties: { type: "object", properties: { soft: { type: "integer", default: 0 } } },
      },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      extra: { type: "object", additionalProperties: true },
    },
  });
  const filled = { mode: "auto", nick: "nobody", box: { width: 10 } };

  test.each<{ name: string; input: Json; want: Json }>([
    { name: "absent fields get their defaults, nested ones too", input: {}, want: filled },
    {
      name: "an absent object without default stays absent",
      input: { lid: {} },
      want: { ...filled, lid: { color: "red" } },
    },
    { name: "unknown fields go", input: { bogus: 1, box: { height: 2 } }, want: filled },
    {
      name: "null becomes the default where it is not allowed",
      input: { mode: null, box: null },
      want: filled,
    },
    { name: "null goes where it is not allowed and there is no default", input: { lid: null }, want: filled },
    {
      name: "null stays where it is allowed",
      input: { note: null, nick: null },
      want: { ...filled, note: null, nick: null },
    },
    {
      name: "items get defaults",
      input: { parts: [{}, { n: 2, m: 3 }] },
      want: { ...filled, parts: [{ n: 1 }, { n: 2 }] },
    },
    {
      name: "values of a map get defaults",
      input: { limits: { cpu: {} } },
      want: { ...filled, limits: { cpu: { soft: 0 } } },
    },
    {
      name: "preserved fields are kept whole",
      input: { free: { a: { b: [null] } } },
      want: { ...filled, free: { a: { b: [null] } } },
    },
    {
      name: "additionalProperties: true keeps keys and prunes what is beneath",
      input: { extra: { a: { b: 1 }, c: 2 } },
      want: { ...filled, extra: { a: {}, c: 2 } },
    },
  ])("$name", ({ input, want }) => {
    expect(normalize(schema, input, "")).toEqual(want);
  });

  test("a word that YAML took for a boolean is the word again, where only words are allowed", () => {
    const modes = compileSchema({
      type: "object",
      properties: {
        sandbox: { type: "string", enum: ["Required", "Off"] },
        both: { type: "string", enum: ["Off", "No"] },
        any: { type: "string" },
      },
    });
    expect(normalize(modes, { sandbox: false, both: false, any: false }, "")).toEqual({
      sandbox: "Off",
      both: false,
      any: false,
    });
    expect(normalize(modes, { sandbox: true }, "")).toEqual({ sandbox: true });
  });

  test("the paths of what goes are told", () => {
    const dropped = { dropped: [], embedded: [] };
    normalize(schema, { bogus: 1, box: { height: 2 }, parts: [{ n: 1 }, { m: 1 }] }, "", dropped);
    expect(dropped).toEqual({ dropped: ["bogus", "box.height", "parts[1].m"], embedded: [] });
  });

  test("a frozen value that needs nothing is shared, any other is copied", () => {
    const complete = deepFreeze({ ...filled, parts: [{ n: 1 }] });
    expect(normalize(schema, complete, "")).toBe(complete);
    const open = { ...filled, box: { width: 10 }, parts: complete.parts };
    const copy = normalize(schema, open, "") as typeof open;
    expect(copy).not.toBe(open);
    expect(copy.parts).toBe(complete.parts);
    expect(copy.box).not.toBe(open.box);
  });

  test("what has parts of an earlier result is read like what has copies of them, and shares them", () => {
    const known = deepFreeze(
      normalize(schema, { box: { height: 2 }, parts: [{ n: 1 }, { n: 2 }] }, ""),
    ) as JsonObject;
    const edited = { ...known, parts: [...(known.parts as Json[]), { m: 3 }], bogus: 1 };
    const [own, copied] = [
      { dropped: [], embedded: [] },
      { dropped: [], embedded: [] },
    ];
    const result = normalize(schema, edited, "", own, known) as JsonObject;
    expect(result).toEqual(normalize(schema, structuredClone(edited), "", copied));
    expect(own).toEqual(copied);
    expect(result.box).toBe(known.box);
  });

  test("an own __proto__ key neither stays nor becomes the prototype", () => {
    const hostile = JSON.parse('{"free": {"__proto__": {"polluted": true}, "a": 1}}');
    const result = normalize(schema, hostile, "") as { free: { polluted?: boolean } };
    expect(result.free).toEqual({ a: 1 });
    expect(result.free.polluted).toBeUndefined();
  });
});
