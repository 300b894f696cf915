import type { Kinds } from "../../../pkg/api/generated.ts";
import type { Client, Kind } from "../../../pkg/runtime/client.ts";
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";
import { troubles } from "../../../pkg/runtime/troubles.ts";

export interface FollowOptions {
  client: Client;
  /** Of the workspace. */
  namespace: string;
  clock: Clock;
  logger: Logger;
}

/** After a watch broke, in milliseconds: the first doubled with each failure that follows, up to the second. */
const againMs = 1_000;
const againMsMax = 10_000;

/**
 * Tells of every object of `kind` as it is, and again after each change, one after the other, until the answer is
 * aborted. A watch that breaks begins anew, so that the same may be told twice.
 *
 * @param gone - told of an object that was deleted while it was watched
 */
export function followObjects<K extends Kind>(
  kind: K,
  { client, namespace, clock, logger }: FollowOptions,
  tell: (object: Kinds[K]) => void | Promise<void>,
  gone: (object: Kinds[K]) => void = () => {},
): AbortController {
  const ending = new AbortController();
  const { signal } = ending;
  const tries = troubles({
    logger,
    clock,
    messages: { failed: "Following objects was interrupted", worked: "Objects are followed again" },
    fields: { kind },
  });
  let delayMs = againMs;
  const follow = async (): Promise<void> => {
    const { items, metadata } = await client.list(kind, { namespace });
    for (const object of items) await tell(object);
    tries.worked();
    delayMs = againMs;
    const from = { namespace, resourceVersion: metadata.resourceVersion, signal };
    for await (const event of client.watch(kind, from)) {
      if (event.type === "ADDED" || event.type === "MODIFIED") await tell(event.object);
      if (event.type === "DELETED") gone(event.object);
    }
  };
  void (async () => {
    while (!signal.aborted) {
      await follow().catch((error: unknown) => {
        if (!signal.aborted) tries.failed(error);
      });
      await clock.sleep(delayMs, signal).catch(() => undefined); // Ended.
      delayMs = Math.min(againMsMax, 2 * delayMs);
    }
  })();
  return ending;
}
