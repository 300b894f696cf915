import type { CustomResourceDefinition, DefinitionStatus } from "../definitions/definition.ts";
import { definitionFaults } from "../definitions/definition-faults.ts";
import { isObject, type JsonObject } from "../json.ts";
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
  defaults: ({ metadata, body }) => ({ metadata, body: { ...body, ...defaultSpec(body) } }),
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

/** What a definition leaves unsaid of its names and its conversion. */
function defaultSpec({ spec }: JsonObject): { spec?: JsonObject } {
  if (!isObject(spec)) return {};
  const { names, conversion = { strategy: "None" } } = spec;
  if (!isObject(names)) return { spec: { ...spec, conversion } };
  const kind = typeof names.kind === "string" ? names.kind : "";
  return {
    spec: {
      ...spec,
      names: {
        ...names,
        singular: names.singular || kind.toLowerCase(),
        ...(names.listKind || kind === "" ? {} : { listKind: `${kind}List` }),
      },
      conversion,
    },
  };
}

/** The definition with what is the server's to say: the versions that have been stored. */
export function prepareDefinition(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
  subresource?: Subresource,
): CustomResourceDefinition {
  if (subresource === "status") return definition;
  const status: DefinitionStatus =
    old === undefined
      ? { conditions: null, acceptedNames: emptyNames, storedVersions: null }
      : definition.status;
  return {
    ...definition,
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
