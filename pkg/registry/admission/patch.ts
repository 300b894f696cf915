import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import { invalid } from "../field-error.ts";
import { copyJson, isObject, type Json, type JsonObject } from "../json.ts";
import { JsonPatchError, jsonPatch, maxJsonPatchOperations } from "../patch/json-patch.ts";
import { mergePatch } from "../patch/merge-patch.ts";
import type { Resource, Subresource } from "../resource.ts";
import { badRequest, invalidObject, notFound, patchDidNotApply } from "../status-errors.ts";
import { type Context, checkAddress, reportDropped } from "./context.ts";
import { decodePatched } from "./decode.ts";
import { checkRevision, replace } from "./update.ts";

/** A JSON merge patch (RFC 7386) or a JSON patch (RFC 6902). */
export type Patch = { readonly type: "merge" | "json"; readonly body: unknown };

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
  const patched = applyPatch(old as unknown as JsonObject, { type, body });
  const decoded = decodePatched(resource, patched, key.name);
  reportDropped(context, decoded.dropped);
  checkAddress(resource, decoded.metadata, key);
  if (decoded.metadata.uid !== undefined && decoded.metadata.uid !== old.metadata.uid) {
    throw invalidObject(resource, key.name, [
      invalid("metadata.uid", decoded.metadata.uid, "field is immutable"),
    ]);
  }
  // Without one in the patch this is the object's own, and holds.
  checkRevision(resource, decoded.metadata.resourceVersion, old, false);
  return replace(context, resource, key, old, decoded, subresource);
}

/** `target` patched. Throws StatusError BadRequest or Invalid when the patch is none or does not apply. */
export function applyPatch(target: JsonObject, { type, body }: Patch): Json {
  let document: Json;
  try {
    document = copyJson(body);
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
  if (type === "merge") {
    if (!isObject(document)) {
      const found = Array.isArray(document) ? "array" : document === null ? "null" : typeof document;
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
      );
    }
    return mergePatch(target, document);
  }
  if (!Array.isArray(document)) {
    throw badRequest(
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    );
  }
  if (document.length > maxJsonPatchOperations) {
    throw badRequest(
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
