import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { KubeObject } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import type { Watch } from "../../registry/history.ts";
import { selectorOf } from "../../registry/list.ts";
import { apiVersionOf, type Resource } from "../../registry/resource.ts";
import type { Clock, Random } from "../../runtime/clock.ts";
import { eventObjectText } from "../forms/answer.ts";
import { notAcceptable } from "../negotiation.ts";
import { statusOf } from "../responses.ts";
import type { Call } from "./call.ts";
import { type WatchQuery, watchQuery } from "./list-query.ts";
import { checkedRevision } from "./read.ts";

/**
 * Streams events as lines of JSON until the client leaves, its time is over or the server ends.
 *
 * Without a resourceVersion (or "0", or with `sendInitialEvents`) the objects that exist come first, as ADDED, and a
 * bookmark marks their end where bookmarks are allowed. A history that is gone, or a revision that never was, is an ERROR
 * event on a 200.
 */
export async function watchObjects(call: Call): Promise<void> {
  const { response, target } = call;
  if (call.format.type !== "json") {
    throw notAcceptable(
      "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
    );
  }
  const asked = watchQuery(call);
  const requested = checkedRevision(asked.resourceVersion);
  // What cannot be read is refused; what is wrong from here on is an event.
  selectorOf(target.resource, asked);
  const { signal, deadline, release } = ending(call, asked.timeoutSeconds);
  try {
    const write = eventWriter(call, signal);
    // Before the first event, or clients hang until it comes.
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    response.flushHeaders();
    for await (const { type, object } of eventsOf(call, { asked, requested, signal, deadline })) {
      await write(type, object);
    }
  } catch (error) {
    if (!response.headersSent || !(error instanceof StatusError)) throw error;
    await send(response, `${JSON.stringify({ type: "ERROR", object: statusOf(error) })}\n`, signal);
  } finally {
    release();
  }
  response.end();
}

const initialEventsEnd = { "k8s.io/initial-events-end": "true" };

/** What exists already where that is asked for, then what happens. */
async function* eventsOf(
  { registry, clock, target: { resource } }: Call,
  { asked, requested, signal, deadline }: WatchRequest,
): AsyncGenerator<{ type: string; object: KubeObject }, void, undefined> {
  const { namespace, labelSelector, fieldSelector, bookmarks } = asked;
  const selection = { namespace, labelSelector, fieldSelector };
  let resourceVersion = requested ?? registry.revision;
  if (asked.initialEvents) {
    const { metadata, items } = await registry.list(resource.id, {
      ...selection,
      resourceVersion: requested,
    });
    resourceVersion = metadata.resourceVersion;
    for (const object of items) yield { type: "ADDED", object };
    if (bookmarks) yield { type: "BOOKMARK", object: bookmark(resource, resourceVersion, initialEventsEnd) };
  }
  const watch = registry.watch(resource.id, { ...selection, resourceVersion, signal });
  if (bookmarks) void requestBookmarks(watch, { clock, deadline, signal });
  for await (const event of watch) {
    if (event.type === "BOOKMARK")
      yield { type: "BOOKMARK", object: bookmark(resource, event.resourceVersion) };
    else yield event;
  }
}

interface WatchRequest {
  readonly asked: WatchQuery;
  /** Undefined: none in particular. */
  readonly requested: string | undefined;
  readonly signal: AbortSignal;
  readonly deadline: number;
}

type EventWriter = (type: string, object: KubeObject) => Promise<void>;

function eventWriter(call: Call, signal: AbortSignal): EventWriter {
  const text = eventObjectText(call);
  return async (type, object) => {
    await send(call.response, `{"type":"${type}","object":${text(object)}}\n`, signal);
    call.onWatchEvent();
  };
}

/** Waits for a slow client: it then falls behind the history, which ends its watch, and fills no memory here. */
async function send(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || response.write(text)) return;
  // The only rejection is the abort, after which the caller ends.
  await once(response, "drain", { signal }).catch(() => {});
}

/** An object with nothing but the revision from which a watch may be resumed. */
function bookmark(
  resource: Resource,
  resourceVersion: string,
  annotations?: Record<string, string>,
): KubeObject {
  const metadata = { resourceVersion, ...(annotations === undefined ? {} : { annotations }) };
  return {
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    metadata: metadata as KubeObject["metadata"],
  };
}

/** So often a watch that asked for them gets a bookmark, in milliseconds: kube-apiserver's period. */
const bookmarkMs = 60_000;
/** So long before its end it gets a last one, in milliseconds. */
const lastBookmarkMs = 2000;

/** Asks for a bookmark each minute, and for one shortly before the deadline. */
async function requestBookmarks(
  watch: Watch,
  { clock, deadline, signal }: { clock: Clock; deadline: number; signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const now = clock.elapsed();
    const next = Math.min(now + bookmarkMs, deadline - lastBookmarkMs);
    if (next <= now || !(await slept(clock, next - now, signal))) return;
    watch.requestBookmark();
  }
}

/** Aborts when the client leaves, its time is over (`deadline`, by the clock's `elapsed`), or the server ends. */
function ending(
  { response, clock, random, ending: serverEnding }: Call,
  timeoutSeconds: number | undefined,
): { signal: AbortSignal; deadline: number; release(): void } {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  response.once("close", end);
  if (serverEnding.aborted) end();
  serverEnding.addEventListener("abort", end);
  const ms = timeoutMs(timeoutSeconds, random);
  void slept(clock, ms, controller.signal).then((over) => over && end());
  return {
    signal: controller.signal,
    deadline: clock.elapsed() + ms,
    release() {
      response.off("close", end);
      serverEnding.removeEventListener("abort", end);
      controller.abort();
    },
  };
}

/** What is asked for, at most a day; else 30 to 60 minutes by chance, so that watches do not all come back at once. */
function timeoutMs(seconds: number | undefined, random: Random): number {
  if (seconds !== undefined && seconds !== 0) return Math.min(Math.max(seconds, 0), 86_400) * 1000;
  return 1_800_000 * (1 + random.next());
}

/** False when the signal aborted. */
function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => !signal.aborted,
    () => false,
  );
}
