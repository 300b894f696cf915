import type { Resource } from "../registry/resource.ts";

/** Which discovery document is asked for: no group means the list of groups. */
export interface DiscoveryPath {
  readonly legacy: boolean;
  readonly group?: string;
  readonly version?: string;
}

/** The discovery document at a path, in the form that every client understands; undefined when there is none. */
export function discover(
  resources: readonly Resource[],
  { legacy, group, version }: DiscoveryPath,
): object | undefined {
  if (group === undefined) {
    const names = new Set(resources.map((resource) => resource.group).filter((name) => name !== ""));
    const groups = [...names].map((name) => groupOf(resources, name));
    return { kind: "APIGroupList", apiVersion: "v1", groups };
  }
  const own = resources.filter((resource) => resource.group === group);
  if (version === undefined) {
    if (legacy) return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
    return own.length === 0
      ? undefined
      : { kind: "APIGroup", apiVersion: "v1", ...groupOf(resources, group) };
  }
  const served = own.filter((resource) => resource.version === version);
  if (served.length === 0) return undefined;
  const groupVersion = group === "" ? version : `${group}/${version}`;
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: served.flatMap(entries) };
}

function groupOf(resources: readonly Resource[], name: string): object {
  const own = resources.filter((resource) => resource.group === name);
  const versions = [...new Set(own.map((resource) => resource.version))].map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] };
}

const subresourceVerbs = ["get", "patch", "update"];

/** A resource and its subresources, as discovery lists them. */
function entries(resource: Resource): object[] {
  const { plural, kind, namespaced } = resource;
  const own = {
    name: plural,
    singularName: resource.singular,
    namespaced,
    kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
  };
  const found: object[] = [own];
  if (resource.scale !== undefined) {
    const scale = { group: "autoscaling", version: "v1", kind: "Scale", verbs: subresourceVerbs };
    found.push({ name: `${plural}/scale`, singularName: "", namespaced, ...scale });
  }
  if (resource.statusSubresource) {
    found.push({ name: `${plural}/status`, singularName: "", namespaced, kind, verbs: subresourceVerbs });
  }
  return found;
}
