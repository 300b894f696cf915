import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { invalid } from "../field-error.ts";
import { copyJson, isObject, type Json, type JsonObject } from "../json.ts";
import { readMetadata } from "../metadata.ts";
import { apiVersionOf, type Resource } from "../resource.ts";
import { normalize } from "../schema/normalize.ts";
import { badRequest, invalidObject } from "../status-errors.ts";
import { readTyped } from "../typed/read.ts";

/** What a client sent, read as an object of one resource: pruned, defaulted, not yet validated. */
export interface Decoded {
  readonly metadata: ObjectMeta;
  /** `spec`, `status` and whatever else stands beside apiVersion, kind and metadata. */
  readonly body: JsonObject;
  /** Paths of unknown fields that were pruned. */
  readonly dropped: readonly string[];
}

/**
 * Reads `input` as an object of `resource`.
 *
 * @throws StatusError BadRequest or Invalid when it is none
 */
export function decode(resource: Resource, input: unknown): Decoded {
  const object = asJson(input);
  const expected = apiVersionOf(resource);
  if (typeof object.kind !== "string" || object.kind === "") {
    const shown = JSON.stringify(object);
    const short = shown.length > 32 ? `${shown.slice(0, 30)} ...` : shown;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): Object 'Kind' is missing in '${shown}' (${short})`,
    );
  }
  if (object.apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${object.apiVersion ?? ""}) does not match the expected API version (${expected})`,
    );
  }
  return decodeBody(resource, object);
}

/** Like `decode` for the result of a patch, where a changed apiVersion or kind is a change of the object. */
export function decodePatched(resource: Resource, input: unknown, name: string): Decoded {
  const object = asJson(input);
  const expected = apiVersionOf(resource);
  if (object.apiVersion !== expected) {
    throw invalidObject(resource, name, [
      invalid("apiVersion", object.apiVersion ?? "", `must be ${expected}`),
    ]);
  }
  return decodeBody(resource, object);
}

/** The object that `metadata` and `body` make. */
export function assemble(resource: Resource, metadata: ObjectMeta, body: JsonObject): KubeObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, ...body };
}

/** `body` without its status. */
export function withoutStatus(body: JsonObject): JsonObject {
  if (body.status === undefined) return body;
  const { status: _status, ...rest } = body;
  return rest;
}

function decodeBody(resource: Resource, object: JsonObject): Decoded {
  const { apiVersion: _apiVersion, kind, metadata: declared, ...rest } = object;
  const metadata = metadataOf(resource, declared);
  if (kind !== resource.kind) {
    const { group } = resource;
    const of = { group, plural: resource.plural, kind: String(kind) };
    throw invalidObject(of, metadata.name, [invalid("kind", kind, `must be ${resource.kind}`)]);
  }
  const dropped: string[] = [];
  return { metadata, body: bodyOf(resource, rest, dropped), dropped };
}

function bodyOf(resource: Resource, body: JsonObject, dropped: string[]): JsonObject {
  const { schema, builtin } = resource;
  if (builtin === undefined) return normalize(schema, body, "", dropped) as JsonObject;
  return reading(resource, () => readTyped(builtin.body, body, dropped));
}

function metadataOf(resource: Resource, declared: Json | undefined): ObjectMeta {
  return reading(resource, () => readMetadata(declared));
}

function reading<T>(resource: Resource, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${(error as Error).message}`,
    );
  }
}

function asJson(input: unknown): JsonObject {
  let json: Json;
  try {
    json = copyJson(input);
  } catch (error) {
    throw badRequest(`the object provided is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(json)) throw badRequest("the object provided is not a JSON object");
  return json;
}
