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
  readonly statusSubresource: boolean;
  readonly scale: ScaleSubresource | undefined;
  /** Whether `metadata.generation` is kept: CRDs have it, Events and Leases don't. */
  readonly generation: boolean;
  /** What a PUT without a resourceVersion means: CRDs refuse it, built-in kinds overwrite. */
  readonly unconditionalUpdate: boolean;
  readonly printerColumns: readonly PrinterColumn[];
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
