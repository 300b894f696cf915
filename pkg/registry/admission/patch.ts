import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { goValue } from "../../encoding/go-format.ts";
import { writeJson } from "../../encoding/json.ts";
import { goJson } from "../go-json.ts";
import { copyJson, isObject, type Json, type JsonObject } from "../json.ts";
import { dedupOwners } from "../metadata.ts";
import { JsonPatchError, jsonPatch, maxJsonPatchOperations } from "../patch/json-patch.ts";
import { mergePatch } from "../patch/merge-patch.ts";
import { StrategicPatchError, strategicMergePatch } from "../patch/strategic-merge-patch.ts";
import type { Resource, Subresource } from "../resource.ts";
import {
  badRequest,
  invalidPatchResult,
  notFound,
  patchDidNotApply,
  tooLargeEntity,
} from "../status-errors.ts";
import { inGoOrder } from "../typed/go-order.ts";
import { objectMeta } from "../typed/kinds/meta.ts";
import type { StructType } from "../typed/types.ts";
import { conversionFault } from "../typed/unstructured.ts";
import { type Context, checkAddress, strictMessage, warnStrictly } from "./context.ts";
import { type Decoded, decodePatched } from "./decode.ts";
import { warnOfDuplicateOwners } from "./owners.ts";
import { checkRevision, type Replacing, replace } from "./update.ts";

/** A JSON merge patch (RFC 7386), a JSON patch (RFC 6902), or a strategic merge patch of Kubernetes' own kinds. */
export type Patch = { readonly type: "merge" | "json" | "strategic"; readonly body: unknown };

/** Stages an object, or its status, with a patch applied, and returns it as stored. */
export function patch(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  { type, body }: Patch,
  subresource?: Subresource,
): KubeObject {
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  const patched = applyPatch(context, old as unknown as JsonObject, { type, body }, resource.builtin?.type);
  const decoded = readPatched(
    context,
    () => {
      const fields = type === "strategic" ? resource.builtin?.type : undefined;
      const fault = fields === undefined ? undefined : conversionFault(fields, patched);
      if (fault !== undefined) throw new TypeError(fault);
      // What is stored in another version was read by another schema.
      return decodePatched(resource, patched, resource.view === undefined ? old : undefined);
    },
    // Of a strategic merge patch the errors show the patch, as Go prints it.
    () =>
      type === "strategic" ? goValue(body) : resultText(resource, patched, old as unknown as JsonObject),
  );
  return replacePatched(context, resource, key, old, decoded, { subresource });
}

/** Stages what a patch or an apply made of `old`, and returns it as stored. */
export function replacePatched(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  old: KubeObject,
  decoded: Decoded,
  replacing: Replacing,
): KubeObject {
  checkAddress(resource, decoded.metadata, key);
  const { metadata, duplicates } = dedupOwners(decoded.metadata);
  warnOfDuplicateOwners(context, duplicates, true);
  // Without one in the patch this is the object's own, and holds.
  checkRevision(resource, metadata.resourceVersion, old, false);
  return replace(context, resource, key, old, { ...decoded, metadata }, replacing);
}

/** The result of a patch as errors show it: what kube-apiserver's library touched has its keys in order. */
function resultText({ builtin }: Resource, patched: JsonObject, old: JsonObject): string {
  if (builtin === undefined) return goJson(patched);
  // Go writes the fields of its own kinds as their type lists them. What is frozen would be read as it stands.
  const { apiVersion, kind, metadata, ...body } = structuredClone(old);
  const inOrder = {
    ...{
      apiVersion: apiVersion ?? null,
      kind: kind ?? null,
      metadata: inGoOrder(objectMeta, metadata as JsonObject),
    },
    ...inGoOrder(builtin.body, body),
  };
  return textBeside(patched, old, inOrder);
}

function textBeside(value: Json, old: Json | undefined, inOrder: Json | undefined): string {
  if (inOrder !== undefined && value === old) return writeJson(inOrder);
  if (!isObject(value)) return writeJson(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => {
      const [before, ordered] = [
        isObject(old) ? old[key] : undefined,
        isObject(inOrder) ? inOrder[key] : undefined,
      ];
      return `${writeJson(key)}:${textBeside(value[key] as Json, before, ordered)}`;
    });
  return `{${entries.join(",")}}`;
}

/**
 * `target` patched.
 *
 * @param fields - what `target` is made of; a strategic merge patch needs it
 * @throws StatusError BadRequest, Invalid or RequestEntityTooLarge when the patch is none or does not apply
 */
export function applyPatch(
  context: Pick<Context, "fieldValidation">,
  target: JsonObject,
  { type, body }: Patch,
  fields?: StructType,
): JsonObject {
  let document: Json;
  try {
    document = copyJson(body);
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
  if (type === "strategic") return applyStrategicPatch(target, document, fields);
  const patched =
    type === "merge" ? mergePatch(target, asObject(document)) : applyJsonPatch(context, target, document);
  if (!isObject(patched)) throw patchDidNotApply();
  return patched;
}

/**
 * Reads the result of a patch; what strict decoding has against it, or against the patch, is told or refused.
 *
 * @param patchedText - the result as JSON
 */
export function readPatched<T extends Pick<Decoded, "strictErrors">>(
  context: Context,
  read: () => T,
  patchedText: () => string,
): T {
  let decoded: T;
  try {
    decoded = read();
  } catch (error) {
    if (error instanceof TypeError) throw invalidPatchResult(patchedText(), error.message);
    throw error;
  }
  const errors = [...context.strictErrors, ...decoded.strictErrors];
  if (errors.length === 0 || context.fieldValidation === "Ignore") return decoded;
  if (context.fieldValidation === "Strict") throw invalidPatchResult(patchedText(), strictMessage(errors));
  warnStrictly(context, errors);
  return decoded;
}

function applyStrategicPatch(target: JsonObject, document: Json, fields: StructType | undefined): JsonObject {
  if (document === null) return target;
  if (!isObject(document)) {
    throw badRequest(
      `json: cannot unmarshal ${goType(document)} into Go value of type map[string]interface {}`,
    );
  }
  if (fields === undefined) throw badRequest("strategic merge patch format is not supported");
  try {
    return strategicMergePatch(target, document, fields);
  } catch (error) {
    if (!(error instanceof StrategicPatchError)) throw error;
    throw error.badFormat ? badRequest(error.message) : new StatusError(500, "", error.message);
  }
}

function asObject(document: Json): JsonObject {
  if (isObject(document)) return document;
  if (document === null) throw badRequest("Invalid JSON Patch");
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${goType(document)} into Go value of type map[string]interface {}`,
  );
}

function applyJsonPatch(
  { fieldValidation }: Pick<Context, "fieldValidation">,
  target: JsonObject,
  document: Json,
): Json {
  if (!Array.isArray(document)) {
    const type = fieldValidation === "Ignore" ? "jsonpatch.Patch" : "[]handlers.jsonPatchOp";
    const prefix = fieldValidation === "Ignore" ? "" : "error decoding patch: ";
    throw badRequest(`${prefix}json: cannot unmarshal ${goType(document)} into Go value of type ${type}`);
  }
  if (fieldValidation !== "Ignore") for (const operation of document) checkOperation(operation);
  if (document.length > maxJsonPatchOperations) {
    throw tooLargeEntity(
      `The allowed maximum operations in a JSON patch is ${maxJsonPatchOperations}, got ${document.length}`,
    );
  }
  try {
    return jsonPatch(target, document);
  } catch (error) {
    if (error instanceof JsonPatchError) throw patchDidNotApply();
    throw error;
  }
}

function checkOperation(operation: Json): void {
  if (operation === null) return;
  if (!isObject(operation)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goType(operation)} into Go value of type handlers.jsonPatchOp`,
    );
  }
  for (const field of ["op", "path", "from"]) {
    const value = operation[field];
    if (value === undefined || value === null || typeof value === "string") continue;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goType(value)} into Go struct field jsonPatchOp.${field} of type string`,
    );
  }
}

/** What strict decoding has against the operations of a JSON patch: fields that none has. */
export function unknownOperationFields(document: unknown): readonly string[] {
  if (!Array.isArray(document)) return [];
  return document.flatMap((operation: unknown, i) =>
    isObject(operation)
      ? Object.keys(operation)
          .filter((key) => !["op", "path", "from", "value"].includes(key))
          .map((key) => `unknown field "[${i}].${key}"`)
      : [],
  );
}

function goType(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "bigint" ? "number" : typeof value;
}
