import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { checkRules } from "../cel/check-rules.ts";
import { type FieldError, isBlocking, rulesNotChecked } from "../field-error.ts";
import type { Json, JsonObject } from "../json.ts";
import { validateChangedMetadata, validateNewMetadata } from "../metadata.ts";
import type { Resource } from "../resource.ts";
import { validateSchema } from "../schema/check-schema.ts";
import { validateEmbedded } from "../schema/embedded-resources.ts";
import { validateListTypes } from "../schema/list-types.ts";
import { invalidObject } from "../status-errors.ts";
import type { Context } from "./context.ts";
import { validateScaleSpec, validateScaleStatus } from "./scale-paths.ts";

/** Refuses what metadata, schema or rules find wrong with a new object. */
export function checkNew(context: Context, resource: Resource, object: KubeObject): void {
  const { wholeFloats } = context;
  const { schema, builtin } = resource;
  const errors = validateNewMetadata(object.metadata, builtin?.nameFaults);
  if (builtin !== undefined) errors.push(...(builtin.validate?.(object, undefined) ?? []));
  else {
    const value = subject(object);
    errors.push(
      ...validateSchema(schema, value, undefined, { wholeFloats }),
      ...validateScaleSpec(resource, value, wholeFloats),
      ...validateScaleStatus(resource, value, wholeFloats),
      ...validateEmbedded(schema, bodyOf(object)),
      ...validateListTypes(schema, value),
    );
    errors.push(...ruleErrors(context, resource, value, undefined, errors));
  }
  refuse(resource, object, errors);
}

/**
 * Refuses what metadata, schema or rules find wrong with `object`, which takes the place of `old`.
 *
 * @param options.declared - the metadata that the client said
 * @param options.unchanged - whether both are equal. A schema may have come to refuse that, and a rule about the change
 *   may refuse that there is none
 */
export function checkChanged(
  context: Context,
  resource: Resource,
  object: KubeObject,
  old: KubeObject,
  { declared, unchanged }: { declared: ObjectMeta; unchanged: boolean },
): void {
  const { wholeFloats } = context;
  const { schema, builtin } = resource;
  const { common, own } = validateChangedMetadata(object.metadata, old.metadata, declared);
  if (builtin !== undefined) {
    if (unchanged && common.length === 0) return;
    refuse(resource, object, [...common, ...own, ...(builtin.validate?.(object, old) ?? [])]);
    return;
  }
  const [value, before] = [subject(object), subject(old)];
  const errors = [
    ...own,
    ...validateSchema(schema, value, before, { wholeFloats }),
    ...validateScaleSpec(resource, value, wholeFloats),
    ...validateScaleStatus(resource, value, wholeFloats),
    ...validateEmbedded(schema, bodyOf(object)),
    ...newListTypeErrors(resource, value, before),
  ];
  errors.push(...ruleErrors(context, resource, value, before, errors));
  refuse(resource, object, [...common, ...errors]);
}

/** Refuses what schema or rules find wrong with the status of `object`, which takes the place of that of `old`. */
export function checkStatus(context: Context, resource: Resource, object: KubeObject, old: KubeObject): void {
  const { wholeFloats } = context;
  const { schema, builtin } = resource;
  if (builtin !== undefined) {
    refuse(resource, object, builtin.validate?.(object, old) ?? []);
    return;
  }
  const [value, before] = [subject(object), subject(old)];
  const status = schema.properties.get("status");
  const errors: FieldError[] = [];
  if (status !== undefined && object.status !== undefined) {
    const options = { root: "status", wholeFloats: beneathStatus(wholeFloats) };
    errors.push(...validateSchema(status, object.status as Json, old.status as Json | undefined, options));
  }
  errors.push(
    ...validateScaleStatus(resource, value, wholeFloats),
    ...newListTypeErrors(resource, value, before),
  );
  errors.push(...ruleErrors(context, resource, value, before, errors));
  refuse(resource, object, errors);
}

/** Paths as the status has them. */
function beneathStatus(paths: ReadonlySet<string>): ReadonlySet<string> {
  return paths.size === 0 ? paths : new Set([...paths].map((path) => path.replace(/^status\./, "")));
}

/** Where the old object had faults of this kind, the new one may have any. */
function newListTypeErrors({ schema }: Resource, value: Json, before: Json): readonly FieldError[] {
  const errors = validateListTypes(schema, value, before);
  return errors.length > 0 && validateListTypes(schema, before).length > 0 ? [] : errors;
}

/** What the rules find wrong. What they let be, because it was so before, the client is told. */
function ruleErrors(
  { warn }: Context,
  { schema }: Resource,
  value: Json,
  before: Json | undefined,
  errors: readonly FieldError[],
): readonly FieldError[] {
  if (schema.rules === undefined) return [];
  if (errors.some(isBlocking)) return [rulesNotChecked];
  const found = checkRules(schema.rules, value, before);
  for (const { field, message } of found.warnings) warn(`${field}: ${message}`);
  return found.errors;
}

function refuse(resource: Resource, object: KubeObject, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(resource, object.metadata.name, errors);
}

/** The object as schema and rules see it: of metadata only what never changes, as in Kubernetes. */
function subject(object: KubeObject): JsonObject {
  const { name, generateName } = object.metadata;
  const metadata = generateName === undefined ? { name } : { name, generateName };
  return { ...object, metadata } as unknown as JsonObject;
}

function bodyOf(object: KubeObject): JsonObject {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...body } = object;
  return body as unknown as JsonObject;
}
