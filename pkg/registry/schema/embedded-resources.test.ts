import { expect, test } from "vitest";
import type { Json } from "../json.ts";
import { validateEmbedded } from "./embedded-resources.ts";
import { compileSchema } from "./schema.ts";

const embedded = {
  type: "object",
  "x-kubernetes-embedded-resource": true,
  "x-kubernetes-preserve-unknown-fields": true,
};
const schema = compileSchema({
  type: "object",
  properties: {
    one: embedded,
    outer: { ...embedded, properties: { inner: embedded } },
    list: { type: "array", items: embedded },
    map: { type: "object", additionalProperties: embedded },
  },
});
const named = { apiVersion: "foo/v1", kind: "Foo" };

// After pkg/apiserver/schema/objectmeta/validation_test.go of apiextensions-apiserver.
test.each<{ name: string; value: Json; want: string[] }>([
  { name: "nothing", value: {}, want: [] },
  { name: "a kind and its version", value: { one: named }, want: [] },
  { name: "metadata with a name alone", value: { one: { ...named, metadata: { name: "foo" } } }, want: [] },
  {
    name: "metadata with a namespace alone",
    value: { one: { ...named, metadata: { namespace: "kube-system" } } },
    want: [],
  },
  {
    name: "no kind",
    value: { outer: { inner: {} } },
    want: [
      "outer.apiVersion: Required value",
      "outer.kind: Required value",
      "outer.inner.apiVersion: Required value",
      "outer.inner.kind: Required value",
    ],
  },
  {
    name: "no kind in a list and in a map",
    value: { list: [{ kind: "Foo" }], map: { foo: { apiVersion: "v1" } } },
    want: ["list[0].apiVersion: Required value", "map[foo].kind: Required value"],
  },
  {
    name: "an empty kind",
    value: { one: { apiVersion: "", kind: "" } },
    want: [
      'one.apiVersion: Invalid value: "": must not be empty',
      'one.kind: Invalid value: "": must not be empty',
    ],
  },
  {
    name: "an odd kind",
    value: { one: { apiVersion: "a/b/c", kind: "foo.bar-com" } },
    want: [
      'one.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      "one.kind: Invalid value: \"foo.bar-com\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  },
])("$name", ({ value, want }) => {
  expect(validateEmbedded(schema, value).map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});

test("metadata within is checked as metadata is", () => {
  const metadata = { name: "..", namespace: "$$$", labels: { "#": "#" }, annotations: { "#": "#" } };
  const errors = validateEmbedded(schema, { one: { ...named, metadata } });
  expect(errors.map(({ field }) => field)).toEqual([
    "one.metadata.name",
    "one.metadata.namespace",
    "one.metadata.labels",
    "one.metadata.labels",
    "one.metadata.annotations",
  ]);
});
