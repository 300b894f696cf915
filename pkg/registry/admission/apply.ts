import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { copyJson, isObject, type Json, type JsonObject } from "../json.ts";
import { type Applied, applyConfig } from "../managed-fields/apply.ts";
import { checkType } from "../managed-fields/check.ts";
import { ApplyConflict, conflictStatus } from "../managed-fields/conflict.ts";
import { has, isEmpty, none } from "../managed-fields/field-set.ts";
import { type FieldType, objectType } from "../managed-fields/field-type.ts";
import { FieldTypeError } from "../managed-fields/field-type-error.ts";
import { lastAppliedFields, withLastApplied } from "../managed-fields/last-applied.ts";
import type { Managers, Writer } from "../managed-fields/managers.ts";
import { ownersAfterUpdate, type Tracked } from "../managed-fields/update.ts";
import { apiVersionOf, type Resource, type Subresource } from "../resource.ts";
import { badRequest, conflict, notFound } from "../status-errors.ts";
import { type Context, checkAddress } from "./context.ts";
import { createDecoded } from "./create.ts";
import { type Decoded, decodePatched } from "./decode.ts";
import { emptyObject, tracked, writerOf } from "./field-owners.ts";
import { replacePatched } from "./patch.ts";
import { scaleOf } from "./scale.ts";
import { ownersFromScale, scaleType, scaleVersion, trackedScale } from "./scale-owners.ts";
import type { Put } from "./update.ts";

/** The manager of fields that were there before anybody applied or was tracked. */
const beforeFirstApply = "before-first-apply";
/** Who may take over what it had applied from its own side. */
const kubectl = "kubectl";

/**
 * Stages an object, or its status, with a configuration applied that says all that the writer wants of it, and returns
 * it as stored. An object that is not there is made.
 *
 * @param force - whether fields that others own and the configuration changes are taken over
 */
export function apply(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  body: unknown,
  { subresource, force }: { subresource: Subresource | undefined; force: boolean },
): Put {
  const old = context.staging.get(resource, key);
  if (old === undefined && subresource !== undefined) throw notFound(resource, key.name);
  const config = readConfig(apiVersionOf(resource), resource.kind, body);
  const live = old === undefined ? emptyObject(resource) : (old as unknown as JsonObject);
  const before = tracked(context, resource, live, old?.metadata.managedFields ?? [], subresource);
  checkConfig(objectType(resource.schema), config);
  const owned = { ...before, managers: ownersBefore(resource, before, subresource) };
  const writer = writerOf(resource, context.fieldManager, "Apply", subresource);
  const { object, managers } = applied(owned, config, writer, force);
  const decoded = decodeApplied(resource, object, config, old);
  if (old !== undefined) {
    const replacing = { subresource, owners: managers };
    return { object: replacePatched(context, resource, key, old, decoded, replacing), created: false };
  }
  return { object: createApplied(context, resource, key, decoded, managers), created: true };
}

/**
 * Stages the owners of the replicas of an object after an apply to its Scale. kube-apiserver can make nothing of an apply
 * to a custom resource's Scale that changes it, or where nobody owns the replicas yet: an internal error.
 */
export function applyScale(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  body: unknown,
  force: boolean,
): Put {
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  const config = readConfig(scaleVersion, "Scale", body);
  const before = trackedScale(context, resource, old, scaleOf(resource, old));
  const why = `request to convert CR to an invalid group/version: ${scaleVersion}`;
  if (before.managers.length === 0) {
    const what = `failed to create manager for existing fields: failed to convert live object (/; ${scaleVersion}, Kind=Scale)`;
    throw new StatusError(500, "", `${what} to proper version: ${why}`);
  }
  checkConfig(scaleType, config);
  const { fieldManager: manager } = context;
  const writer = { manager, operation: "Apply", apiVersion: scaleVersion, subresource: "scale" } as const;
  const { object, managers } = applied(before, config, writer, force);
  if (object !== before.live) throw notConverted(config, why);
  const owners = ownersFromScale(resource, old.metadata.managedFields ?? [], managers);
  const decoded = decodePatched(resource, old as unknown as JsonObject);
  const stored = replacePatched(context, resource, key, old, decoded, { subresource: "scale", owners });
  return { object: scaleOf(resource, stored), created: false };
}

function decodeApplied(
  resource: Resource,
  object: JsonObject,
  config: JsonObject,
  old: KubeObject | undefined,
): Decoded {
  try {
    // What is stored in another version was read by another schema.
    return decodePatched(resource, object, resource.view === undefined ? old : undefined);
  } catch (error) {
    throw error instanceof TypeError ? notConverted(config, error.message) : error;
  }
}

function notConverted(config: JsonObject, why: string): StatusError {
  const message = `failed to convert new object (${printed(config)}) to proper version: ${why}`;
  return new StatusError(500, "", message);
}

function createApplied(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  decoded: Decoded,
  owners: Managers,
): KubeObject {
  const { uid, resourceVersion: _revision, ...metadata } = decoded.metadata;
  if (uid !== undefined) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource, key.name, why);
  }
  checkAddress(resource, metadata, key);
  return createDecoded(context, resource, key.namespace, { ...decoded, metadata }, { owners });
}

function applied(before: Tracked, config: JsonObject, writer: Writer, force: boolean): Applied {
  try {
    if (writer.manager !== kubectl) return applyConfig(before, config, writer, force);
    const { object, managers } = applyForKubectl(before, config, writer, force);
    return { object: withLastApplied(object, config), managers };
  } catch (error) {
    if (error instanceof ApplyConflict) throw conflictStatus(error);
    if (error instanceof FieldTypeError) throw new StatusError(500, "", error.message);
    throw error;
  }
}

/** Of an object of which nothing was tracked all fields belong to one manager that nobody is. */
function ownersBefore(resource: Resource, before: Tracked, subresource: Subresource | undefined): Managers {
  if (before.managers.length > 0) return before.managers;
  const writer = writerOf(resource, beforeFirstApply, "Update", subresource);
  return ownersAfterUpdate({ ...before, live: emptyObject(resource) }, before.live, writer);
}

/** Conflicts over what `kubectl apply` set from its own side, and nobody changed since, are none. */
function applyForKubectl(...[before, config, writer, force]: Parameters<typeof applyConfig>): Applied {
  try {
    return applyConfig(before, config, writer, force);
  } catch (error) {
    if (!(error instanceof ApplyConflict)) throw error;
    const type = before.versions.typeIn(writer.apiVersion);
    const allowed = type === undefined ? none : lastAppliedFields(type, before.live);
    if (isEmpty(allowed)) throw error;
    const left = error.conflicts.filter(({ path }) => !has(allowed, path));
    if (left.length > 0) throw new ApplyConflict(left);
    return applyConfig(before, config, writer, true);
  }
}

function readConfig(apiVersion: string, kind: string, body: unknown): JsonObject {
  const config = copyJson(body ?? {});
  if (!isObject(config)) {
    const found = Array.isArray(config) ? "array" : typeof config === "boolean" ? "bool" : typeof config;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  if (config.apiVersion !== apiVersion || config.kind !== kind) {
    throw badRequest(`invalid object type: ${kindOf(config)}`);
  }
  if (Array.isArray(metadataOf(config).managedFields)) {
    throw badRequest("metadata.managedFields must be nil");
  }
  return config;
}

function checkConfig(type: FieldType, config: JsonObject): void {
  try {
    checkType(type, config, { duplicates: false });
  } catch (error) {
    if (!(error instanceof FieldTypeError)) throw error;
    const message = `failed to create typed patch object (${printed(config)}): ${error.message}`;
    throw new StatusError(500, "", message);
  }
}

function printed(config: JsonObject): string {
  const { namespace, name } = metadataOf(config);
  return `${text(namespace)}/${text(name)}; ${kindOf(config)}`;
}

/** As Go prints a GroupVersionKind; an apiVersion that is none has neither. */
function kindOf({ apiVersion, kind }: JsonObject): string {
  const version = text(apiVersion);
  return version.split("/").length > 2 ? ", Kind=" : `${version}, Kind=${text(kind)}`;
}

function metadataOf({ metadata }: JsonObject): JsonObject {
  return isObject(metadata) ? metadata : {};
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
