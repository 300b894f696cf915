import { expect, test } from "vitest";
import type { KubeObject } from "../api/meta.ts";
import { builtinResources } from "./builtin-resources.ts";
import { parseFieldSelector } from "./field-selector.ts";
import type { Resource } from "./resource.ts";
import { customResource } from "./testing/custom-resource.ts";
import { widgetCrd } from "./testing/widget.ts";

const widgets = customResource(widgetCrd);
const object = {
  apiVersion: "test.example/v1",
  kind: "Widget",
  metadata: { name: "a", namespace: "default" },
  spec: { color: "red", size: 5, free: { odd: "x,y=z" } },
} as unknown as KubeObject;

test.each<{ selector: string; want: boolean }>([
  { selector: "metadata.name=a", want: true },
  { selector: "metadata.name==b", want: false },
  { selector: "metadata.name!=b", want: true },
  { selector: "metadata.namespace=default,metadata.name=a", want: true },
  { selector: "metadata.name=a,metadata.name=b", want: false },
  { selector: ",metadata.name=a,", want: true },
  { selector: "spec.color=red", want: true },
  { selector: "spec.size=5", want: true },
  { selector: "spec.size!=5", want: false },
  { selector: "spec.code=", want: true },
  { selector: "spec.code!=", want: false },
])("$selector on the red widget a of size 5 is $want", ({ selector, want }) => {
  expect(parseFieldSelector(widgets, selector)?.(object)).toBe(want);
});

test("nothing asked for selects everything", () => {
  expect(parseFieldSelector(widgets, undefined)).toBeUndefined();
  expect(parseFieldSelector(widgets, "")).toBeUndefined();
});

const leases = builtinResources.find((resource) => resource.plural === "leases") as Resource;

test.each<{ of: Resource; selector: string; message: string }>([
  {
    of: widgets,
    selector: "spec.color",
    message: "invalid selector: 'spec.color'; can't understand 'spec.color'",
  },
  { of: widgets, selector: "spec.title=x", message: "field label not supported: spec.title" },
  {
    of: leases,
    selector: "spec.holderIdentity=x",
    message:
      '"spec.holderIdentity" is not a known field selector: only "metadata.name", "metadata.namespace"',
  },
  {
    of: widgets,
    selector: "metadata.name=a\\b",
    message: "invalid field selector: invalid escape sequence: \\b",
  },
  {
    of: widgets,
    selector: "metadata.name=a=b",
    message: "invalid field selector: unescaped character in value: 61",
  },
])("$selector is refused", ({ of, selector, message }) => {
  expect(() => parseFieldSelector(of, selector)).toThrow(message);
});

test("a backslash takes a comma, an equals sign or a backslash as it is", () => {
  const named = { ...object, metadata: { name: "a,b=c\\d" } };
  expect(parseFieldSelector(widgets, "metadata.name=a\\,b\\=c\\\\d")?.(named)).toBe(true);
});
