/** Tells people what happened to an object, as core/v1 Events. (Windows and bounds as in client-go's recorder.) */
import { cutMessage } from "../api/conditions.ts";
import type { Event, ObjectReference } from "../api/event.ts";
import type { KubeObject } from "../api/meta.ts";
import { isNotFound } from "../api/status-error.ts";
import type { Client } from "./client.ts";
import type { Clock, Ids } from "./clock.ts";
import { timestamp } from "./clock.ts";
import type { Logger } from "./logger.ts";
import { similarEvents } from "./similar-events.ts";

/**
 * The same said again within this time raises a count instead of making a new Event; so does something similar, when
 * much of it has been said.
 */
const windowMs = 600_000;
/** Each object may say so much at once, and one more each `refillMs`. */
const burst = 25;
const refillMs = 300_000;
/** Objects and series that are remembered; the oldest are forgotten. */
const rememberedMax = 4096;
/** Events that wait to be written; what comes beyond is dropped: a client that is away must not fill the memory. */
const pendingMax = 1000;

export interface EventRecorderOptions {
  client: Client;
  clock: Clock;
  ids: Ids;
  logger: Logger;
  /** Who says it, for instance `agent-controller`. */
  component: string;
}

export interface EventRecorder {
  /**
   * Says about `object` what `reason`, the reason of the condition that it explains, and `message` tell. Returns at
   * once; what cannot be written, or is too much, is logged and dropped.
   */
  event(object: KubeObject, type: Event["type"], reason: string, message: string): void;
}

interface Said {
  namespace: string;
  name: string;
  count: number;
  lastMs: number;
}

export function eventRecorder({
  client,
  clock,
  ids,
  logger,
  component,
}: EventRecorderOptions): EventRecorder {
  const said = new Map<string, Said>();
  const combine = similarEvents(windowMs);
  const allowances = new Map<string, { left: number; atMs: number }>();
  let pending = 0;
  let tail: Promise<void> = Promise.resolve();

  function allowed(object: KubeObject): boolean {
    const id = object.metadata.uid ?? `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`;
    const now = clock.elapsed();
    const { left, atMs } = allowances.get(id) ?? { left: burst, atMs: now };
    const refilled = Math.min(burst, left + (now - atMs) / refillMs);
    remember(allowances, id, { left: Math.max(0, refilled - 1), atMs: now });
    return refilled >= 1;
  }

  async function write(
    object: KubeObject,
    type: Event["type"],
    reason: string,
    message: string,
  ): Promise<void> {
    const { kind, metadata } = object;
    const common = JSON.stringify([kind, metadata.uid, metadata.namespace, metadata.name, type, reason]);
    const told = combine(common, message, clock.elapsed());
    const { id } = told;
    const text = cutMessage(told.message);
    const earlier = said.get(id);
    if (earlier !== undefined && clock.elapsed() - earlier.lastMs < windowMs && (await repeat(earlier, text)))
      return;
    const namespace = object.metadata.namespace ?? "default";
    const name = `${object.metadata.name}.${ids.uuid().slice(0, 13)}`;
    const at = timestamp(clock.now());
    await client.create("Event", {
      apiVersion: "v1",
      kind: "Event",
      metadata: { namespace, name },
      involvedObject: reference(object),
      type,
      reason,
      message: text,
      count: 1,
      firstTimestamp: at,
      lastTimestamp: at,
      source: { component },
      reportingComponent: component,
    });
    remember(said, id, { namespace, name, count: 1, lastMs: clock.elapsed() });
  }

  /** Counts an Event up, with the newest of its messages; false when it is gone. */
  async function repeat(earlier: Said, message: string): Promise<boolean> {
    try {
      const count = earlier.count + 1;
      await client.patch("Event", earlier, { count, message, lastTimestamp: timestamp(clock.now()) });
      earlier.count = count;
      earlier.lastMs = clock.elapsed();
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  return {
    event(object, type, reason, message) {
      const { kind } = object;
      const { name } = object.metadata;
      if (pending >= pendingMax || !allowed(object)) {
        logger.debug("Event dropped: too many", { kind, name, reason });
        return;
      }
      pending += 1;
      // One after the other, so that the same event said twice at once is one object.
      tail = tail
        .then(() => write(object, type, reason, message))
        .catch((error: unknown) => logger.warn("Event was not written", { kind, name, reason, error }))
        .finally(() => {
          pending -= 1;
        });
    },
  };
}

function reference({ apiVersion, kind, metadata }: KubeObject): ObjectReference {
  const { namespace = "default", name, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    namespace,
    name,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** Keeps the newest `rememberedMax` entries. */
function remember<T>(map: Map<string, T>, id: string, value: T): void {
  map.delete(id);
  map.set(id, value);
  if (map.size <= rememberedMax) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
