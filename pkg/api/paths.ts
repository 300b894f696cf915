/** Paths of Kubernetes' API. */
import type { KindInfo } from "./generated.ts";
import type { ObjectKey } from "./meta.ts";

/** What of a kind its paths are made of. */
export type Served = Pick<KindInfo, "group" | "version" | "plural">;

/** All objects of a kind, of a namespace or of all of them; parameters that are undefined are left out. */
export function collectionPath(
  { group, version, plural }: Served,
  namespace: string | undefined,
  query: Record<string, string | undefined> = {},
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return `${root}${within}/${plural}${search === "" ? "" : `?${search}`}`;
}

export function objectPath(served: Served, { namespace, name }: ObjectKey, subresource?: string): string {
  const suffix = subresource === undefined ? "" : `/${subresource}`;
  return `${collectionPath(served, namespace)}/${encodeURIComponent(name)}${suffix}`;
}
