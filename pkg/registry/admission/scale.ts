import type { KubeObject, ObjectKey, ObjectMeta } from "../../api/meta.ts";
import { writeJson } from "../../encoding/json.ts";
import { copyJson, deepFreeze, isObject, type Json, type JsonObject } from "../json.ts";
import type { Resource, ScaleSubresource } from "../resource.ts";
import { badRequest, notFound } from "../status-errors.ts";
import { scale as scaleType } from "../typed/kinds/autoscaling.ts";
import { readTyped } from "../typed/read.ts";
import { type Context, checkAddress, strictMessage, warnStrictly } from "./context.ts";
import { unrecognized } from "./decode.ts";
import { applyPatch, type Patch, readPatched } from "./patch.ts";
import { ownersOfScaled } from "./scale-owners.ts";
import { checkRevision, checkUid, replace } from "./update.ts";

const apiVersion = "autoscaling/v1";
const kind = "Scale";

/** An `autoscaling/v1` Scale, read from what a client sent. */
interface Scale {
  readonly metadata: ObjectMeta;
  readonly replicas: number;
  readonly strictErrors: readonly string[];
}

/** The `autoscaling/v1` Scale of an object: what `kubectl scale` reads. Throws NotFound for a kind without. */
export function scaleOf(resource: Resource, object: KubeObject): KubeObject {
  const paths = pathsOf(resource, object.metadata.name);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.labelSelector === undefined ? undefined : valueAt(object, paths.labelSelector);
  const replicas = valueAt(object, paths.specReplicas);
  return deepFreeze({
    apiVersion,
    kind,
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })),
    spec: typeof replicas === "number" && replicas !== 0 ? { replicas } : {},
    status: {
      replicas: valueAt(object, paths.statusReplicas) ?? 0,
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
  const scale = readScale(context, input);
  checkAddress(resource, scale.metadata, key);
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  checkUid(resource, scale.metadata, old);
  return writeReplicas(context, resource, key, old, scale);
}

/** Stages the replicas of a patched Scale. */
export function patchScale(context: Context, resource: Resource, key: ObjectKey, body: Patch): KubeObject {
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  const { specReplicas } = pathsOf(resource, key.name);
  const before = scaleOf(resource, old) as unknown as JsonObject;
  const unset = valueAt(old, specReplicas) === undefined;
  const patched = applyPatch(
    context,
    unset ? { ...before, spec: { replicas: unsetReplicas } } : before,
    body,
  );
  const scale = readPatched(
    context,
    () => decodeScale(patched),
    () => writeJson(patched),
  );
  checkAddress(resource, scale.metadata, key);
  if (scale.replicas === unsetReplicas) {
    throw badRequest(`the spec replicas field ".${specReplicas.join(".")}" cannot be empty`);
  }
  return writeReplicas(context, resource, key, old, scale);
}

/** Stands for replicas that the object does not have while its Scale is patched. */
const unsetReplicas = -(2 ** 31);

function readScale(context: Context, input: unknown): Scale {
  const object = copyJson(input);
  if (!isObject(object)) throw unrecognized({ kind }, "couldn't get version/kind; json parse error");
  const said = { apiVersion: object.apiVersion || apiVersion, kind: object.kind || kind };
  const version = String(said.apiVersion).replace(/^.*\//, "");
  const notHandled = (why: string) =>
    badRequest(`${said.kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  if (said.kind !== kind || said.apiVersion !== apiVersion) {
    const scheme = "k8s.io/apiextensions-apiserver/pkg/apiserver/apiserver.go";
    throw notHandled(
      `no kind "${said.kind}" is registered for version "${said.apiVersion}" in scheme "${scheme}"`,
    );
  }
  const scale = decoding(() => decodeScale(object), notHandled);
  const errors = [...context.strictErrors, ...scale.strictErrors];
  if (errors.length === 0 || context.fieldValidation === "Ignore") return scale;
  if (context.fieldValidation === "Strict") throw notHandled(strictMessage(errors));
  warnStrictly(context, errors);
  return scale;
}

function decoding<T>(decode: () => T, refusal: (why: string) => Error): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof TypeError ? refusal(error.message) : error;
  }
}

function decodeScale({ apiVersion: _apiVersion, kind: _kind, ...body }: JsonObject): Scale {
  const dropped: string[] = [];
  const { metadata, spec } = readTyped(scaleType, body, dropped);
  return {
    metadata: { name: "", ...(metadata as JsonObject) },
    replicas: (valueAt(spec, ["replicas"]) as number | undefined) ?? 0,
    strictErrors: dropped.map((path) => `unknown field "${path}"`),
  };
}

function writeReplicas(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  old: KubeObject,
  { replicas, metadata }: Scale,
): KubeObject {
  const { apiVersion, kind, metadata: oldMetadata, ...body } = old as unknown as JsonObject & KubeObject;
  if (metadata.resourceVersion !== undefined) checkRevision(resource, metadata.resourceVersion, old, false);
  const next = withValue(body as JsonObject, pathsOf(resource, key.name).specReplicas, replicas);
  const decoded = { apiVersion, kind, metadata: oldMetadata, body: next, strictErrors: [] };
  const owners = ownersOfScaled(context, resource, old, scaleOf(resource, old), replicas);
  const replacing = { subresource: "scale", owners } as const;
  return scaleOf(resource, replace(context, resource, key, old, decoded, replacing));
}

function withValue(object: JsonObject, [step, ...rest]: readonly string[], value: Json): JsonObject {
  if (step === undefined) return object;
  const inner = object[step];
  return {
    ...object,
    [step]: rest.length === 0 ? value : withValue(isObject(inner) ? inner : {}, rest, value),
  };
}

function pathsOf(resource: Resource, name: string): ScaleSubresource {
  if (resource.scale === undefined) throw notFound(resource, name);
  return resource.scale;
}

function valueAt(value: unknown, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (found, part) => (isObject(found) ? found[part] : undefined),
    value as Json,
  );
}
