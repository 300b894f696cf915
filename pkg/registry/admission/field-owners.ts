/** Who owns which fields of an object: metadata.managedFields, kept at every write. */
import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import type { JsonObject } from "../json.ts";
import { objectType } from "../managed-fields/field-type.ts";
import { isReset, type Managers, readManagers, type Writer } from "../managed-fields/managers.ts";
import { ownersAfterUpdate, type Tracked } from "../managed-fields/update.ts";
import type { Versions } from "../managed-fields/versions.ts";
import { apiVersionOf, type Resource, type Subresource } from "../resource.ts";
import type { Context } from "./context.ts";

const nobody: Managers = Object.freeze([]);

/** The owners of a new object's fields. `sent` is the object as the client sent it, pruned and defaulted. */
export function ownersOfNew(context: Context, resource: Resource, sent: KubeObject): Managers {
  const managers = managersIn(sent) ?? nobody;
  const before = tracked(context, resource, emptyObject(resource), managers, undefined);
  return ownersAfterUpdate(
    before,
    asJson(sent),
    writerOf(resource, context.fieldManager, "Update", undefined),
  );
}

/**
 * The owners of the fields of `old` after `sent` took its place.
 *
 * A client may set managedFields itself; those that make no sense, and none at all, are taken for a client that knows
 * nothing of them. Who sends one empty entry wants them forgotten: nothing is tracked then until the next apply.
 */
export function ownersOfUpdated(
  context: Context,
  resource: Resource,
  old: KubeObject,
  sent: KubeObject,
  subresource: Subresource | undefined,
): Managers {
  const before = old.metadata.managedFields ?? nobody;
  const managers = subresource === undefined ? managersSent(sent, before) : before;
  if (managers.length === 0) return nobody;
  const writer = writerOf(resource, context.fieldManager, "Update", subresource);
  return ownersAfterUpdate(
    tracked(context, resource, asJson(old), managers, subresource),
    asJson(sent),
    writer,
  );
}

/** `metadata` with these owners. */
export function withOwners(metadata: ObjectMeta, managers: Managers): ObjectMeta {
  if (managers.length > 0) {
    return metadata.managedFields === managers ? metadata : { ...metadata, managedFields: managers };
  }
  const { managedFields, ...rest } = metadata;
  return managedFields === undefined ? metadata : rest;
}

/** Who writes an object of the kind, or a part of it. */
export function writerOf(
  resource: Resource,
  manager: string,
  operation: Writer["operation"],
  subresource: Subresource | undefined,
): Writer {
  return { manager, operation, apiVersion: apiVersionOf(resource), subresource: subresource ?? "" };
}

/** An object of the kind that says nothing. */
export function emptyObject(resource: Resource): JsonObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...resource.emptyBody };
}

/** What a write finds: `live` with its owners, and what it cannot change. */
export function tracked(
  context: Context,
  resource: Resource,
  live: JsonObject,
  managers: Managers,
  subresource: Subresource | undefined,
): Tracked {
  const { resourceVersion, managedFields } = (live.metadata ?? {}) as unknown as Partial<ObjectMeta>;
  return {
    versions: versionsOf(context, resource),
    live,
    managers,
    // Every write since the definition is this one made them fit.
    fitting: managers === managedFields && Number(resourceVersion) > sinceOf(context, resource),
    ignored: subresource === "status" ? ["metadata", "spec"] : resource.statusSubresource ? ["status"] : [],
    nowMs: context.clock.now(),
  };
}

/**
 * The revision at which the first write of a resource as it is defined was admitted: older owners may be of a former
 * definition.
 */
function sinceOf({ staging }: Context, resource: Resource): number {
  let since = firstRevisions.get(resource);
  if (since === undefined) {
    since = staging.revision;
    firstRevisions.set(resource, since);
  }
  return since;
}

const firstRevisions = new WeakMap<Resource, number>();

/** The version that is written comes first: most owners wrote that one, and then no other is looked for. */
function versionsOf(context: Context, resource: Resource): Versions {
  const own = apiVersionOf(resource);
  const type = objectType(resource.schema);
  const served = (apiVersion: string) =>
    context.versionsOf(resource).find((version) => apiVersionOf(version) === apiVersion);
  return {
    typeIn(apiVersion) {
      if (apiVersion === own) return type;
      const schema = served(apiVersion)?.schema;
      return schema === undefined ? undefined : objectType(schema);
    },
    convert(object, apiVersion) {
      if (object.apiVersion === apiVersion) return object;
      const from = served(String(object.apiVersion));
      const to = served(apiVersion);
      const stored = from?.view?.write(asObject(object)) ?? asObject(object);
      return asJson(to?.view?.read(stored) ?? stored);
    },
  };
}

function asObject(object: JsonObject): KubeObject {
  return object as unknown as KubeObject;
}

function managersSent(sent: KubeObject, before: Managers): Managers {
  const { managedFields } = sent.metadata;
  // Most clients send back what they were given.
  if (managedFields === undefined || sameJson(managedFields, before)) return before;
  return managersIn(sent) ?? before;
}

/** Undefined: it says nothing of them, or nothing that makes sense. */
function managersIn({ metadata: { managedFields } }: KubeObject): Managers | undefined {
  if (managedFields === undefined) return undefined;
  if (isReset(managedFields)) return nobody;
  const managers = readManagers(managedFields);
  return managers === undefined || managers.length === 0 ? undefined : managers;
}

function asJson(object: KubeObject): JsonObject {
  return object as unknown as JsonObject;
}
