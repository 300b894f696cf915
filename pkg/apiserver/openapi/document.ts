import type { JsonObject } from "../../registry/json.ts";
import type { Resource } from "../../registry/resource.ts";
import { metaPrefix, scaleName, withDependencies } from "./definitions.ts";
import { kindSchema, listSchema, schemaName } from "./kind-schema.ts";
import { pathsOf } from "./paths.ts";

/** The OpenAPI v3 document of one group and version. `resources` are those of it, one at least. */
export function openApiDocument(resources: readonly [Resource, ...Resource[]]): JsonObject {
  const [{ group, version, builtin }] = resources;
  const paths: Record<string, JsonObject> = {};
  const schemas = withDependencies(
    [
      ...["ObjectMeta", "ListMeta", "DeleteOptions", "Status", "Patch"].map((name) => `${metaPrefix}${name}`),
      ...(builtin === undefined ? [] : [`${metaPrefix}WatchEvent`]),
      ...(resources.some(({ scale }) => scale !== undefined) ? [scaleName] : []),
      ...(builtin === undefined ? [] : resources.map((resource) => schemaName(resource, resource.kind))),
    ],
    { group, version },
  );
  for (const resource of resources) {
    Object.assign(paths, pathsOf(resource));
    schemas[schemaName(resource, resource.kind)] = kindSchema(resource);
    if (resource.verbs.includes("list"))
      schemas[schemaName(resource, resource.listKind)] = listSchema(resource);
  }
  return {
    openapi: "3.0.0",
    info: { title: builtin === undefined ? "Kubernetes CRD Swagger" : "Kubernetes", version: "v0.1.0" },
    paths: inOrder(paths),
    components: { schemas: inOrder(schemas) },
  };
}

function inOrder(entries: Readonly<Record<string, JsonObject>>): JsonObject {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
