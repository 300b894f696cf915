import { describe, expect, test } from "vitest";
import type { ObjectMeta } from "../api/meta.ts";
import type { Json } from "./json.ts";
import {
  dedupOwners,
  finalizerWarnings,
  readMetadata,
  validateChangedMetadata,
  validateNewMetadata,
} from "./metadata.ts";
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
      name: "both finalizers of the garbage collector",
      metadata: { finalizers: ["orphan", "foregroundDeletion"] },
      wantFields: ["metadata.finalizers"],
      wantMessage: /finalizer orphan and foregroundDeletion cannot be both set$/,
    },
    {
      name: "an Event as owner",
      metadata: { ownerReferences: [{ ...owner, kind: "Event" }] },
      wantFields: ["metadata.ownerReferences"],
      wantMessage: /: \/v1, Kind=Event is disallowed from being an owner$/,
    },
    {
      name: "an owner whose apiVersion is none",
      metadata: { ownerReferences: [{ ...owner, apiVersion: "a/b/c" }] },
      wantFields: ["metadata.ownerReferences.apiVersion"],
      wantMessage: /^Invalid value: "a\/b\/c": version must not be empty$/,
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
    const errors = validateNewMetadata({ name: "a", ...metadata });
    expect(errors.map((error) => error.field)).toEqual(wantFields);
    expect(errors[0]?.message).toMatch(wantMessage);
  });

  test("what was there before and did not change is let be", () => {
    const metadata = { name: "a", labels: { "-bad": "b c" } };
    expect(validateChangedMetadata(metadata, metadata, metadata)).toEqual({ common: [], own: [] });
  });

  test("a new fault is told three times, as kube-apiserver checks it thrice", () => {
    const changed = { name: "a", labels: { a: "b c" } };
    const { common, own } = validateChangedMetadata(changed, { name: "a" }, changed);
    expect([...common, ...own].map(({ field }) => field)).toEqual(Array(3).fill("metadata.labels"));
  });

  test.each<{ name: string; old?: Partial<ObjectMeta>; declared: Partial<ObjectMeta>; want: string[] }>([
    { name: "another uid is", declared: { uid: "v" }, want: ["metadata.uid"] },
    { name: "the same uid is not", declared: { uid: "u" }, want: [] },
    {
      name: "a deletionTimestamp is, which only a DELETE sets",
      declared: { deletionTimestamp: "2026-01-01T00:00:00Z" },
      want: ["metadata.deletionTimestamp"],
    },
    {
      name: "a deletionTimestamp of an object that has one is passed over",
      old: { deletionTimestamp: "2026-01-01T00:00:00Z" },
      declared: { deletionTimestamp: "2027-01-01T00:00:00Z" },
      want: [],
    },
    {
      name: "a grace period is",
      declared: { deletionGracePeriodSeconds: 5 },
      want: ["metadata.deletionGracePeriodSeconds"],
    },
    { name: "a creationTimestamp is not", declared: { creationTimestamp: "2026-01-01T00:00:00Z" }, want: [] },
  ])("of what only a server sets, $name refused", ({ old, declared, want }) => {
    const before = { name: "a", uid: "u", ...old };
    const { own } = validateChangedMetadata(before, before, { name: "a", ...declared });
    expect(own.map(({ field }) => field)).toEqual(want);
  });

  test("a finalizer may be taken off but not put on while the object is being deleted", () => {
    const old = { name: "a", deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["e.x/a", "e.x/b"] };
    const own = (finalizers: string[]) =>
      validateChangedMetadata({ ...old, finalizers }, old, { name: "a" }).own;
    expect(own(["e.x/b"])).toEqual([]);
    expect(own(["e.x/c"])).toMatchObject([
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
    {
      declared: { uid: 5 },
      message: "json: cannot unmarshal number into Go struct field ObjectMeta.uid of type types.UID",
    },
  ])("$declared", ({ declared, message }) => {
    expect(() => readMetadata(declared)).toThrow(message);
  });
});

test("fields that no metadata has are told, in order", () => {
  const unknown: string[] = [];
  const owner = { apiVersion: "v1", kind: "A", name: "a", uid: "u", more: 1 };
  const read = readMetadata({ name: "a", zeta: 1, ownerReferences: [owner], alpha: {} }, unknown);
  expect(unknown).toEqual(["metadata.alpha", "metadata.ownerReferences[0].more", "metadata.zeta"]);
  expect(read).toEqual({
    name: "a",
    ownerReferences: [{ apiVersion: "v1", kind: "A", name: "a", uid: "u" }],
  });
});

test("an owner named twice is taken once", () => {
  const owner = { apiVersion: "v1", kind: "A", name: "a", uid: "u" };
  const other = { ...owner, controller: true };
  const metadata = { name: "a", ownerReferences: [owner, other, { ...owner }] };
  expect(dedupOwners(metadata)).toEqual({
    metadata: { name: "a", ownerReferences: [owner, other] },
    duplicates: ["u"],
  });
});

test("a finalizer without domain is warned of when it is new", () => {
  expect(finalizerWarnings(["b", "e.x/c", "a.b", "orphan", "a"], ["b"])).toEqual([
    'metadata.finalizers: "a": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
    'metadata.finalizers: "a.b": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers',
  ]);
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
