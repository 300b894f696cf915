import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { type FieldError, invalid } from "../field-error.ts";
import { dnsLabelFaults, qualifiedNameFaults } from "../names.ts";
import { allVerbs, type Subresource } from "../resource.ts";
import { namespace } from "../typed/kinds/core.ts";
import { builtinResource } from "./builtin.ts";
import { ageColumn, column, nameColumn } from "./columns.ts";

/** What namespaces say beside metadata. */
export interface Namespace extends KubeObject {
  readonly spec: { readonly finalizers?: readonly string[] };
  readonly status: { readonly phase?: string; readonly conditions?: readonly NamespaceCondition[] };
}

export interface NamespaceCondition {
  readonly type: string;
  readonly status: "True" | "False";
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** The finalizer in the spec that keeps a namespace until nothing is left in it. */
export const contentFinalizer = "kubernetes";

/** The label that says a namespace's name, for selectors. */
const nameLabel = "kubernetes.io/metadata.name";

export const namespaceResource = builtinResource(namespace, {
  version: "v1",
  plural: "namespaces",
  shortNames: ["ns"],
  namespaced: false,
  statusSubresource: true,
  verbs: allVerbs.filter((verb) => verb !== "deletecollection"),
  selectableFields: new Map([
    ["name", (object: KubeObject) => object.metadata.name],
    ["status.phase", (object: KubeObject) => (object as Namespace).status.phase ?? ""],
  ]),
  nameFaults: dnsLabelFaults,
  defaults: ({ metadata, body }) => ({ metadata: withNameLabel(metadata), body }),
  prepare,
  validate,
  held: (object) => ((object as Namespace).spec.finalizers ?? []).length > 0,
  table: {
    columns: [nameColumn, column("Status", "The status of the namespace"), ageColumn],
    cells: (object, age) => [
      object.metadata.name,
      (object as Namespace).status.phase ?? "",
      age(object.metadata.creationTimestamp),
    ],
  },
});

function prepare(object: KubeObject, old: KubeObject | undefined, subresource?: Subresource): KubeObject {
  // A name may have been made up since it was read.
  const named = { ...object, metadata: withNameLabel(object.metadata) } as Namespace;
  if (old === undefined) {
    const { finalizers = [] } = named.spec;
    return {
      ...named,
      spec: {
        finalizers: finalizers.includes(contentFinalizer) ? finalizers : [...finalizers, contentFinalizer],
      },
      status: { phase: "Active" },
    } as Namespace;
  }
  // The spec has nothing but finalizers, which only /finalize may change.
  return subresource === "finalize" ? named : ({ ...named, spec: (old as Namespace).spec } as Namespace);
}

/** Whatever the client said: the label is the name. */
function withNameLabel(metadata: ObjectMeta): ObjectMeta {
  if (metadata.name === "" || metadata.labels?.[nameLabel] === metadata.name) return metadata;
  return { ...metadata, labels: { ...metadata.labels, [nameLabel]: metadata.name } };
}

const standardFinalizers: readonly string[] = [contentFinalizer, "orphan", "foregroundDeletion"];

function validate(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  const { spec, status, metadata } = object as Namespace;
  const errors: FieldError[] = [];
  for (const [i, finalizer] of (spec.finalizers ?? []).entries()) {
    if (standardFinalizers.includes(finalizer)) continue;
    const field = old === undefined ? "spec.finalizers" : `spec.finalizers[${i}]`;
    errors.push(...qualifiedNameFaults(finalizer).map((fault) => invalid(field, finalizer, fault)));
    if (!finalizer.includes("/")) {
      const why = "name is neither a standard finalizer name nor is it fully qualified";
      errors.push(invalid(field, finalizer, why));
    }
  }
  const wanted = metadata.deletionTimestamp === undefined ? "Active" : "Terminating";
  if (status.phase !== wanted) {
    const state = wanted === "Active" ? "is empty" : "is not empty";
    const why = `may only be '${wanted}' if \`deletionTimestamp\` ${state}`;
    errors.push(invalid("status.Phase", status.phase ?? "", why));
  }
  return errors;
}
