/**
 * The schemas that the documents of all kinds share, as Kubernetes publishes them (their descriptions are what
 * `kubectl explain` shows of an object's metadata).
 *
 * @see k8s.io/apiextensions-apiserver, pkg/generated/openapi (Apache-2.0), from which definitions.json was taken
 */
import type { JsonObject } from "../../registry/json.ts";
import definitions from "./definitions.json" with { type: "json" };

export const metaPrefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";
export const scaleName = "io.k8s.api.autoscaling.v1.Scale";

/** By their names in a document. */
export const sharedDefinitions: Readonly<Record<string, JsonObject>> = definitions;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Kinds that every group and version has beside its own. */
const kindsOfAllGroups = ["DeleteOptions", "Status", "WatchEvent"];

/** The shared schemas that `names` lead to, themselves included, said to belong to a group and version too. */
export function withDependencies(
  names: readonly string[],
  { group, version }: { group: string; version: string },
): Record<string, JsonObject> {
  const found: Record<string, JsonObject> = {};
  const wanted = [...names];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const schema = sharedDefinitions[name];
    if (schema === undefined || Object.hasOwn(found, name)) continue;
    const kind = name.slice(name.lastIndexOf(".") + 1);
    found[name] = kindsOfAllGroups.includes(kind)
      ? {
          ...schema,
          ...kindsExtension([
            { group: "", version: "v1", kind },
            { group, version, kind },
          ]),
        }
      : name === scaleName
        ? { ...schema, ...kindsExtension([{ group: "autoscaling", version: "v1", kind }]) }
        : schema;
    for (const [, reference] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      wanted.push(reference as string);
    }
  }
  return found;
}

/** Says of a schema which kinds it is of, each once. */
export function kindsExtension(kinds: readonly GroupVersionKind[]): JsonObject {
  const distinct = new Map(
    kinds.map(({ group, version, kind }) => [`${group}/${version}`, { group, kind, version }]),
  );
  return { "x-kubernetes-group-version-kind": [...distinct.values()] };
}

export function reference(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}
