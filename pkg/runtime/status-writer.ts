/** The one way controllers write status: only on what they read, and only when something changed. */
import type { Kinds } from "../api/generated.ts";
import { sameJson } from "../api/same-json.ts";
import { isConflict, isNotFound } from "../api/status-error.ts";
import type { Client, Kind } from "./client.ts";
import { TransientError } from "./errors.ts";

type WithStatus = { metadata: { name: string }; status?: object };
type StatusOf<K extends Kind> = Kinds[K] extends { status?: infer S } ? NonNullable<S> : never;

/**
 * Replaces `object`'s status by `status`, on the condition that nobody wrote the object since it was read. Fields set
 * to undefined are removed. Writes nothing when nothing changes.
 *
 * @returns the object as it is now; undefined when it is gone
 * @throws TransientError Conflict when somebody else wrote it: look again
 */
export async function writeStatus<K extends Kind>(
  client: Client,
  kind: K,
  object: Kinds[K],
  status: StatusOf<K>,
): Promise<Kinds[K] | undefined> {
  if (sameJson((object as WithStatus).status ?? {}, status)) return object;
  try {
    return await client.updateStatus(kind, { ...object, status } as Kinds[K]);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!isConflict(error)) throw error;
    throw new TransientError("Conflict", `${kind} ${object.metadata.name} was written by somebody else.`, {
      cause: error,
    });
  }
}
