/**
 * Patches against independent implementations: rfc6902 for JSON patches, RFC 7386's own pseudo-code for merge patches.
 * Left out is where kube-apiserver departs from the RFCs.
 */
import fc from "fast-check";
import { applyPatch, createPatch } from "rfc6902";
import { expect, test } from "vitest";
import { deepFreeze, isObject, type Json, type JsonObject } from "../json.ts";
import { JsonPatchError, jsonPatch } from "./json-patch.ts";
import { mergePatch } from "./merge-patch.ts";

const key = fc.constantFrom("a", "b", "c/d", "e~f", "~1");
const json = fc.letrec<{ any: Json; object: Json }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Json>(null, true, 1, 2.5, "x", ""),
    fc.array(tie("any"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(key, tie("any"), { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<Json>,
}));

test("a difference that rfc6902 finds leads from one document to the other", () => {
  fc.assert(
    fc.property(json.object, json.object, (before, after) => {
      const frozen = deepFreeze(structuredClone(before));
      const operations = createPatch(before, after) as unknown as Json[];
      expect(jsonPatch(frozen, operations)).toEqual(after);
      expect(frozen).toEqual(before);
    }),
    { numRuns: 500 },
  );
});

const pointer = fc
  .array(fc.oneof(key, fc.constantFrom("0", "1", "2", "-")), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""));
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom("add", "replace", "test"), path: pointer, value: json.any }),
  fc.record({ op: fc.constant("remove"), path: pointer }),
  fc.record({ op: fc.constantFrom("copy", "move"), from: pointer, path: pointer }),
) as fc.Arbitrary<JsonObject>;

test("a JSON patch that both apply comes out as with rfc6902", () => {
  let applied = 0;
  fc.assert(
    fc.property(json.object, fc.array(operation, { minLength: 1, maxLength: 4 }), (document, operations) => {
      // rfc6902 moves a value into itself.
      fc.pre(!operations.some(isIntoItself));
      const theirs = structuredClone(document);
      const ours = applied6902(theirs, operations) ? result(document, operations) : undefined;
      fc.pre(ours !== undefined);
      applied++;
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 500 },
  );
  expect(applied).toBeGreaterThan(100);
});

test("a JSON patch applies whole or not at all, and changes nothing it was given", () => {
  fc.assert(
    fc.property(json.object, fc.array(operation, { maxLength: 5 }), (document, operations) => {
      const before = JSON.stringify([document, operations]);
      try {
        jsonPatch(document, operations);
      } catch (error) {
        expect(error).toBeInstanceOf(JsonPatchError);
      }
      expect(JSON.stringify([document, operations])).toBe(before);
    }),
  );
});

test("a merge patch does what RFC 7386 says, where no list holds nulls of objects", () => {
  fc.assert(
    fc.property(json.object, json.any, (target, patch) => {
      fc.pre(!hasNullInList(patch, false));
      expect(mergePatch(deepFreeze(structuredClone(target)), patch)).toEqual(rfc7386(target, patch));
    }),
    { numRuns: 500 },
  );
});

test("a merge patch applied again changes nothing, where no list holds nulls of objects", () => {
  fc.assert(
    fc.property(json.object, json.object, (target, patch) => {
      fc.pre(!hasNullInList(patch, false));
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
    }),
  );
});

/** Whether rfc6902 applies a patch, which it does to `document` itself. It throws at paths into plain values. */
function applied6902(document: Json, operations: readonly JsonObject[]): boolean {
  try {
    return applyPatch(document, structuredClone(operations) as never).every((each) => each === null);
  } catch {
    return false;
  }
}

/** Undefined when the patch does not apply. */
function result(document: Json, operations: readonly JsonObject[]): Json | undefined {
  try {
    return jsonPatch(deepFreeze(structuredClone(document)), operations);
  } catch (error) {
    if (error instanceof JsonPatchError) return undefined;
    throw error;
  }
}

/** The pseudo-code of the RFC's section 2. */
function rfc7386(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = rfc7386(result[name], value);
  }
  return result;
}

function hasNullInList(value: Json, inList: boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => hasNullInList(item, true));
  if (!isObject(value)) return false;
  return Object.values(value).some((item) => (item === null ? inList : hasNullInList(item, inList)));
}

function isIntoItself({ op, path, from }: JsonObject): boolean {
  return op === "move" && (path === from || String(path).startsWith(`${from}/`));
}
