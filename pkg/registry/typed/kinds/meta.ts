/** `meta/v1`: what every object has, and the options of a deletion. */
import {
  always,
  bool,
  int64,
  json,
  keyed,
  list,
  map,
  omitempty,
  pointer,
  set,
  string,
  struct,
  texts,
  time,
  uid,
} from "../types.ts";

const ownerReference = struct(
  "OwnerReference",
  {
    apiVersion: always(5, string),
    kind: always(1, string),
    name: always(3, string),
    uid: always(4, uid),
    controller: pointer(6, bool),
    blockOwnerDeletion: pointer(7, bool),
  },
  { atomic: true },
);

const managedFieldsEntry = struct("ManagedFieldsEntry", {
  manager: omitempty(1, string),
  operation: omitempty(2, texts("v1.ManagedFieldsOperationType")),
  apiVersion: omitempty(3, string),
  time: pointer(4, time),
  fieldsType: omitempty(6, string),
  /** In protobuf a message whose field 1 is JSON. */
  fieldsV1: pointer(7, json),
  subresource: omitempty(8, string),
});

/** What columns that show a name or an age say of it. */
export const nameDescription =
  "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
export const creationTimestampDescription =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

export const objectMeta = struct("ObjectMeta", {
  name: omitempty(1, string),
  generateName: omitempty(2, string),
  namespace: omitempty(3, string),
  selfLink: omitempty(4, string),
  uid: omitempty(5, uid),
  resourceVersion: omitempty(6, string),
  generation: omitempty(7, int64),
  creationTimestamp: pointer(8, time),
  deletionTimestamp: pointer(9, time),
  deletionGracePeriodSeconds: pointer(10, int64),
  labels: omitempty(11, map(string)),
  annotations: omitempty(12, map(string)),
  ownerReferences: omitempty(13, keyed(ownerReference, "uid")),
  finalizers: omitempty(14, set(string)),
  managedFields: omitempty(17, list(managedFieldsEntry)),
});

const preconditions = struct("Preconditions", {
  uid: pointer(1, uid),
  resourceVersion: pointer(2, string),
});

export const deleteOptions = struct("DeleteOptions", {
  gracePeriodSeconds: pointer(1, int64),
  preconditions: pointer(2, preconditions),
  orphanDependents: pointer(3, bool),
  propagationPolicy: pointer(4, texts("v1.DeletionPropagation")),
  dryRun: omitempty(5, list(string)),
  ignoreStoreReadErrorWithClusterBreakingPotential: pointer(6, bool),
});

/** A requirement of a label or field selector. */
export const selectorRequirement = struct("LabelSelectorRequirement", {
  key: always(1, string),
  operator: always(2, texts("v1.LabelSelectorOperator")),
  values: omitempty(3, list(string)),
});
