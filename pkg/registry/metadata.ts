import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../api/meta.ts";
import { sameJson } from "../api/same-json.ts";
import { writeJson } from "../encoding/json.ts";
import {
  type FieldError,
  forbidden,
  invalid,
  invalidShown,
  quote,
  required,
  tooLong,
} from "./field-error.ts";
import { isObject, type Json } from "./json.ts";
import { managerNameFaults } from "./managed-fields/manager-name.ts";
import { labelValueFaults, nameFaults, qualifiedNameFaults } from "./names.ts";
import { objectMeta } from "./typed/kinds/meta.ts";
import { readTyped } from "./typed/read.ts";

/** Keeps an object that is being deleted until its dependents are deleted. */
export const foregroundFinalizer = "foregroundDeletion";
/** Keeps an object that is being deleted until its dependents have forgotten it. */
export const orphanFinalizer = "orphan";

const standardFinalizers: readonly string[] = [foregroundFinalizer, orphanFinalizer, "kubernetes"];

/** The name of a subresource in managedFields. */
const maxSubresourceBytes = 256;
/** All annotations of an object together. */
const maxAnnotationBytes = 256 * 1024;

/**
 * The metadata that a client may say, in one order and without what is empty; frozen parts are shared.
 *
 * @param declared - `metadata` as it was sent, already JSON
 * @param unknown - receives the path of each unknown field, `metadata.bogus`
 * @param known - metadata as it is stored: the very same needs no reading
 * @throws TypeError when a field has the wrong type; the message is the part after "cannot be handled as a Kind: "
 */
export function readMetadata(declared: Json | undefined, unknown?: string[], known?: Json): ObjectMeta {
  if (known !== undefined && declared === known) return declared as unknown as ObjectMeta;
  if (declared === undefined || declared === null) return { name: "" };
  if (!isObject(declared)) {
    const found = Array.isArray(declared)
      ? "array"
      : typeof declared === "boolean"
        ? "bool"
        : typeof declared;
    throw new TypeError(`json: cannot unmarshal ${found} into Go value of type v1.ObjectMeta`);
  }
  const dropped: string[] = [];
  const read = readTyped(objectMeta, declared, dropped);
  unknown?.push(...dropped.sort().map((path) => `metadata.${path}`));
  return { name: "", ...read } as unknown as ObjectMeta;
}

/** Owners without those that are named twice, and the uids of these. */
export function dedupOwners(metadata: ObjectMeta): { metadata: ObjectMeta; duplicates: readonly string[] } {
  const owners = metadata.ownerReferences ?? [];
  if (owners.length < 2) return { metadata, duplicates: [] };
  const distinct: OwnerReference[] = [];
  const duplicates: string[] = [];
  for (const owner of owners) {
    if (distinct.some((other) => sameJson(other, owner))) duplicates.push(owner.uid);
    else distinct.push(owner);
  }
  if (duplicates.length === 0) return { metadata, duplicates };
  return { metadata: { ...metadata, ownerReferences: distinct }, duplicates };
}

/**
 * What is wrong with the metadata of a new object.
 *
 * @param faultsOf - what is wrong with a name
 */
export function validateNewMetadata(
  metadata: ObjectMeta,
  faultsOf: (name: string) => string[] = nameFaults,
): FieldError[] {
  const errors: FieldError[] = [];
  checkName(metadata, faultsOf, errors);
  checkLabels(metadata.labels ?? {}, errors);
  checkAnnotations(metadata.annotations ?? {}, errors);
  checkOwners(metadata.ownerReferences ?? [], errors);
  checkFinalizers(metadata.finalizers ?? [], errors);
  checkManagers(metadata.managedFields ?? [], errors);
  return errors;
}

/**
 * What is wrong with `metadata`, which takes the place of `old`; equal parts are not checked again. As kube-apiserver
 * checks metadata for every kind and then again for the kind in question, most errors come more than once.
 *
 * @param declared - what the client said: of what is the server's own, a change is an error
 */
export function validateChangedMetadata(
  metadata: ObjectMeta,
  old: ObjectMeta,
  declared: ObjectMeta,
): { common: FieldError[]; own: FieldError[] } {
  const anew: FieldError[] = [];
  if (!sameJson(metadata.labels, old.labels)) checkLabels(metadata.labels ?? {}, anew);
  if (!sameJson(metadata.annotations, old.annotations)) checkAnnotations(metadata.annotations ?? {}, anew);
  if (!sameJson(metadata.ownerReferences, old.ownerReferences))
    checkOwners(metadata.ownerReferences ?? [], anew);
  if (metadata.managedFields !== old.managedFields) checkManagers(metadata.managedFields ?? [], anew);
  const finalizers: FieldError[] = [];
  if (!sameJson(metadata.finalizers, old.finalizers)) checkFinalizers(metadata.finalizers ?? [], finalizers);
  const own = [...checkChange(metadata, old, declared), ...anew];
  return { common: [...anew, ...finalizers, ...own], own };
}

function checkChange(metadata: ObjectMeta, old: ObjectMeta, declared: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const added = (metadata.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer));
    if (added.length > 0) {
      const list = [...new Set(added)]
        .sort()
        .map((finalizer) => quote(finalizer))
        .join(", ");
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
      errors.push(forbidden("metadata.finalizers", why));
    }
  }
  const immutable = (field: keyof ObjectMeta): void => {
    const value = declared[field];
    if (value !== undefined && value !== old[field]) {
      errors.push(invalid(`metadata.${field}`, value, "field is immutable"));
    }
  };
  immutable("uid");
  // Once it is set, what a client says of it is passed over.
  if (old.deletionTimestamp === undefined) immutable("deletionTimestamp");
  immutable("deletionGracePeriodSeconds");
  return errors;
}

function checkName(metadata: ObjectMeta, faultsOf: (name: string) => string[], errors: FieldError[]): void {
  const { name, generateName } = metadata;
  if (generateName !== undefined) {
    // What is generated ends in a letter or digit, so a dash at the prefix's end is fine.
    const prefix = generateName.length > 1 ? generateName.replace(/.-$/, "a") : generateName;
    errors.push(...faultsOf(prefix).map((fault) => invalid("metadata.generateName", generateName, fault)));
  }
  if (name === "") errors.push(required("metadata.name", "name or generateName is required"));
  else errors.push(...faultsOf(name).map((fault) => invalid("metadata.name", name, fault)));
}

/** The server's own entries pass; those that a client wrote may have any name. */
function checkManagers(managers: readonly ManagedFieldsEntry[], errors: FieldError[]): void {
  for (const [i, { manager, subresource = "" }] of managers.entries()) {
    const field = `metadata.managedFields[${i}]`;
    errors.push(...managerNameFaults(manager, `${field}.manager`));
    if (Buffer.byteLength(subresource) > maxSubresourceBytes) {
      errors.push(tooLong(`${field}.subresource`, maxSubresourceBytes));
    }
  }
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

function checkFinalizers(finalizers: readonly string[], errors: FieldError[]): void {
  for (const finalizer of finalizers) {
    const faults = qualifiedNameFaults(finalizer);
    errors.push(...faults.map((fault) => invalid("metadata.finalizers", finalizer, fault)));
  }
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    const why = `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`;
    errors.push(invalid("metadata.finalizers", finalizers, why));
  }
}

function checkOwners(owners: readonly OwnerReference[], errors: FieldError[]): void {
  let first: string | undefined;
  for (const owner of owners) {
    const [version, more] = owner.apiVersion.split("/").toReversed();
    if (version === "" || (more !== undefined && owner.apiVersion.split("/").length > 2)) {
      errors.push(
        invalid("metadata.ownerReferences.apiVersion", owner.apiVersion, "version must not be empty"),
      );
    }
    for (const field of ["kind", "name", "uid"] as const) {
      if (!owner[field]) errors.push(invalid(`metadata.ownerReferences.${field}`, "", "must not be empty"));
    }
    if (owner.apiVersion === "v1" && owner.kind === "Event") {
      const why = "/v1, Kind=Event is disallowed from being an owner";
      // Go keeps the order of a struct's fields, which is not that of the alphabet.
      errors.push(invalidShown("metadata.ownerReferences", writeJson(owner), why));
    }
    if (owner.controller !== true) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (first === undefined) first = name;
    else {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${name}`;
      errors.push(invalidShown("metadata.ownerReferences", writeJson(owners), why));
    }
  }
}

/**
 * What a client is warned of in finalizers that it added: a name that is not qualified by a domain.
 *
 * @param before - the finalizers that were there already
 */
export function finalizerWarnings(
  finalizers: readonly string[] = [],
  before: readonly string[] = [],
): readonly string[] {
  const added = [...new Set(finalizers)].filter((finalizer) => !before.includes(finalizer)).sort();
  return added
    .filter((name) => !name.includes("/") && !standardFinalizers.includes(name))
    .map((name) => {
      const path = name.includes(".") ? " including a path (/)" : "";
      const why = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
      return `metadata.finalizers: ${quote(name)}: ${why}`;
    });
}
