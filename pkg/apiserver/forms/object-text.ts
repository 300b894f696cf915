import type { KubeObject } from "../../api/meta.ts";
import { writeJson } from "../../encoding/json.ts";

/** An object's JSON, made once: lists and the watches of all clients share it, as they share the object. */
export function objectText(object: KubeObject): string {
  return textOf(object, texts, writeJson);
}

/** The JSON of an item in a list of Kubernetes' own kinds, which do not repeat what they are. */
export function itemText(object: KubeObject): string {
  return textOf(object, itemTexts, ({ apiVersion: _apiVersion, kind: _kind, ...rest }) => writeJson(rest));
}

/** The JSON of an object's metadata alone. */
export function metadataText(object: KubeObject, version: string): string {
  const metadata = textOf(object, metadataTexts, () => writeJson(object.metadata));
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${metadata}}`;
}

const texts = new WeakMap<KubeObject, string>();
const itemTexts = new WeakMap<KubeObject, string>();
const metadataTexts = new WeakMap<KubeObject, string>();

function textOf(
  object: KubeObject,
  known: WeakMap<KubeObject, string>,
  write: (object: KubeObject) => string,
): string {
  let text = known.get(object);
  if (text === undefined) {
    text = write(object);
    known.set(object, text);
  }
  return text;
}
