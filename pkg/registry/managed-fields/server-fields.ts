import { difference, type FieldSet } from "./field-set.ts";

/** `set` without the fields that nobody owns: what says which object it is, and what the server alone sets. */
export function withoutServerFields(set: FieldSet): FieldSet {
  return difference(set, serverFields);
}

const itself: FieldSet = Object.freeze({});

const serverFields: FieldSet = {
  "f:apiVersion": itself,
  "f:kind": itself,
  "f:metadata": {
    ".": itself,
    "f:name": itself,
    "f:namespace": itself,
    "f:creationTimestamp": itself,
    "f:selfLink": itself,
    "f:uid": itself,
    "f:clusterName": itself,
    "f:generation": itself,
    "f:managedFields": itself,
    "f:resourceVersion": itself,
  },
};
