import type { Context } from "./context.ts";

/**
 * Warns of owners that were named twice.
 *
 * @param patched - whether they came by a patch, which kube-apiserver sees later than other writes
 */
export function warnOfDuplicateOwners({ warn }: Context, uids: readonly string[], patched = false): void {
  if (uids.length === 0) return;
  const when = patched ? " after mutating admission happens" : "";
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids.join(", ")}`,
  );
}
