import type { FieldReader } from "./field-selector.ts";
import type { JsonObject } from "./json.ts";
import type { Schema } from "./schema/schema.ts";
import type { Named } from "./status-errors.ts";

/** One kind that the registry serves, made from a CRD or built in. */
export interface Resource extends Named {
  /** `bosun.dev/projects`; the core group has none: `events`. */
  readonly id: string;
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
  /** The JSON schema that `schema` was compiled from, as declared: what OpenAPI documents publish. */
  readonly declaredSchema: JsonObject;
  readonly statusSubresource: boolean;
  readonly scale: ScaleSubresource | undefined;
  /** One of Kubernetes' own kinds, which differ in small ways from those that CRDs define. */
  readonly builtin: boolean;
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

export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** `group/plural`, for the core group `plural`: a Resource's id. */
export function resourceId(group: string, plural: string): string {
  return group === "" ? plural : `${group}/${plural}`;
}
