import type { KubeObject } from "../../api/meta.ts";
import type { CustomResourceDefinition, DefinitionStatus } from "../definitions/definition.ts";
import { definitionFaults } from "../definitions/definition-faults.ts";
import { allVerbs, type Subresource } from "../resource.ts";
import { customResourceDefinition } from "../typed/kinds/apiextensions.ts";
import { creationTimestampDescription } from "../typed/kinds/meta.ts";
import { builtinResource } from "./builtin.ts";
import { column, nameColumn } from "./columns.ts";

export const definitionResource = builtinResource(customResourceDefinition, {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  namespaced: false,
  verbs: allVerbs,
  statusSubresource: true,
  generation: true,
  unconditionalUpdate: false,
  prepare: (object, old, subresource) =>
    prepareDefinition(
      object as CustomResourceDefinition,
      old as CustomResourceDefinition | undefined,
      subresource,
    ),
  validate: (object, old) =>
    definitionFaults(object as CustomResourceDefinition, old as CustomResourceDefinition | undefined),
  table: {
    columns: [nameColumn, column("Created At", creationTimestampDescription, { type: "date" })],
    cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? ""],
  },
});

const emptyNames = { plural: "", kind: "" };

/** The definition with what it leaves to the server: names, conversion, the versions that have been stored. */
export function prepareDefinition(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
  subresource?: Subresource,
): CustomResourceDefinition {
  if (subresource === "status") return definition;
  const { spec } = definition;
  const { names } = spec;
  const status: DefinitionStatus =
    old === undefined
      ? { conditions: null, acceptedNames: emptyNames, storedVersions: null }
      : definition.status;
  return {
    ...definition,
    spec: {
      ...spec,
      names: {
        ...names,
        singular: names.singular || names.kind.toLowerCase(),
        ...(names.listKind || names.kind === "" ? {} : { listKind: `${names.kind}List` }),
      },
      conversion: spec.conversion ?? { strategy: "None" },
    },
    status: { ...status, storedVersions: storedVersions(definition, status.storedVersions ?? []) },
  };
}

function storedVersions(
  { spec }: CustomResourceDefinition,
  before: readonly string[],
): readonly string[] | null {
  const storage = spec.versions?.find((version) => version.storage)?.name;
  if (storage === undefined || before.includes(storage)) return before.length === 0 ? null : before;
  return [...before, storage];
}

/** A definition among other objects. */
export function isDefinition(object: KubeObject): object is CustomResourceDefinition {
  return object.kind === "CustomResourceDefinition" && object.apiVersion === "apiextensions.k8s.io/v1";
}
