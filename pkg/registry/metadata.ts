import type { ObjectMeta, OwnerReference } from "../api/meta.ts";
import { type FieldError, forbidden, invalid, required } from "./field-error.ts";
import { deepEqual, isObject, type Json, type JsonObject } from "./json.ts";
import { labelValueFaults, nameFaults, qualifiedNameFaults } from "./names.ts";

/** All annotations of an object together. */
const maxAnnotationBytes = 256 * 1024;

/**
 * The metadata that a client may say, in one order and without what is empty; frozen parts are shared.
 *
 * @param declared - `metadata` as it was sent, already JSON
 * @throws TypeError when a field has the wrong type; the message is the part after "cannot be handled as a Kind: "
 */
export function readMetadata(declared: Json | undefined): ObjectMeta {
  if (declared === undefined || declared === null) return { name: "" };
  if (!isObject(declared)) throw new TypeError(mismatch(declared, "v1.ObjectMeta"));
  const metadata: ObjectMeta = { name: text(declared, "name") ?? "" };
  for (const field of [
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
  ] as const) {
    const value = text(declared, field);
    if (value !== undefined && value !== "") metadata[field] = value;
  }
  for (const field of ["generation", "deletionGracePeriodSeconds"] as const) {
    const value = declared[field];
    if (typeof value === "number") metadata[field] = value;
  }
  const labels = textMap(declared, "labels");
  if (labels !== undefined) metadata.labels = labels;
  const annotations = textMap(declared, "annotations");
  if (annotations !== undefined) metadata.annotations = annotations;
  const finalizers = list(declared, "finalizers");
  if (finalizers !== undefined) metadata.finalizers = finalizers as string[];
  const owners = list(declared, "ownerReferences");
  if (owners !== undefined) metadata.ownerReferences = owners as unknown as OwnerReference[];
  return metadata;
}

/**
 * What is wrong with `metadata`, which takes the place of `old`; equal parts are not checked again.
 *
 * @param faultsOf - what is wrong with a name
 */
export function validateMetadata(
  metadata: ObjectMeta,
  old: ObjectMeta | undefined,
  faultsOf: (name: string) => string[] = nameFaults,
): FieldError[] {
  const errors: FieldError[] = [];
  if (old === undefined) checkName(metadata, faultsOf, errors);
  if (!deepEqual(metadata.labels, old?.labels)) checkLabels(metadata.labels ?? {}, errors);
  if (!deepEqual(metadata.annotations, old?.annotations))
    checkAnnotations(metadata.annotations ?? {}, errors);
  if (!deepEqual(metadata.finalizers, old?.finalizers)) checkFinalizers(metadata, old, errors);
  if (!deepEqual(metadata.ownerReferences, old?.ownerReferences))
    checkOwners(metadata.ownerReferences ?? [], errors);
  return errors;
}

function checkName(metadata: ObjectMeta, faultsOf: (name: string) => string[], errors: FieldError[]): void {
  if (metadata.generateName !== undefined) {
    // What is generated ends in a letter or digit, so a dash at the prefix's end is fine.
    const prefix = metadata.generateName.replace(/-$/, "a");
    errors.push(
      ...faultsOf(prefix).map((fault) => invalid("metadata.generateName", metadata.generateName, fault)),
    );
  }
  if (metadata.name === "") {
    errors.push(required("metadata.name", "name or generateName is required"));
    return;
  }
  errors.push(...faultsOf(metadata.name).map((fault) => invalid("metadata.name", metadata.name, fault)));
}

function checkLabels(labels: Record<string, string>, errors: FieldError[]): void {
  for (const [key, value] of Object.entries(labels)) {
    errors.push(...qualifiedNameFaults(key).map((fault) => invalid("metadata.labels", key, fault)));
    errors.push(...labelValueFaults(value).map((fault) => invalid("metadata.labels", value, fault)));
  }
}

function checkAnnotations(annotations: Record<string, string>, errors: FieldError[]): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    // Unlike a label's, an annotation's key may have upper case in its prefix.
    errors.push(
      ...qualifiedNameFaults(key.toLowerCase()).map((fault) => invalid("metadata.annotations", key, fault)),
    );
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) {
    errors.push({
      reason: "FieldValueTooLong",
      field: "metadata.annotations",
      message: `Too long: may not be more than ${maxAnnotationBytes} bytes`,
    });
  }
}

function checkFinalizers(metadata: ObjectMeta, old: ObjectMeta | undefined, errors: FieldError[]): void {
  const finalizers = metadata.finalizers ?? [];
  for (const finalizer of finalizers) {
    errors.push(
      ...qualifiedNameFaults(finalizer).map((fault) => invalid("metadata.finalizers", finalizer, fault)),
    );
  }
  if (old?.deletionTimestamp === undefined) return;
  const added = finalizers.filter((finalizer) => !old.finalizers?.includes(finalizer));
  if (added.length === 0) return;
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
  errors.push(
    forbidden(
      "metadata.finalizers",
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
    ),
  );
}

function checkOwners(owners: readonly OwnerReference[], errors: FieldError[]): void {
  for (const owner of owners) {
    for (const field of ["apiVersion", "kind", "name", "uid"] as const) {
      if (owner[field]) continue;
      const detail = field === "apiVersion" ? "version must not be empty" : "must not be empty";
      errors.push(invalid(`metadata.ownerReferences.${field}`, "", detail));
    }
  }
  const [first, second] = owners.filter((owner) => owner.controller === true);
  if (first === undefined || second === undefined) return;
  const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`;
  errors.push(invalid("metadata.ownerReferences", owners, detail));
}

function text(object: JsonObject, field: string): string | undefined {
  const value = object[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new TypeError(mismatchIn(value, field, "string"));
  return value;
}

function textMap(object: JsonObject, field: string): Record<string, string> | undefined {
  const value = object[field];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new TypeError(mismatchIn(value, field, "map[string]string"));
  const entries = Object.entries(value);
  for (const [, item] of entries) {
    if (typeof item !== "string") throw new TypeError(mismatchIn(item, field, "string"));
  }
  return entries.length === 0 ? undefined : (value as Record<string, string>);
}

function list(object: JsonObject, field: string): readonly Json[] | undefined {
  const value = object[field];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new TypeError(mismatchIn(value, field, "[]string"));
  for (const item of value) {
    const fits = field === "finalizers" ? typeof item === "string" : isObject(item);
    if (!fits)
      throw new TypeError(mismatchIn(item, field, field === "finalizers" ? "string" : "v1.OwnerReference"));
  }
  return value.length === 0 ? undefined : value;
}

function mismatchIn(value: Json, field: string, expected: string): string {
  return `json: cannot unmarshal ${goType(value)} into Go struct field ObjectMeta.${field} of type ${expected}`;
}

function mismatch(value: Json, expected: string): string {
  return `json: cannot unmarshal ${goType(value)} into Go value of type ${expected}`;
}

function goType(value: Json): string {
  if (Array.isArray(value)) return "array";
  return value === null ? "null" : typeof value === "boolean" ? "bool" : typeof value;
}
