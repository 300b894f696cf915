import type { Resource } from "../../registry/resource.ts";
import { type Group, type GroupVersion, groupsOf, storageVersionHash, subresourcesOf } from "./resources.ts";

/** Which discovery document is asked for: no group means the list of groups. */
export interface DiscoveryPath {
  readonly legacy: boolean;
  readonly group?: string;
  readonly version?: string;
}

/** The discovery document at a path, in the form that every client understands; undefined when there is none. */
export function discover(
  resources: readonly Resource[],
  { legacy, group: name, version }: DiscoveryPath,
): object | undefined {
  const groups = groupsOf(resources);
  if (name === undefined) {
    const named = groups.filter((group) => group.name !== "").map(groupEntry);
    return { kind: "APIGroupList", apiVersion: "v1", groups: named };
  }
  if (legacy && version === undefined) {
    return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  }
  const group = groups.find((candidate) => candidate.name === name);
  if (group === undefined) return undefined;
  if (version === undefined) return { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group) };
  const served = group.versions.find((candidate) => candidate.version === version);
  return served === undefined ? undefined : resourceList(group, served, resources);
}

function groupEntry({ name, versions }: Group): object {
  const entries = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

function resourceList(
  group: Group,
  { version, resources: served }: GroupVersion,
  all: readonly Resource[],
): object {
  const groupVersion = group.name === "" ? version : `${group.name}/${version}`;
  const resources = served.flatMap((resource) => entriesOf(resource, all));
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
}

/** A resource and its subresources, as discovery lists them. */
function entriesOf(resource: Resource, all: readonly Resource[]): object[] {
  const { plural, kind, namespaced, group, version } = resource;
  const hash = storageVersionHash(resource, all);
  const own = {
    name: plural,
    singularName: resource.singular,
    namespaced,
    kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    ...(hash === undefined ? {} : { storageVersionHash: hash }),
  };
  const parts = subresourcesOf(resource).map(({ name, kind: of, verbs }) => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced,
    ...(of.group === group && of.version === version ? {} : { group: of.group, version: of.version }),
    kind: of.kind,
    verbs,
  }));
  return [own, ...parts];
}
