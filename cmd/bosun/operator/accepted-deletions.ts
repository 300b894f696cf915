/** How `bosun accept-deletions` reaches the operator: a time, written onto the Workspace. It never gets into a file. */
import type { Change } from "../../../pkg/storage/storage.ts";

export const ACCEPTED_ANNOTATION = "bosun.dev/deletions-accepted-at";

/**
 * Calls `accept` once for each acceptance that is later than `sinceMs`; earlier ones were another operator's.
 *
 * @returns the way out
 */
export function onAcceptedDeletions(
  source: { subscribe(listener: (changes: readonly Change[]) => void): () => void },
  sinceMs: number,
  accept: () => void,
): () => void {
  let lastMs = sinceMs;
  return source.subscribe((changes) => {
    for (const { resource, object } of changes) {
      if (resource !== "bosun.dev/workspaces") continue;
      const acceptedMs = Date.parse(object?.metadata.annotations?.[ACCEPTED_ANNOTATION] ?? "");
      if (!(acceptedMs > lastMs)) continue;
      lastMs = acceptedMs;
      accept();
    }
  });
}
