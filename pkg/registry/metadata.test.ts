import { describe, expect, test } from "vitest";
import type { ObjectMeta } from "../api/meta.ts";
import type { Json } from "./json.ts";
import { readMetadata, validateMetadata } from "./metadata.ts";
import { generatedName } from "./names.ts";

describe("metadata that is refused", () => {
  const owner = { apiVersion: "v1", kind: "Widget", name: "x", uid: "u" };

  test.each<{ name: string; metadata: Partial<ObjectMeta>; wantFields: string[]; wantMessage: RegExp }>([
    {
      name: "no name",
      metadata: { name: "" },
      wantFields: ["metadata.name"],
      wantMessage: /^Required value: name or generateName is required$/,
    },
    {
      name: "an upper-case name",
      metadata: { name: "A" },
      wantFields: ["metadata.name"],
      wantMessage: /RFC 1123 subdomain/,
    },
    {
      name: "a name that ends in a dash",
      metadata: { name: "a-" },
      wantFields: ["metadata.name"],
      wantMessage: /RFC 1123 subdomain/,
    },
    {
      name: "a name of 254 characters",
      metadata: { name: "a".repeat(254) },
      wantFields: ["metadata.name"],
      wantMessage: /no more than 253 characters/,
    },
    {
      name: "a label key that begins with a dash",
      metadata: { labels: { "-a": "" } },
      wantFields: ["metadata.labels"],
      wantMessage: /name part must consist of/,
    },
    {
      name: "a label value with a blank",
      metadata: { labels: { a: "b c" } },
      wantFields: ["metadata.labels"],
      wantMessage: /a valid label must be/,
    },
    {
      name: "a label value of 64 characters",
      metadata: { labels: { a: "b".repeat(64) } },
      wantFields: ["metadata.labels"],
      wantMessage: /no more than 63 bytes/,
    },
    {
      name: "an annotation key with two slashes",
      metadata: { annotations: { "a/b/c": "" } },
      wantFields: ["metadata.annotations"],
      wantMessage: /a qualified name must consist of/,
    },
    {
      name: "annotations beyond 256 KiB",
      metadata: { annotations: { a: "x".repeat(256 * 1024) } },
      wantFields: ["metadata.annotations"],
      wantMessage: /^Too long: may not be more than 262144 bytes$/,
    },
    {
      name: "a finalizer that is no name",
      metadata: { finalizers: ["a b"] },
      wantFields: ["metadata.finalizers"],
      wantMessage: /name part must consist of/,
    },
    {
      name: "an owner without uid",
      metadata: { ownerReferences: [{ ...owner, uid: "" }] },
      wantFields: ["metadata.ownerReferences.uid"],
      wantMessage: /must not be empty/,
    },
    {
      name: "two controllers",
      metadata: {
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, name: "y", controller: true },
        ],
      },
      wantFields: ["metadata.ownerReferences"],
      wantMessage: /Only one reference can have Controller set to true/,
    },
  ])("$name", ({ metadata, wantFields, wantMessage }) => {
    const errors = validateMetadata({ name: "a", ...metadata }, undefined);
    expect(errors.map((error) => error.field)).toEqual(wantFields);
    expect(errors[0]?.message).toMatch(wantMessage);
  });

  test("what was there before and did not change is let be", () => {
    const metadata = { name: "a", labels: { "-bad": "b c" } };
    expect(validateMetadata(metadata, metadata)).toEqual([]);
  });

  test("a finalizer may be taken off but not put on while the object is being deleted", () => {
    const old = { name: "a", deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["e.x/a", "e.x/b"] };
    expect(validateMetadata({ ...old, finalizers: ["e.x/b"] }, old)).toEqual([]);
    expect(validateMetadata({ ...old, finalizers: ["e.x/c"] }, old)).toMatchObject([
      { reason: "FieldValueForbidden", message: expect.stringContaining('[]string{"e.x/c"}') },
    ]);
  });
});

describe("metadata that is no metadata", () => {
  test.each<{ declared: Json; message: string }>([
    { declared: 1, message: "json: cannot unmarshal number into Go value of type v1.ObjectMeta" },
    {
      declared: { labels: { a: 1 } },
      message: "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string",
    },
    {
      declared: { name: [] },
      message: "json: cannot unmarshal array into Go struct field ObjectMeta.name of type string",
    },
    {
      declared: { finalizers: [1] },
      message: "json: cannot unmarshal number into Go struct field ObjectMeta.finalizers of type string",
    },
  ])("$declared", ({ declared, message }) => {
    expect(() => readMetadata(declared)).toThrow(message);
  });
});

test("what is empty counts as absent", () => {
  expect(
    readMetadata({ name: "a", labels: {}, annotations: null, finalizers: [], ownerReferences: [], uid: "" }),
  ).toEqual({
    name: "a",
  });
});

test("a generated name keeps within 63 characters and its alphabet", () => {
  const name = generatedName(`${"a".repeat(80)}-`, { next: () => 0.999 });
  expect(name).toBe(`${"a".repeat(58)}99999`);
});
