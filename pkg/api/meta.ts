/** The parts of Kubernetes' `meta/v1` that every object has. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** A set of fields as a tree of path elements: `{"f:spec": {"f:size": {}}}`. */
export interface FieldsV1 {
  readonly [element: string]: FieldsV1;
}

/** Which fields one writer owns. Set by the server at each write. */
export interface ManagedFieldsEntry {
  /** The version of the object that `fieldsV1` is about. */
  apiVersion: string;
  fieldsType: "FieldsV1";
  fieldsV1: FieldsV1;
  /** The writer's name. */
  manager: string;
  /** `Apply`: the writer declared the fields and is told of conflicts; `Update`: it changed them. */
  operation: "Apply" | "Update";
  /** Absent: the object itself. */
  subresource?: string;
  /** When the entry last changed its fields or values; RFC 3339. */
  time?: string;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  /** Decimal, no leading zero; compare with `compareResourceVersions`, never as a number. */
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: readonly ManagedFieldsEntry[];
}

/** Any object of the API. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: unknown;
  status?: unknown;
}

/** An object's address within its kind. File mode has one namespace, `default`. */
export interface ObjectKey {
  namespace: string;
  name: string;
}

/** metav1.Condition. `lastTransitionTime` moves only when `status` does. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  /** One CamelCase word, stable once released. */
  reason: string;
  /** A sentence with the numbers, at most 1024 characters. */
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

export interface ListMeta {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

export function keyOf(object: { metadata: { name: string; namespace?: string } }): ObjectKey {
  return { namespace: object.metadata.namespace ?? "default", name: object.metadata.name };
}

/** `namespace/name`, for maps and logs. */
export function keyString(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}

/**
 * Orders two resourceVersions: negative, 0 or positive. They are decimals without leading zeros, so
 * the longer is the greater and equal lengths compare as text: exact beyond 2^53.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
