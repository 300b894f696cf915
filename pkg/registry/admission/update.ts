import type { KubeObject, ObjectKey, ObjectMeta } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { StatusError } from "../../api/status-error.ts";
import { invalid } from "../field-error.ts";
import { deepFreeze, type Json, type JsonObject } from "../json.ts";
import { type Managers, sameButTimes } from "../managed-fields/managers.ts";
import { dedupOwners, finalizerWarnings } from "../metadata.ts";
import type { Resource, Subresource } from "../resource.ts";
import { conflict, invalidObject, modified, notFound } from "../status-errors.ts";
import { checkChanged, checkStatus } from "./check.ts";
import { type Context, checkAddress, checkStrictly } from "./context.ts";
import { createDecoded } from "./create.ts";
import { assemble, checkKind, checkVersion, type Decoded, decode, withoutStatus } from "./decode.ts";
import { ownersOfUpdated, withOwners } from "./field-owners.ts";
import { warnOfDuplicateOwners } from "./owners.ts";

/** What a PUT came to. */
export interface Put {
  readonly object: KubeObject;
  /** Whether there was no such object before. */
  readonly created: boolean;
}

/** Stages the replacement of an object, or of its status, and returns it as stored. */
export function update(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  input: unknown,
  subresource?: Subresource,
): Put {
  const old = context.staging.get(resource, key);
  // What is stored in another version was read by another schema.
  const decoded = decode(resource, input, context, resource.view === undefined ? old : undefined);
  checkStrictly(context, resource, decoded);
  checkVersion(resource, decoded);
  checkAddress(resource, decoded.metadata, key);
  const { metadata, duplicates } = dedupOwners(decoded.metadata);
  warnOfDuplicateOwners(context, duplicates);
  if (old === undefined) {
    if (!resource.builtin?.createOnUpdate || subresource !== undefined) throw notFound(resource, key.name);
    // Whoever names a uid means an object that there was.
    checkUid(resource, metadata, { metadata: { ...key, uid: "" } });
    const fresh = { ...decoded, metadata: anew(metadata) };
    return { object: createDecoded(context, resource, key.namespace, fresh), created: true };
  }
  checkUid(resource, metadata, old);
  checkRevision(resource, metadata.resourceVersion, old, resource.unconditionalUpdate);
  const object = replace(context, resource, key, old, { ...decoded, metadata }, { subresource });
  return { object, created: false };
}

/** A PUT may say the revision of an object that is gone: the one it makes has nothing to do with it. */
function anew(metadata: ObjectMeta): ObjectMeta {
  const { resourceVersion: _revision, ...declared } = metadata;
  return declared;
}

/**
 * Refuses a resourceVersion that is not the object's.
 *
 * @param optional - whether none at all is allowed
 */
export function checkRevision(
  resource: Resource,
  revision: string | undefined,
  old: KubeObject,
  optional: boolean,
): void {
  if (revision === undefined || revision === "0") {
    if (optional) return;
    const error = invalid("metadata.resourceVersion", 0, "must be specified for an update");
    throw invalidObject(resource, old.metadata.name, [error], resource.plural);
  }
  if (!/^\d+$/.test(revision)) {
    throw new StatusError(500, "", `strconv.ParseUint: parsing ${JSON.stringify(revision)}: invalid syntax`);
  }
  if (revision !== old.metadata.resourceVersion) throw modified(resource, old.metadata.name);
}

export interface Replacing {
  readonly subresource: Subresource | undefined;
  /** The owners of the fields then; absent: they follow from what changes. */
  readonly owners?: Managers;
}

/** Stages `decoded` in the place of `old`; equal states stage nothing. */
export function replace(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  old: KubeObject,
  decoded: Decoded,
  { subresource, owners: given }: Replacing,
): KubeObject {
  checkKind(resource, decoded);
  const ofStatus = subresource === "status";
  const replaced = ofStatus
    ? withStatus(resource, old, decoded.body.status)
    : withSpec(resource, old, decoded);
  const unowned = resource.builtin?.prepare?.(replaced, old, subresource) ?? replaced;
  const sent = assemble(resource, decoded.metadata, decoded.body);
  const owners = given ?? ownersOfUpdated(context, resource, old, sent, subresource);
  // A write that would move nothing but the times of owners is none.
  const unchanged = sameButTimes(owners, old.metadata.managedFields ?? []) && sameJson(unowned, old);
  const next = unchanged ? old : { ...unowned, metadata: withOwners(unowned.metadata, owners) };
  if (!ofStatus) checkChanged(context, resource, next, old, { declared: decoded.metadata, unchanged });
  else if (!unchanged || resource.builtin === undefined) checkStatus(context, resource, next, old);
  if (unchanged) return old;
  if (!ofStatus && resource.builtin === undefined) {
    const warnings = finalizerWarnings(next.metadata.finalizers, old.metadata.finalizers);
    for (const text of warnings) context.warn(text);
  }
  const finished =
    next.metadata.deletionTimestamp !== undefined &&
    next.metadata.finalizers === undefined &&
    !resource.builtin?.held?.(next);
  if (finished) {
    context.staging.remove(resource, key, next);
    // As kube-apiserver answers: the object as it was last, at its old revision.
    return deepFreeze(next);
  }
  return context.staging.put(resource, key, next);
}

function withStatus(resource: Resource, old: KubeObject, status: Json | undefined): KubeObject {
  const {
    apiVersion: _apiVersion,
    kind: _kind,
    metadata,
    ...body
  } = old as unknown as JsonObject & KubeObject;
  const rest = withoutStatus(body as JsonObject);
  return assemble(resource, metadata, status === undefined ? rest : { ...rest, status });
}

function withSpec(resource: Resource, old: KubeObject, { metadata: declared, body }: Decoded): KubeObject {
  const kept = resource.statusSubresource ? statusOf(old) : undefined;
  const next = resource.statusSubresource ? withoutStatus(body) : body;
  const merged = kept === undefined ? next : { ...next, status: kept };
  const changed = !sameJson(merged, bodyOf(old));
  return assemble(resource, nextMetadata(resource, old.metadata, declared, changed), merged);
}

/**
 * Labels, annotations, finalizers, owners and what names were made of are the client's; everything else stays as the
 * server set it.
 */
function nextMetadata(
  resource: Resource,
  old: ObjectMeta,
  declared: ObjectMeta,
  changed: boolean,
): ObjectMeta {
  const {
    generateName: _generateName,
    labels: _labels,
    annotations: _annotations,
    finalizers: _finalizers,
    ownerReferences: _owners,
    ...serverSet
  } = old;
  const { generateName, labels, annotations, finalizers, ownerReferences } = declared;
  return {
    ...serverSet,
    ...(generateName === undefined ? {} : { generateName }),
    ...(resource.generation && changed ? { generation: (old.generation ?? 1) + 1 } : {}),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
}

function statusOf(object: KubeObject): Json | undefined {
  return object.status as Json | undefined;
}

function bodyOf(object: KubeObject): JsonObject {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...body } = object;
  return body as unknown as JsonObject;
}

/** Refuses a uid that is not the object's, in the words of etcd's client: with the key of the object in the store. */
export function checkUid(resource: Resource, metadata: ObjectMeta, old: Pick<KubeObject, "metadata">): void {
  if (metadata.uid === undefined || metadata.uid === old.metadata.uid) return;
  const { namespace = "", name, uid } = old.metadata;
  // The oldest groups of Kubernetes' own have no place in a key.
  const group = resource.builtin === undefined || resource.generation ? resource.group : "";
  const key = ["/registry", group, resource.plural, namespace, name].filter((part) => part !== "");
  const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid}`;
  throw conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key.join("/")}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  );
}
