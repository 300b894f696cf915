import { definitionResource } from "./builtin/definition.ts";
import { coreEventResource, eventResource } from "./builtin/event.ts";
import { leaseResource } from "./builtin/lease.ts";
import { namespaceResource } from "./builtin/namespace.ts";
import { reviewResources } from "./builtin/review.ts";
import { apiVersionOf, type Resource } from "./resource.ts";

/** The kinds of Kubernetes' own that are served beside custom resources: what controllers and kubectl need. */
export const builtinResources: readonly Resource[] = [
  namespaceResource,
  coreEventResource,
  leaseResource,
  definitionResource,
  eventResource,
  ...Object.values(reviewResources),
];

const kinds = new Set(builtinResources.map((resource) => `${apiVersionOf(resource)}/${resource.kind}`));

const groups = new Set(builtinResources.map(apiVersionOf));

/** Whether there are kinds of Kubernetes' own in a group and version: `coordination.k8s.io/v1`. */
export function isBuiltinGroup(groupVersion: string): boolean {
  return groups.has(groupVersion);
}

/** Whether this is one of them. */
export function isBuiltin(apiVersion: string, kind: string): boolean {
  return kinds.has(`${apiVersion}/${kind}`);
}
