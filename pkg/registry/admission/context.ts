import type { KubeObject, ObjectKey, ObjectMeta } from "../../api/meta.ts";
import type { Clock, Ids, Random } from "../../runtime/clock.ts";
import { type FieldError, invalid, rulesNotChecked } from "../field-error.ts";
import { isObject, type Json } from "../json.ts";
import { validateMetadata } from "../metadata.ts";
import type { Resource, ScaleSubresource } from "../resource.ts";
import { validateRules, validateSchema } from "../schema/validate.ts";
import type { Staging } from "../staging.ts";
import { badRequest, invalidObject } from "../status-errors.ts";

/** What admitting a write needs: the staged state and what a server gives objects. */
export interface Context {
  readonly staging: Staging;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  /** Names of the definitions that the server was started with. */
  readonly given: ReadonlySet<string>;
  /** Told what was pruned from the object; throws to refuse the write. */
  readonly onUnknownFields: ((paths: readonly string[]) => void) | undefined;
}

/** Tells of fields that decoding pruned. */
export function reportDropped({ onUnknownFields }: Context, dropped: readonly string[]): void {
  if (dropped.length > 0) onUnknownFields?.([...dropped].sort());
}

/** Refuses a body whose namespace or name is not the one addressed. An absent namespace means that one. */
export function checkAddress(resource: Resource, metadata: ObjectMeta, key: ObjectKey): void {
  if (resource.namespaced && metadata.namespace !== undefined && metadata.namespace !== key.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (metadata.name === "") {
    throw badRequest(
      `the name of the object (${key.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== key.name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${key.name})`,
    );
  }
}

/** Refuses what metadata, schema or rules find wrong with `object`, which takes the place of `old`. */
export function checkObject(resource: Resource, object: KubeObject, old: KubeObject | undefined): void {
  const { schema, scale, builtin } = resource;
  const metadataErrors = validateMetadata(object.metadata, old?.metadata, builtin?.nameFaults);
  if (builtin !== undefined) {
    const errors = [...metadataErrors, ...(builtin.validate?.(object, old) ?? [])];
    if (errors.length > 0) throw invalidObject(resource, object.metadata.name, distinct(errors));
    return;
  }
  const [value, before] = [subject(object), old === undefined ? undefined : subject(old)];
  const errors = [
    ...metadataErrors,
    ...validateSchema(schema, value, before),
    ...(scale === undefined ? [] : validateReplicas(scale, value)),
  ];
  // Rules are written for values of the right shape.
  if (!errors.some((error) => error.blocking)) errors.push(...validateRules(schema, value, before));
  else if (schema.rules !== undefined) errors.push(rulesNotChecked);
  if (errors.length > 0) throw invalidObject(resource, object.metadata.name, distinct(errors));
}

function validateReplicas(scale: ScaleSubresource, value: Json): FieldError[] {
  const replicas = scale.specReplicas.reduce<Json | undefined>(
    (found, part) => (isObject(found) ? found[part] : undefined),
    value,
  );
  if (typeof replicas !== "number" || replicas >= 0) return [];
  return [invalid(`.${scale.specReplicas.join(".")}`, replicas, "should be a non-negative integer")];
}

/** The object as schema and rules see it: of metadata only what never changes, as in Kubernetes. */
function subject(object: KubeObject): Json {
  const { name, generateName } = object.metadata;
  const metadata = generateName === undefined ? { name } : { name, generateName };
  return { ...object, metadata } as unknown as Json;
}

function distinct(errors: readonly FieldError[]): readonly FieldError[] {
  const seen = new Map(errors.map((error) => [`${error.field}: ${error.message}`, error]));
  return [...seen.values()];
}
