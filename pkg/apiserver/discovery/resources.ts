import { createHash } from "node:crypto";
import { compareVersions } from "../../registry/definitions/version-order.ts";
import type { Resource } from "../../registry/resource.ts";

/** A group and its versions, each with its resources, in the order in which discovery names them. */
export interface Group {
  /** Empty for the core group. */
  readonly name: string;
  readonly versions: readonly GroupVersion[];
}

export interface GroupVersion {
  readonly version: string;
  readonly resources: readonly Resource[];
}

/** One part of an object that is served apart. */
export interface ServedSubresource {
  readonly name: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly string[];
}

/** Kubernetes' own groups by their priority; those of custom resources follow by name. */
const ownGroups = [
  "",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "apiextensions.k8s.io",
  "coordination.k8s.io",
];

export function groupsOf(resources: readonly Resource[]): readonly Group[] {
  const names = [...new Set(resources.map(({ group }) => group))].sort(
    (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1),
  );
  return names.map((name) => {
    const own = resources.filter(({ group }) => group === name);
    const versions = [...new Set(own.map(({ version }) => version))].sort(compareVersions);
    return {
      name,
      versions: versions.map((version) => ({
        version,
        resources: own
          .filter((resource) => resource.version === version)
          .sort((a, b) => (a.plural < b.plural ? -1 : 1)),
      })),
    };
  });
}

/** In the order of their names. */
export function subresourcesOf(resource: Resource): readonly ServedSubresource[] {
  const { group, version, kind } = resource;
  const own = { group, version, kind };
  const verbs = ["get", "patch", "update"];
  const found: ServedSubresource[] = [];
  if (resource.builtin?.held !== undefined) found.push({ name: "finalize", kind: own, verbs: ["update"] });
  if (resource.scale !== undefined) {
    found.push({ name: "scale", kind: { group: "autoscaling", version: "v1", kind: "Scale" }, verbs });
  }
  if (resource.statusSubresource) found.push({ name: "status", kind: own, verbs });
  return found;
}

/**
 * What tells whether objects are stored in another version than before; undefined for what is not stored. Views of one
 * store have the same.
 */
export function storageVersionHash(resource: Resource, resources: readonly Resource[]): string | undefined {
  if (!resource.verbs.includes("get")) return undefined;
  const stored = resources.find(({ id }) => id === resource.store) ?? resource;
  const text = `${stored.group}/${stored.version}/${stored.kind}`;
  return createHash("sha256").update(text).digest().subarray(0, 8).toString("base64");
}

function rank(group: string): number {
  const at = ownGroups.indexOf(group);
  return at < 0 ? ownGroups.length : at;
}
