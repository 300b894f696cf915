import type { FieldReader } from "./field-selector.ts";
import { isObject, type JsonObject } from "./json.ts";
import { type Resource, resourceId } from "./resource.ts";
import { compileSchema } from "./schema/schema.ts";

const openSchema: JsonObject = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/**
 * The kinds of Kubernetes' own that are served beside CRDs: what controllers and kubectl need, with the schema left
 * open. There is one Namespace, `default`.
 */
export const builtinResources: readonly Resource[] = [
  builtin({
    version: "v1",
    kind: "Namespace",
    plural: "namespaces",
    shortNames: ["ns"],
    namespaced: false,
    selectableFields: fields({ "status.phase": "status.phase" }),
  }),
  builtin({
    version: "v1",
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    namespaced: true,
    selectableFields: fields({
      "involvedObject.kind": "involvedObject.kind",
      "involvedObject.namespace": "involvedObject.namespace",
      "involvedObject.name": "involvedObject.name",
      "involvedObject.uid": "involvedObject.uid",
      "involvedObject.apiVersion": "involvedObject.apiVersion",
      "involvedObject.resourceVersion": "involvedObject.resourceVersion",
      "involvedObject.fieldPath": "involvedObject.fieldPath",
      reason: "reason",
      reportingComponent: "reportingComponent",
      source: "source.component",
      type: "type",
    }),
  }),
  builtin({
    group: "coordination.k8s.io",
    version: "v1",
    kind: "Lease",
    plural: "leases",
    shortNames: [],
    namespaced: true,
  }),
];

/** Fields by the label that selects them, each with the path where it stands. */
function fields(labels: Readonly<Record<string, string>>): ReadonlyMap<string, FieldReader> {
  return new Map(Object.entries(labels).map(([label, path]) => [label, fieldAt(path.split("."))]));
}

function fieldAt(path: readonly string[]): FieldReader {
  return (object) => {
    let value: unknown = object;
    for (const key of path) value = isObject(value) ? value[key] : undefined;
    return typeof value === "string" ? value : "";
  };
}

function builtin(of: {
  group?: string;
  version: string;
  kind: string;
  plural: string;
  shortNames: readonly string[];
  namespaced: boolean;
  selectableFields?: ReadonlyMap<string, FieldReader>;
}): Resource {
  const group = of.group ?? "";
  return {
    ...of,
    group,
    id: resourceId(group, of.plural),
    listKind: `${of.kind}List`,
    singular: of.kind.toLowerCase(),
    categories: [],
    schema: compileSchema(openSchema),
    declaredSchema: openSchema,
    statusSubresource: false,
    scale: undefined,
    builtin: true,
    generation: false,
    unconditionalUpdate: true,
    printerColumns: [],
    selectableFields: of.selectableFields,
    annotations: {},
  };
}
