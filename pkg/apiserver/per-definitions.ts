import type { Resource } from "../registry/resource.ts";

/** `make` of the resources that are served, called anew only when they are others than the last time. */
export function perDefinitions<T>(
  make: (resources: readonly Resource[]) => T,
): (resources: readonly Resource[]) => T {
  let last: { readonly of: readonly Resource[]; readonly made: T } | undefined;
  return (resources) => {
    if (last === undefined || !isSame(last.of, resources)) last = { of: resources, made: make(resources) };
    return last.made;
  };
}

function isSame(a: readonly Resource[], b: readonly Resource[]): boolean {
  return a === b || (a.length === b.length && a.every((resource, at) => resource === b[at]));
}
