import { definitionResource } from "./builtin/definition.ts";
import { coreEventResource, eventResource } from "./builtin/event.ts";
import { leaseResource } from "./builtin/lease.ts";
import { namespaceResource } from "./builtin/namespace.ts";
import { reviewResources } from "./builtin/review.ts";
import type { Resource } from "./resource.ts";

/** The kinds of Kubernetes' own that are served beside custom resources: what controllers and kubectl need. */
export const builtinResources: readonly Resource[] = [
  namespaceResource,
  coreEventResource,
  leaseResource,
  definitionResource,
  eventResource,
  ...Object.values(reviewResources),
];
