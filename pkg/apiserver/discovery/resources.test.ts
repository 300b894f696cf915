import { expect, test } from "vitest";
import { customResource } from "../../registry/testing/custom-resource.ts";
import { widgetCrd } from "../../registry/testing/widget.ts";
import { groupsOf } from "./resources.ts";

test("Kubernetes' own groups come first, others by name; stable versions before beta before alpha, newest first", () => {
  const widget = customResource(widgetCrd);
  const served = [
    ["b.example", "v1alpha1"],
    ["b.example", "v1beta2"],
    ["b.example", "v2"],
    ["b.example", "v10"],
    ["b.example", "other"],
    ["b.example", "v1beta10"],
    ["a.example", "v1"],
    ["coordination.k8s.io", "v1"],
    ["events.k8s.io", "v1"],
    ["", "v1"],
  ].map(([group = "", version = ""]) => ({ ...widget, group, version }));
  expect(
    groupsOf(served).map(({ name, versions }) => [name, versions.map(({ version }) => version)]),
  ).toEqual([
    ["", ["v1"]],
    ["events.k8s.io", ["v1"]],
    ["coordination.k8s.io", ["v1"]],
    ["a.example", ["v1"]],
    ["b.example", ["v10", "v2", "v1beta10", "v1beta2", "v1alpha1", "other"]],
  ]);
});
