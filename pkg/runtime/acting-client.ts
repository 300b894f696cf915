import type { Client } from "./client.ts";
import { TransientError } from "./errors.ts";

/**
 * `client`, whose writes are made only while `mayAct` says so: whoever lost the right to act, or can't know, writes
 * nothing. Reads are everybody's.
 *
 * Its writes throw TransientError `NotLeading` when they may not be made.
 */
export function actingClient(client: Client, mayAct: () => boolean): Client {
  const acting = async <T>(write: () => Promise<T>): Promise<T> => {
    if (!mayAct())
      throw new TransientError("NotLeading", "This operator does not hold the Lease, so it writes nothing.");
    return await write();
  };
  return {
    get: (kind, key) => client.get(kind, key),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object) => acting(() => client.create(kind, object)),
    update: (kind, object) => acting(() => client.update(kind, object)),
    updateStatus: (kind, object) => acting(() => client.updateStatus(kind, object)),
    patch: (kind, key, patch, options) => acting(() => client.patch(kind, key, patch, options)),
    delete: (kind, key, options) => acting(() => client.delete(kind, key, options)),
  };
}
