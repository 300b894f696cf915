import type { KubeObject } from "../../api/meta.ts";
import { assemble } from "../admission/decode.ts";
import type { FieldReader } from "../field-selector.ts";
import { deepFreeze, isObject, type Json, type JsonObject } from "../json.ts";
import {
  apiVersionOf,
  type PrinterColumn,
  type Resource,
  resourceId,
  type ScaleSubresource,
  type View,
} from "../resource.ts";
import { normalize } from "../schema/normalize.ts";
import { compiledSchema, type Schema } from "../schema/schema.ts";
import { readTyped } from "../typed/read.ts";
import type { StructType } from "../typed/types.ts";
import {
  type CustomResourceDefinition,
  type DefinitionVersion,
  isTrue,
  type Subresources,
} from "./definition.ts";
import { compareVersions } from "./version-order.ts";

/** What a definition makes: how its objects are stored, and the versions in which they are served, best first. */
export interface CustomResources {
  readonly stored: Resource;
  readonly served: readonly Resource[];
}

// In the order in which kube-apiserver tells them.
const verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const terminatingVerbs = ["delete", "deletecollection", "get", "list", "watch"];

/**
 * The resources of a definition whose names are accepted.
 *
 * @throws Error naming the path of a bad pattern or CEL rule
 */
export function customResources(definition: CustomResourceDefinition): CustomResources {
  const versions = definition.spec.versions ?? [];
  const storage = versions.find((version) => version.storage) as DefinitionVersion;
  const stored = resourceOf(definition, storage, undefined);
  const served = versions
    .filter((version) => version.served)
    .sort((a, b) => compareVersions(a.name, b.name))
    .map((version) => (version === storage ? stored : resourceOf(definition, version, stored)));
  return { stored, served };
}

/**
 * A stored object as `resource` has it by now: of its version, pruned and with its defaults. One that is frozen and needs
 * no change is that object.
 */
export function brought(resource: Resource, object: KubeObject): KubeObject {
  const { schema, builtin, kind } = resource;
  const by = builtin?.body ?? schema;
  // Definitions change more often than their schemas do.
  if (broughtBy.get(object) === by && object.kind === kind && object.apiVersion === apiVersionOf(resource))
    return object;
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...fields } = object;
  const body = fields as unknown as JsonObject;
  const next =
    builtin === undefined ? (normalize(schema, body, "") as JsonObject) : readTyped(builtin.body, body);
  const made = assemble(resource, metadata, next);
  const result = Object.isFrozen(object) && hasSameParts(object, made) ? object : deepFreeze(made);
  broughtBy.set(result, by);
  return result;
}

/** By object: what it is as it should be by. */
const broughtBy = new WeakMap<KubeObject, Schema | StructType>();

function hasSameParts(a: KubeObject, b: KubeObject): boolean {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length &&
    left.every(([key, value], at) => key === right[at]?.[0] && value === right[at][1])
  );
}

function resourceOf(
  definition: CustomResourceDefinition,
  version: DefinitionVersion,
  stored: Resource | undefined,
): Resource {
  const { spec, status, metadata } = definition;
  const names = status.acceptedNames;
  const { group } = spec;
  const id = resourceId(group, names.plural);
  const declaredSchema = declaredIn(version);
  const terminating = metadata.deletionTimestamp !== undefined || isTrue(definition, "Terminating");
  const resource: Resource = {
    id: stored === undefined ? id : `${id}/${version.name}`,
    store: id,
    view: undefined,
    builtin: undefined,
    verbs: terminating ? terminatingVerbs : verbs,
    terminating,
    deprecation: deprecationOf(definition, version),
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope !== "Cluster",
    schema: compiledSchema(declaredSchema),
    schemaIn: (apiVersion) => {
      const named = spec.versions?.find(({ name }) => `${group}/${name}` === apiVersion);
      return named && compiledSchema(declaredIn(named));
    },
    declaredSchema,
    emptyBody: {},
    statusSubresource: version.subresources?.status !== undefined,
    scale: scaleOf(version.subresources),
    generation: true,
    unconditionalUpdate: false,
    printerColumns: (version.additionalPrinterColumns ?? []) as readonly PrinterColumn[],
    selectableFields: new Map(
      (version.selectableFields ?? []).map(({ jsonPath }) => selectableField(jsonPath)),
    ),
    annotations: metadata.annotations ?? {},
  };
  return stored === undefined ? resource : { ...resource, view: viewOf(resource, stored) };
}

function declaredIn({ schema }: DefinitionVersion): JsonObject {
  return schema?.openAPIV3Schema ?? {};
}

/** Objects of one version seen as another: without conversion only the schema differs. Each is made once. */
function viewOf(resource: Resource, stored: Resource): View {
  const seen = new WeakMap<KubeObject, KubeObject>();
  return {
    read(object) {
      let shown = seen.get(object);
      if (shown === undefined) {
        shown = brought(resource, object);
        seen.set(object, shown);
      }
      return shown;
    },
    write: (object) => brought(stored, object),
  };
}

function deprecationOf(
  { spec, status }: CustomResourceDefinition,
  { name, deprecated, deprecationWarning }: DefinitionVersion,
): string | undefined {
  if (!deprecated) return undefined;
  return deprecationWarning ?? `${spec.group}/${name} ${status.acceptedNames.kind} is deprecated`;
}

/** The label `spec.color` of the path `.spec.color`, and what reads it. */
function selectableField(jsonPath: string): [label: string, read: FieldReader] {
  const keys = path(jsonPath);
  return [
    keys.join("."),
    (object) => {
      let value: Json | undefined = object as unknown as Json;
      for (const key of keys) value = isObject(value) ? value[key] : undefined;
      return value === undefined || value === null ? "" : String(value);
    },
  ];
}

function scaleOf(subresources: Subresources | undefined): ScaleSubresource | undefined {
  const scale = subresources?.scale;
  if (scale === undefined) return undefined;
  return {
    specReplicas: path(scale.specReplicasPath),
    statusReplicas: path(scale.statusReplicasPath),
    labelSelector: scale.labelSelectorPath ? path(scale.labelSelectorPath) : undefined,
  };
}

function path(jsonPath: string): readonly string[] {
  return jsonPath.replace(/^\./, "").split(".");
}
