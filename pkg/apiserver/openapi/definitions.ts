/**
 * The schemas of Kubernetes' own kinds and those that the documents of all kinds share, as Kubernetes publishes them
 * (their descriptions are what `kubectl explain` shows).
 *
 * @see k8s.io/apiextensions-apiserver, pkg/generated/openapi, from which definitions.json and the schemas of
 *   CustomResourceDefinitions were taken, and k8s.io/api, whose types and texts the others tell (all Apache-2.0)
 */
import type { JsonObject } from "../../registry/json.ts";
import builtinDefinitions from "./builtin-definitions.json" with { type: "json" };
import definitions from "./definitions.json" with { type: "json" };

export const metaPrefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";
export const scaleName = "io.k8s.api.autoscaling.v1.Scale";

/** By their names in a document. */
export const knownDefinitions: Readonly<Record<string, JsonObject>> = {
  ...definitions,
  ...builtinDefinitions,
};

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Kinds that every group and version has beside its own. */
const kindsOfAllGroups = ["DeleteOptions", "Status", "WatchEvent"];

/** The known schemas that `names` lead to, themselves included, said to belong to a group and version too. */
export function withDependencies(
  names: readonly string[],
  { group, version }: { group: string; version: string },
): Record<string, JsonObject> {
  const found: Record<string, JsonObject> = {};
  const wanted = [...names];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const schema = knownDefinitions[name];
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
