import { isBuiltinGroup } from "../registry/builtin-resources.ts";
import type { Registry } from "../registry/registry.ts";
import { hasSubresource, type Resource, type Subresource } from "../registry/resource.ts";

/** What a path means. */
export type Route =
  | { readonly to: "root" | "version" | "metrics" | "nothing" }
  /** Within a group of Kubernetes' own, where kube-apiserver tells in JSON that nothing is there. */
  | { readonly to: "unknown" }
  /** A subresource that no custom resource has. */
  | { readonly to: "none beneath"; readonly resource: Resource; readonly name: string }
  /** `readyz`, or one check beneath it: `readyz/ping`. */
  | { readonly to: "health"; readonly path: string }
  /** `/api`, `/apis`, `/apis/GROUP`, `/apis/GROUP/VERSION` or `/api/v1`. */
  | { readonly to: "discovery"; readonly legacy: boolean; readonly group?: string; readonly version?: string }
  /** `v2`, `v3`, or `v3/PATH`: the document of a group and version. */
  | { readonly to: "openapi"; readonly path: string }
  | ResourceTarget;

/** A collection, an object, or a subresource of an object. */
export interface ResourceTarget {
  readonly to: "resource";
  readonly resource: Resource;
  /** Undefined: all namespaces, or a resource of the whole cluster. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: Subresource | undefined;
  /** By a path `/apis/GROUP/VERSION/watch/...`, as old clients ask for a watch of a collection or of one object. */
  readonly watch: boolean;
}

/** Finds what `path` means among the resources of the registry. */
export function route(registry: Registry, path: string): Route {
  const parts = segments(path);
  if (parts === undefined) return nothing;
  switch (parts[0]) {
    case "":
      return parts.length === 1 ? { to: "root" } : nothing;
    case "healthz":
    case "livez":
    case "readyz":
      return { to: "health", path: parts.join("/") };
    case "metrics":
      return parts.length === 1 ? { to: "metrics" } : nothing;
    case "version":
      return parts.length === 1 ? { to: "version" } : nothing;
    case "openapi":
      if (parts[1] !== "v3" && (parts[1] !== "v2" || parts.length > 2)) return nothing;
      return { to: "openapi", path: parts.slice(1).join("/") };
    case "api":
      return beneath(registry, "", parts.slice(1));
    case "apis":
      if (parts.length === 1) return { to: "discovery", legacy: false };
      return beneath(registry, parts[1] as string, parts.slice(2));
    default:
      return nothing;
  }
}

const nothing: Route = { to: "nothing" };

/** The decoded segments of a path; undefined when one is not valid. */
function segments(path: string): string[] | undefined {
  const parts = path.replace(/^\/+|\/+$/g, "").split("/");
  try {
    return parts.map(decodeURIComponent);
  } catch {
    // A `%` that encodes nothing: no such path.
    return undefined;
  }
}

function isSubresource(part: string | undefined): part is Subresource {
  return part === "status" || part === "scale" || part === "finalize";
}

/** The part of a path after the group: `VERSION/[namespaces/NAMESPACE/]PLURAL[/NAME[/SUBRESOURCE]]`. */
function beneath(registry: Registry, group: string, parts: readonly string[]): Route {
  const legacy = group === "";
  const [version, ...rest] = parts;
  if (version === undefined) return { to: "discovery", legacy, group };
  if (rest.length === 0) return { to: "discovery", legacy, group, version };
  const watch = rest[0] === "watch" && rest.length > 1;
  if (watch) rest.shift();
  const inNamespace = rest[0] === "namespaces" && rest.length > 2 && !isSubresource(rest[2]);
  const namespace = inNamespace ? rest[1] : undefined;
  const [plural, name, subresource, ...more] = inNamespace ? rest.slice(2) : rest;
  const missing: Route = isBuiltinGroup(legacy ? version : `${group}/${version}`)
    ? { to: "unknown" }
    : nothing;
  const resource = registry.resourceFor({ group, version, plural: plural ?? "" });
  if (resource === undefined || (resource.builtin !== undefined && more.length > 0)) return missing;
  if (resource.namespaced !== inNamespace && (inNamespace || name !== undefined)) return missing;
  if (subresource !== undefined && !isSubresource(subresource)) {
    return resource.builtin === undefined ? { to: "none beneath", resource, name: name ?? "" } : missing;
  }
  if (resource.builtin !== undefined && !hasSubresource(resource, subresource)) return missing;
  if (watch && subresource !== undefined) return missing;
  return { to: "resource", resource, namespace, name, subresource, watch };
}
