import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import { invalid } from "../field-error.ts";
import { deepFreeze, isObject, type Json, type JsonObject } from "../json.ts";
import type { Resource, ScaleSubresource } from "../resource.ts";
import { badRequest, invalidObject, notFound } from "../status-errors.ts";
import type { Context } from "./context.ts";
import { applyPatch, type Patch, patch } from "./patch.ts";

/** The `autoscaling/v1` Scale of an object: what `kubectl scale` reads. Throws NotFound for a kind without. */
export function scaleOf(resource: Resource, object: KubeObject): KubeObject {
  const paths = pathsOf(resource, object.metadata.name);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.labelSelector === undefined ? undefined : read(object, paths.labelSelector);
  const replicas = read(object, paths.specReplicas);
  return deepFreeze({
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })),
    spec: typeof replicas === "number" && replicas !== 0 ? { replicas } : {},
    status: {
      replicas: read(object, paths.statusReplicas) ?? 0,
      ...(typeof selector === "string" && selector !== "" ? { selector } : {}),
    },
  });
}

/** Stages the replicas of a whole Scale. A resourceVersion in it is a precondition. */
export function updateScale(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  input: unknown,
): KubeObject {
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  if (!isObject(input) || input.kind !== "Scale")
    throw badRequest("the object provided must be an autoscaling/v1 Scale");
  return writeReplicas(context, resource, key, input);
}

/** Stages the replicas of a patched Scale. */
export function patchScale(context: Context, resource: Resource, key: ObjectKey, body: Patch): KubeObject {
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  return writeReplicas(
    context,
    resource,
    key,
    applyPatch(scaleOf(resource, old) as unknown as JsonObject, body),
  );
}

function writeReplicas(context: Context, resource: Resource, key: ObjectKey, scale: Json): KubeObject {
  const paths = pathsOf(resource, key.name);
  const replicas = read(scale, ["spec", "replicas"]) ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas)) {
    const of = { group: "autoscaling", plural: "scales", kind: "Scale" };
    throw invalidObject(of, key.name, [invalid("spec.replicas", replicas, "must be an integer")]);
  }
  const resourceVersion = read(scale, ["metadata", "resourceVersion"]);
  const spec = paths.specReplicas.reduceRight<Json>(
    (inner, part) => ({ [part]: inner }),
    replicas,
  ) as JsonObject;
  const metadata =
    typeof resourceVersion === "string" && resourceVersion !== "" ? { metadata: { resourceVersion } } : {};
  const next = patch(context, resource, key, { type: "merge", body: { ...spec, ...metadata } });
  return scaleOf(resource, next);
}

function pathsOf(resource: Resource, name: string): ScaleSubresource {
  if (resource.scale === undefined) throw notFound(resource, name);
  return resource.scale;
}

function read(value: unknown, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (found, part) => (isObject(found) ? found[part] : undefined),
    value as Json,
  );
}
