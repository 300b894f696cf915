import type { KubeObject, ObjectMeta } from "../api/meta.ts";
import type { FieldError } from "./field-error.ts";
import type { FieldReader } from "./field-selector.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Schema } from "./schema/schema.ts";
import type { Named } from "./status-errors.ts";
import type { StructType } from "./typed/types.ts";

/** One kind in one group and version that the registry serves, made from a CRD or built in. */
export interface Resource extends Named {
  /** `bosun.dev/projects`; the core group has none: `events`. */
  readonly id: string;
  /** The id under which its objects are stored: another resource's where this one is but a view of them. */
  readonly store: string;
  /** Between the stored objects and how this resource shows them; undefined where both are the same. */
  readonly view: View | undefined;
  /** What is peculiar to a kind of Kubernetes' own; undefined for custom resources. */
  readonly builtin: Builtin | undefined;
  /** No object can be made any more: the kind itself is being deleted. */
  readonly terminating?: boolean | undefined;
  /** What every request is warned of, where the version is deprecated. */
  readonly deprecation?: string | undefined;
  /** What may be asked of it, as discovery says it. */
  readonly verbs: readonly string[];
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Of the whole object; `apiVersion`, `kind` and `metadata` are the registry's own business. */
  readonly schema: Schema;
  /** The schema of any version of the kind, served or not, by its apiVersion. */
  readonly schemaIn?: (apiVersion: string) => Schema | undefined;
  /** The JSON schema that `schema` was compiled from, as declared: what OpenAPI documents publish. */
  readonly declaredSchema: JsonObject;
  /** What stands in an object that says nothing: kinds that are structs of Go's have some fields always. */
  readonly emptyBody: JsonObject;
  readonly statusSubresource: boolean;
  readonly scale: ScaleSubresource | undefined;
  /** Whether `metadata.generation` is kept: CRDs have it, Events and Leases don't. */
  readonly generation: boolean;
  /** What a PUT without a resourceVersion means: CRDs refuse it, built-in kinds overwrite. */
  readonly unconditionalUpdate: boolean;
  /** Columns of Tables after the name; none: the age alone. */
  readonly printerColumns: readonly PrinterColumn[];
  /**
   * Fields that lists and watches can be selected by beside `metadata.name` and `metadata.namespace`; undefined for a
   * kind of Kubernetes' own that has none.
   */
  readonly selectableFields: ReadonlyMap<string, FieldReader> | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What can be written apart from an object as a whole. */
export type Subresource = "status" | "scale" | "finalize";

/** One kind under another group or version. Both ways must answer frozen objects, and equal ones for equal ones. */
export interface View {
  /** How a stored object looks here. */
  read(stored: KubeObject): KubeObject;
  /** How an object that was written here is stored. */
  write(object: KubeObject): KubeObject;
}

/**
 * A kind of Kubernetes' own: its fields are a table, not a schema, and what a schema cannot say is code. Nothing here
 * changes the objects it is handed.
 */
export interface Builtin {
  /** All fields of the object, `metadata` included, `apiVersion` and `kind` not. */
  readonly type: StructType;
  /** The fields beside `metadata`. */
  readonly body: StructType;
  /** What is wrong with a name; undefined: the rule for all objects holds. */
  readonly nameFaults?: (name: string) => string[];
  /** What a client sent, or a patch made, with what goes without saying: it counts as said. */
  readonly defaults?: (sent: Sent) => Sent;
  /** The object as the server completes it, before it is checked; `old` is what it replaces. */
  readonly prepare?: (
    object: KubeObject,
    old: KubeObject | undefined,
    subresource?: Subresource,
  ) => KubeObject;
  readonly validate?: (object: KubeObject, old: KubeObject | undefined) => readonly FieldError[];
  /** Whether a PUT makes an object that is not there. */
  readonly createOnUpdate: boolean;
  /** Whether its objects own none, so that how dependents are deleted does not matter. */
  readonly neverOwner?: boolean;
  /** Whether an object that is being deleted has to stay, whatever its metadata says. */
  readonly held?: (object: KubeObject) => boolean;
  readonly table: Table;
}

export interface Sent {
  readonly metadata: ObjectMeta;
  readonly body: JsonObject;
}

/** How `kubectl get` shows a kind. */
export interface Table {
  readonly columns: readonly TableColumn[];
  /** @param age - how long ago a time was, in kubectl's words */
  readonly cells: (object: KubeObject, age: (time: string | undefined) => string) => readonly Json[];
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** Paths like `["spec", "replicas"]`. */
export interface ScaleSubresource {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly labelSelector: readonly string[] | undefined;
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly jsonPath: string;
  readonly priority?: number;
}

/** What may be asked of most resources. */
export const allVerbs: readonly string[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

/** `group/version`, for the core group `version`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** `group/plural`, for the core group `plural`: a Resource's id. */
export function resourceId(group: string, plural: string): string {
  return group === "" ? plural : `${group}/${plural}`;
}

/** Whether the part of objects can be written apart; undefined, the object itself, always can. */
export function hasSubresource(resource: Resource, subresource: Subresource | undefined): boolean {
  switch (subresource) {
    case undefined:
      return true;
    case "status":
      return resource.statusSubresource;
    case "scale":
      return resource.scale !== undefined;
    case "finalize":
      return resource.builtin?.held !== undefined;
  }
}
