/**
 * What of an object a person's file shows: kind, name, labels, annotations that are not machinery, and what differs
 * from the defaults. Never status, finalizers, ownerReferences or what the server sets.
 */
import type { KubeObject } from "../../api/meta.ts";
import { sameJson } from "../../api/same-json.ts";
import { isJsonMap, type JsonMap, own } from "./json.ts";

type Meaning = (object: KubeObject) => KubeObject;

/** What `document` should say so that it means `object`, where it does not mean that already. */
export function projectOnto(document: JsonMap, object: KubeObject, meaning: Meaning): JsonMap {
  const meant = shown(meaning(document as unknown as KubeObject));
  const wanted = shown(object);
  const metadata = isJsonMap(document.metadata) ? { ...document.metadata } : {};
  for (const field of ["labels", "annotations"] as const) {
    put(metadata, field, patched(metadata[field], meant[field], wanted[field]));
  }
  const projected: JsonMap = { ...document, metadata };
  for (const field of new Set([...Object.keys(meant.body), ...Object.keys(wanted.body)])) {
    put(projected, field, patched(own(document, field), own(meant.body, field), own(wanted.body, field)));
  }
  return projected;
}

/** A document for an object that no file has yet, without what the schema says by itself. */
export function newDocument(object: KubeObject, meaning: Meaning): JsonMap {
  const { labels, annotations, body } = shown(object);
  const metadata = {
    name: object.metadata.name,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  const document = structuredClone({ apiVersion: object.apiVersion, kind: object.kind, metadata, ...body });
  const whole = meaning(document as KubeObject);
  for (const field of Object.keys(body)) {
    dropDefaults(document as JsonMap, field, () => {
      try {
        return sameJson(meaning(document as KubeObject), whole);
      } catch {
        return false; // What can't be left out is no default.
      }
    });
  }
  return document;
}

function shown(object: KubeObject) {
  const { apiVersion: _a, kind: _k, metadata, status: _s, ...body } = object;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => !key.startsWith("kubectl.kubernetes.io/") && !key.startsWith("bosun.dev/"),
  );
  return {
    labels: { ...metadata.labels } as JsonMap,
    annotations: Object.fromEntries(annotations) as JsonMap,
    body: body as JsonMap,
  };
}

/** `source`, changed where `wanted` differs from what `source` means; undefined: not said at all. */
function patched(source: unknown, meant: unknown, wanted: unknown): unknown {
  if (sameJson(meant, wanted)) return source;
  if (
    isJsonMap(meant) &&
    isJsonMap(wanted) &&
    (source === undefined || source === null || isJsonMap(source))
  ) {
    const result: JsonMap = { ...source };
    for (const key of new Set([...Object.keys(meant), ...Object.keys(wanted)])) {
      put(result, key, patched(own(source ?? {}, key), own(meant, key), own(wanted, key)));
    }
    return Object.keys(result).length === 0 ? undefined : result;
  }
  if (
    Array.isArray(source) &&
    Array.isArray(meant) &&
    Array.isArray(wanted) &&
    source.length === meant.length
  ) {
    return patchedList(source, meant, wanted);
  }
  return wanted;
}

/** Items that mean the same keep their source, wherever they stand now. */
function patchedList(
  source: readonly unknown[],
  meant: readonly unknown[],
  wanted: readonly unknown[],
): unknown[] {
  return wanted.map((item, index) => {
    const same = [index, ...meant.keys()].find((at) => at < meant.length && sameJson(meant[at], item));
    if (same !== undefined) return source[same];
    return meant.length === wanted.length ? (patched(source[index], meant[index], item) ?? item) : item;
  });
}

/** Removes `parent[key]`, or what it can of it, as long as `isSame` holds. */
function dropDefaults(parent: JsonMap, key: string, isSame: () => boolean): void {
  const value = parent[key];
  const before = Object.keys(parent);
  delete parent[key];
  if (isSame()) return;
  parent[key] = value;
  // Put back where it stood.
  for (const later of before.slice(before.indexOf(key) + 1)) {
    const kept = parent[later];
    delete parent[later];
    parent[later] = kept;
  }
  const maps = Array.isArray(value) ? value.filter(isJsonMap) : isJsonMap(value) ? [value] : [];
  for (const map of maps) for (const inner of Object.keys(map)) dropDefaults(map, inner, isSame);
}

function put(map: JsonMap, key: string, value: unknown): void {
  if (value === undefined) delete map[key];
  else map[key] = value;
}
