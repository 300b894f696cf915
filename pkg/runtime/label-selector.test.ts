import { expect, test } from "vitest";
import { labelSelector } from "./label-selector.ts";

const object = { apiVersion: "v1", kind: "Any", metadata: { name: "a", labels: { app: "web", tier: "" } } };

test.each([
  ["", true],
  ["app=web", true],
  ["app==web,tier=", true],
  ["app!=web", false],
  ["other!=web", true],
  ["app in (api, web)", true],
  ["app notin (api,web)", false],
  ["other notin (api)", true],
  ["other in (api)", false],
  ["app, !other", true],
  ["!app", false],
  ["bosun.dev/owned-by=x", false],
])("the selector `%s` says %s", (selector, want) => {
  expect(labelSelector(selector)(object)).toBe(want);
});

test.each(["app in", "=web", "app=(web)", "app in (web"])("`%s` is refused by name", (selector) => {
  expect(() => labelSelector(selector)).toThrow(RangeError);
});
