import type { KubeObject, ObjectMeta } from "../../api/meta.ts";
import { writeJson } from "../../encoding/json.ts";
import { isBuiltin } from "../builtin-resources.ts";
import { invalid } from "../field-error.ts";
import { copyJson, isObject, type Json, type JsonObject } from "../json.ts";
import { readMetadata } from "../metadata.ts";
import { apiVersionOf, type Resource, type Sent } from "../resource.ts";
import { normalize } from "../schema/normalize.ts";
import { badRequest, invalidObject } from "../status-errors.ts";
import { readTyped } from "../typed/read.ts";
import type { Strictness } from "./context.ts";

/** What a client sent, read as an object of one resource: pruned, defaulted, not yet validated. */
export interface Decoded {
  /** As the client says it: perhaps another than the resource's, see `checkVersion` and `checkKind`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  /** `spec`, `status` and whatever else stands beside apiVersion, kind and metadata. */
  readonly body: JsonObject;
  /** What strict decoding has against it: `unknown field "spec.bogus"`. */
  readonly strictErrors: readonly string[];
}

/**
 * Reads `input` as an object of `resource`.
 *
 * @param strictness - what is known of it as text
 * @param old - the object as it is stored: parts that the client sends back as it got them are not read again
 * @throws StatusError BadRequest when it is no object at all
 */
export function decode(
  resource: Resource,
  input: unknown,
  { strictErrors = [], bodyText }: Partial<Strictness> = {},
  old?: KubeObject,
): Decoded {
  const object = known(resource, asJson(resource, input, bodyText, old));
  const { kind } = object;
  if (typeof kind !== "string" || kind === "") {
    const shown = bodyText ?? writeJson(object);
    throw unrecognized(resource, `Object 'Kind' is missing in '${shown}' (${summary(shown)})`);
  }
  try {
    const before = old as unknown as JsonObject | undefined;
    // What `asJson` copied is nobody else's.
    return read(resource, object, kind, { strictErrors, old: before, isOwn: true });
  } catch (error) {
    if (error instanceof TypeError) throw notHandled(resource, object, error.message);
    throw error;
  }
}

/** Of Kubernetes' own kinds what it is may go unsaid, but it must be one of them. */
function known(resource: Resource, object: JsonObject): JsonObject {
  if (resource.builtin === undefined) return object;
  const said = {
    ...object,
    apiVersion: object.apiVersion || apiVersionOf(resource),
    kind: object.kind || resource.kind,
  };
  const { apiVersion, kind } = said;
  if (isBuiltin(String(apiVersion), String(kind))) return said;
  const scheme =
    resource.group === "apiextensions.k8s.io"
      ? "k8s.io/apiextensions-apiserver/pkg/apiserver/apiserver.go:53"
      : "pkg/api/legacyscheme/scheme.go:30";
  const why = `no kind "${kind}" is registered for version "${apiVersion}" in scheme "${scheme}"`;
  throw notHandled(resource, said, why);
}

/**
 * Like `decode` for what a server made itself: the result of a patch, or what is stored.
 *
 * @throws TypeError in Go's words when metadata or a field of a kind of Kubernetes' own has the wrong type
 */
export function decodePatched(resource: Resource, object: JsonObject, old?: KubeObject): Decoded {
  const before = old as unknown as JsonObject | undefined;
  return read(resource, object, String(object.kind ?? ""), { strictErrors: [], old: before, isOwn: false });
}

/** Refuses an object of another version than the one addressed. */
export function checkVersion(resource: Resource, { apiVersion }: Decoded): void {
  const expected = apiVersionOf(resource);
  if (apiVersion === expected) return;
  throw badRequest(
    `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
  );
}

/** Refuses an object of another kind or version than the one addressed, as a fault of the object. */
export function checkKind(resource: Resource, { apiVersion, kind, metadata }: Decoded): void {
  const expected = apiVersionOf(resource);
  const errors = [
    ...(kind === resource.kind ? [] : [invalid("kind", kind, `must be ${resource.kind}`)]),
    ...(apiVersion === expected ? [] : [invalid("apiVersion", apiVersion, `must be ${expected}`)]),
  ];
  if (errors.length > 0) throw invalidObject({ ...resource, kind }, metadata.name, errors);
}

/** `KIND in version "VERSION" cannot be handled as a KIND: WHY` */
export function notHandled(
  resource: Pick<Resource, "kind">,
  { apiVersion, kind }: { readonly apiVersion?: Json; readonly kind?: Json },
  why: string,
): Error {
  const version = String(apiVersion ?? "").replace(/^.*\//, "");
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${resource.kind}: ${why}`);
}

/** The error for a body that is no object of any kind. */
export function unrecognized({ kind }: Pick<Resource, "kind">, why: string): Error {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`);
}

/** The beginning of a body, as errors show it. */
export function summary(body: string | Buffer): string {
  const bytes = Buffer.from(body);
  if (bytes.length === 0) return "<empty>";
  if (bytes[0] === 0x7b) {
    const text = bytes.toString("utf8");
    return text.length > 30 ? `${text.slice(0, 30)} ...` : text;
  }
  return bytes.length > 30 ? `${bytes.subarray(0, 30).toString("hex")} ...` : bytes.toString("hex");
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

interface Reading {
  strictErrors: readonly string[];
  /** The object as it is stored. */
  old: JsonObject | undefined;
  /** Nobody else has the object that is read: its parts may become those of what is stored. */
  isOwn: boolean;
}

function read(
  resource: Resource,
  object: JsonObject,
  kind: string,
  { strictErrors, old, isOwn }: Reading,
): Decoded {
  const { apiVersion, kind: _kind, metadata: declared, ...rest } = object;
  const unknown: string[] = [];
  const metadata = metadataOf(resource, declared, unknown, old?.metadata);
  const version = typeof apiVersion === "string" ? apiVersion : "";
  const body = readBody(resource, { version, kind }, rest, unknown, { old, isOwn });
  const errors = [...strictErrors, ...unknown.map((path) => `unknown field "${path}"`)];
  const { metadata: complete, body: completeBody } = withDefaults(resource, kind, { metadata, body });
  return { apiVersion: version, kind, metadata: complete, body: completeBody, strictErrors: errors };
}

/** Go reads the metadata of its own kinds with the rest, and that of custom resources alone: errors tell the place. */
function metadataOf(
  { kind, builtin }: Resource,
  declared: Json | undefined,
  unknown: string[],
  old: Json | undefined,
): ObjectMeta {
  try {
    return readMetadata(declared, unknown, old);
  } catch (error) {
    if (!(error instanceof TypeError) || builtin === undefined) throw error;
    const { message } = error;
    throw new TypeError(
      message
        .replace(/Go struct field (\w+)\./, "Go struct field $1.metadata.")
        .replace("into Go value of type", `into Go struct field ${kind}.metadata of type`),
    );
  }
}

function withDefaults({ kind, builtin }: Resource, sent: string, read: Sent): Sent {
  return (sent === kind ? builtin?.defaults?.(read) : undefined) ?? read;
}

/**
 * An object of another kind stays as it is. One of another version is read as that version has it, and loses everything
 * where there is no such version.
 */
function readBody(
  resource: Resource,
  { version, kind }: { version: string; kind: string },
  body: JsonObject,
  unknown: string[],
  { old, isOwn }: Pick<Reading, "old" | "isOwn">,
): JsonObject {
  const group = version.includes("/") ? version.slice(0, version.indexOf("/")) : "";
  if (kind !== resource.kind || group !== resource.group) return body;
  const same = version === apiVersionOf(resource);
  const schema = same ? resource.schema : resource.schemaIn?.(version);
  if (schema === undefined) {
    unknown.push(...Object.keys(body).sort());
    return {};
  }
  const dropped: string[] = [];
  const { builtin } = resource;
  if (builtin !== undefined) {
    const typed = readTyped(builtin.body, body, dropped);
    unknown.push(...dropped.sort());
    return typed;
  }
  const embedded: string[] = [];
  const before = same ? old : undefined;
  const normalized = normalize(schema, body, "", { dropped, embedded }, before, isOwn) as JsonObject;
  unknown.push(...dropped.sort(), ...embedded.sort());
  return normalized;
}

function asJson(
  resource: Resource,
  input: unknown,
  bodyText: string | undefined,
  old: KubeObject | undefined,
): JsonObject {
  let json: Json;
  try {
    json = copyJson(input, old);
  } catch (error) {
    throw badRequest(`the object provided is not JSON: ${(error as Error).message}`);
  }
  const why = typeFault(json);
  if (why !== undefined) throw unrecognized(resource, `${why} (${summary(bodyText ?? writeJson(json))})`);
  return isObject(json) ? json : {};
}

/** Why a body does not tell what it is, which Go reads before the rest. */
export function typeFault(json: Json): string | undefined {
  const problem = isObject(json) ? fieldProblem(json) : json === null ? undefined : mismatch(json);
  if (problem === undefined) return undefined;
  return `couldn't get version/kind; json parse error: json: cannot unmarshal ${problem}`;
}

function mismatch(json: Json): string {
  const struct =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  return `${goType(json)} into Go value of type ${struct}`;
}

function fieldProblem(object: JsonObject): string | undefined {
  for (const field of ["apiVersion", "kind"]) {
    const value = object[field];
    if (value === undefined || value === null || typeof value === "string") continue;
    return `${goType(value)} into Go struct field .${field} of type string`;
  }
  return undefined;
}

function goType(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "bigint" ? "number" : typeof value;
}
