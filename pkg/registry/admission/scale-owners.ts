/** Who owns the replicas of an object: one field of the object, another of its Scale. */
import type { KubeObject, ManagedFieldsEntry } from "../../api/meta.ts";
import type { JsonObject } from "../json.ts";
import { difference, has, isEmpty, single } from "../managed-fields/field-set.ts";
import { objectType } from "../managed-fields/field-type.ts";
import { entryOf, identityOf, inOrder, type Managers, withFields } from "../managed-fields/managers.ts";
import { ownersAfterUpdate, type Tracked } from "../managed-fields/update.ts";
import { apiVersionOf, type Resource } from "../resource.ts";
import { compileSchema } from "../schema/schema.ts";
import { scale } from "../typed/kinds/autoscaling.ts";
import { openApiSchema } from "../typed/openapi.ts";
import type { Context } from "./context.ts";

/** The version of Scales. */
export const scaleVersion = "autoscaling/v1";
export const scaleType = objectType(compileSchema(openApiSchema(scale)));
const inScale = ["f:spec", "f:replicas"];

/** What a write of the Scale `live` of `old` finds: the owners of the replicas alone. */
export function trackedScale(
  context: Context,
  resource: Resource,
  old: KubeObject,
  live: KubeObject,
): Tracked {
  const path = replicasOf(resource);
  const owners = (old.metadata.managedFields ?? []).filter(({ fieldsV1 }) => has(fieldsV1, path));
  const managers = owners.map((entry) => entryOf(asWriter(entry, scaleVersion), single(inScale), entry.time));
  return {
    versions: { typeIn: () => scaleType, convert: (object) => object },
    live: live as unknown as JsonObject,
    managers: inOrder(managers, []),
    fitting: true,
    ignored: [],
    nowMs: context.clock.now(),
  };
}

/**
 * The owners of the fields of `old` after its Scale had `replicas`. Of replicas that nobody owned nobody becomes the
 * owner.
 */
export function ownersOfScaled(
  context: Context,
  resource: Resource,
  old: KubeObject,
  live: KubeObject,
  replicas: number,
): Managers {
  const before = old.metadata.managedFields ?? [];
  const tracked = trackedScale(context, resource, old, live);
  if (tracked.managers.length === 0) return before;
  // As Go writes it, a zero is not said.
  const spec: JsonObject = replicas === 0 ? {} : { replicas };
  const next = { ...tracked.live, spec };
  const writer = {
    manager: context.fieldManager,
    operation: "Update",
    apiVersion: scaleVersion,
    subresource: "scale",
  } as const;
  return ownersFromScale(resource, before, ownersAfterUpdate(tracked, next, writer));
}

/**
 * The owners of an object's fields, from those of its Scale.
 *
 * As kube-apiserver has it: an updater that keeps the replicas has an entry for them alone then, since it is another
 * writer of a Scale than of the object; no entry from the Scale has a time.
 */
export function ownersFromScale(resource: Resource, before: Managers, ofScale: Managers): Managers {
  const path = replicasOf(resource);
  const scaled = new Map(ofScale.map((entry) => [identityOf(entry), entry]));
  const owners: ManagedFieldsEntry[] = [];
  for (const entry of before) {
    const keeps = !has(entry.fieldsV1, path) || scaled.delete(identityOf(entry));
    const fields = keeps ? entry.fieldsV1 : difference(entry.fieldsV1, single(path));
    if (!isEmpty(fields)) owners.push(withFields(entry, fields));
  }
  for (const entry of scaled.values()) {
    if (!has(entry.fieldsV1, inScale)) continue;
    owners.push(entryOf(asWriter(entry, apiVersionOf(resource)), single(path), undefined));
  }
  return inOrder(owners, before);
}

function replicasOf({ scale: paths }: Resource): readonly string[] {
  return (paths?.specReplicas ?? []).map((name) => `f:${name}`);
}

function asWriter({ manager, operation, subresource = "" }: ManagedFieldsEntry, apiVersion: string) {
  return { manager, operation, subresource, apiVersion };
}
