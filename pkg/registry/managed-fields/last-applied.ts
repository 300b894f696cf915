import { parseJson } from "../../encoding/json.ts";
import { goJson } from "../go-json.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { checkType } from "./check.ts";
import { compare } from "./compare.ts";
import { difference, type FieldSet, none, union } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { FieldTypeError } from "./field-type-error.ts";
import { fieldsOfValue } from "./fields-of-value.ts";

/** Where `kubectl apply` keeps what it applied, when it applies from its own side. */
const annotation = "kubectl.kubernetes.io/last-applied-configuration";
/** All annotations of an object together. */
const maxAnnotationBytes = 256 * 1024;

/**
 * The fields that `kubectl apply` set from its own side and that still have those values: kubectl may take them over when
 * it begins to apply on the server. None without such an annotation, or with one that makes no sense.
 */
export function lastAppliedFields(type: FieldType, live: JsonObject): FieldSet {
  try {
    const text = annotationsOf(live)[annotation];
    if (typeof text !== "string" || text === "") return none;
    const config = parseJson(text).value;
    if (!isObject(config) || config.apiVersion !== live.apiVersion) return none;
    checkType(type, live, { duplicates: false });
    checkType(type, config, { duplicates: false });
    const { changed, removed } = compare(type, config, live);
    return difference(fieldsOfValue(type, config), union(changed, removed));
  } catch (error) {
    if (error instanceof FieldTypeError || error instanceof SyntaxError) return none;
    throw error;
  }
}

/** `object` with that annotation, where it has one, saying `config`. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const { metadata } = object;
  const annotations = annotationsOf(object);
  if (!isObject(metadata) || !annotations[annotation]) return object;
  const next: Record<string, Json> = { ...annotations, [annotation]: textOf(config) };
  if (bytesOf(next) > maxAnnotationBytes) delete next[annotation];
  return { ...object, metadata: { ...metadata, annotations: next } };
}

/** As Go's encoder writes it, with a line's end. */
function textOf(config: JsonObject): string {
  const { metadata } = config;
  const annotations = annotationsOf(config);
  if (!isObject(metadata) || annotations[annotation] === undefined) return `${goJson(config)}\n`;
  const { [annotation]: _last, ...others } = annotations;
  return `${goJson({ ...config, metadata: { ...metadata, annotations: others } })}\n`;
}

function annotationsOf({ metadata }: JsonObject): JsonObject {
  const annotations = isObject(metadata) ? metadata.annotations : undefined;
  return isObject(annotations) ? annotations : {};
}

function bytesOf(annotations: JsonObject): number {
  return Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  );
}
