/** The controllers, while this operator may act: in file mode always, in a cluster as long as it holds the Lease. */
import { aborted } from "../../../pkg/runtime/aborted.ts";
import type { Client } from "../../../pkg/runtime/client.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import type { Manager } from "../../../pkg/runtime/manager.ts";

/** The right to act. */
export interface Right {
  /** Aborts when this operator may not act any more. */
  readonly lost: AbortSignal;
  /** Resolves with the next right, however long that takes. @throws `signal.reason` when aborted */
  regain(signal: AbortSignal): Promise<Right>;
}

export interface Acting {
  /** Reads from the caches of the controllers; while none runs, from the API. */
  readonly reads: Pick<Client, "get" | "list">;
  /** Resolves when no controller runs, and none will. */
  stop(): Promise<void>;
}

/**
 * Starts the controllers, and again with new caches each time that the right to act was lost and came back. Sessions
 * and the gateway are not theirs: those go on meanwhile, within what they were granted.
 *
 * @param right - absent: it can't be lost
 * @param signal - in a cluster, ends the wait for the first caches
 * @throws `signal.reason` when it is aborted before they hold anything
 */
export async function keepActing(
  newManager: () => Manager,
  { right, signal, logger }: { right: Right | undefined; signal: AbortSignal; logger: Logger },
): Promise<Acting> {
  const stopping = new AbortController();
  let manager = newManager();
  // In file mode they hold everything at once, and a start that is interrupted ends in order.
  await Promise.race([manager.start(), ...(right === undefined ? [] : [aborted(signal)])]);
  if (right !== undefined && signal.aborted) {
    await manager.stop();
    throw signal.reason;
  }

  let hasRight = true;
  // At an end the sessions' last turns may take minutes, in which nothing fills a cache.
  const isActing = (): boolean => hasRight && !stopping.signal.aborted;
  /** A read that waits for a cache is given up when its controllers stop; then the API is asked. */
  const read = async <T>(ask: (client: Client) => Promise<T>): Promise<T> => {
    const { client } = manager;
    if (!isActing()) return await ask(client.fresh);
    try {
      return await ask(client);
    } catch (error) {
      if (isActing()) throw error;
      return await ask(client.fresh);
    }
  };

  const keep = async (first: Right): Promise<void> => {
    for (let held = first; ; ) {
      await aborted(held.lost, stopping.signal);
      if (stopping.signal.aborted) return;
      hasRight = false;
      await manager.stop();
      held = await held.regain(stopping.signal);
      if (stopping.signal.aborted) return;
      manager = newManager();
      await manager.start();
      hasRight = true;
    }
  };
  const keeping = right === undefined ? Promise.resolve() : keep(right);
  // A stop while another operator is waited for ends the wait.
  keeping.catch((error: unknown) => {
    if (!stopping.signal.aborted) logger.error("The controllers could not be started again", { error });
  });

  return {
    reads: {
      get: (kind, key) => read((client) => client.get(kind, key)),
      list: (kind, options) => read((client) => client.list(kind, options)),
    },
    async stop() {
      stopping.abort(new Error("The operator ends"));
      // From here on there is no other one. One whose caches hold nothing yet starts as long as it is not stopped.
      await manager.stop();
      await keeping.catch(() => {
        // Told above, if it was anything but this stop.
      });
    },
  };
}
