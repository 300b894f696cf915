import type { Resource } from "../../registry/resource.ts";
import type { Transformation } from "../negotiation.ts";
import { groupsOf, subresourcesOf } from "./resources.ts";

/** Whether discovery is offered in this form. */
export function isAggregated({ group, version, kind }: Transformation): boolean {
  return (
    group === "apidiscovery.k8s.io" &&
    (version === "v2" || version === "v2beta1") &&
    kind === "APIGroupDiscoveryList"
  );
}

/**
 * All groups, versions and resources in one document.
 *
 * @param core - the core group alone, as `/api` has it; else all others, as `/apis` has them
 * @param version - of apidiscovery.k8s.io: v2 or v2beta1
 */
export function aggregatedDiscovery(
  resources: readonly Resource[],
  { core, version }: { core: boolean; version: string },
): object {
  const groups = groupsOf(resources).filter(({ name }) => (name === "") === core);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === "" ? {} : { name },
      versions: versions.map((served) => ({
        version: served.version,
        resources: served.resources.map(entry),
        freshness: "Current",
      })),
    })),
  };
}

function entry(resource: Resource): object {
  const { group, version, kind } = resource;
  const parts = subresourcesOf(resource).map(({ name, kind: responseKind, verbs }) => ({
    subresource: name,
    responseKind,
    verbs,
  }));
  return {
    resource: resource.plural,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    ...(parts.length === 0 ? {} : { subresources: parts }),
  };
}
