import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { KubeObject } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { forbidden } from "../../registry/field-error.ts";
import { apiVersionOf, type Resource } from "../../registry/resource.ts";
import { invalidObject } from "../../registry/status-errors.ts";
import type { WatchEvent } from "../../runtime/client.ts";
import { objectText, statusOf } from "../responses.ts";
import { type Call, labelSelectorOf } from "./call.ts";

/**
 * Streams events as lines of JSON until the client leaves or `timeoutSeconds` are over.
 *
 * Without a resourceVersion (or "0", or with `sendInitialEvents`) the objects that exist come first, as ADDED, and a
 * bookmark marks their end where bookmarks are allowed. A history that is gone is an ERROR event on a 200.
 */
export async function watchObjects(call: Call): Promise<void> {
  const { registry, response, target, query } = call;
  const { resource, namespace } = target;
  const options = { namespace, labelSelector: labelSelectorOf(query) };
  const initial = wantsInitialEvents(query);
  const requested = checkedRevision(query.get("resourceVersion"));
  const start = initial ? await registry.list(resource.id, options) : undefined;
  const { signal, release } = ending(call);
  try {
    const resourceVersion = start?.metadata.resourceVersion ?? requested ?? registry.revision;
    const events = registry.watch(resource.id, { ...options, resourceVersion, signal });
    // Before the first event, or clients hang until it comes.
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    response.flushHeaders();
    for (const object of start?.items ?? []) {
      await send(response, eventText("ADDED", object), signal);
      call.onWatchEvent();
    }
    if (start !== undefined && query.get("allowWatchBookmarks") === "true") {
      await send(response, bookmark(resource, resourceVersion, initialEventsEnd), signal);
    }
    await stream(call, events, signal);
  } finally {
    release();
  }
  response.end();
}

const initialEventsEnd = { "k8s.io/initial-events-end": "true" };

async function stream(
  { response, target: { resource }, onWatchEvent }: Call,
  events: AsyncIterable<WatchEvent<KubeObject>>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of events) {
      const text =
        event.type === "BOOKMARK"
          ? bookmark(resource, event.resourceVersion)
          : eventText(event.type, event.object);
      await send(response, text, signal);
      onWatchEvent();
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    await send(response, JSON.stringify({ type: "ERROR", object: statusOf(error) }), signal);
  }
}

/** Waits for a slow client: it then falls behind the history, which ends its watch, and fills no memory here. */
async function send(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || response.write(`${text}\n`)) return;
  // The only rejection is the abort, after which the caller ends.
  await once(response, "drain", { signal }).catch(() => {});
}

function eventText(type: string, object: KubeObject): string {
  return `{"type":"${type}","object":${objectText(object)}}`;
}

function bookmark(resource: Resource, resourceVersion: string, annotations?: Record<string, string>): string {
  const metadata = { resourceVersion, ...(annotations === undefined ? {} : { annotations }) };
  const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
  return JSON.stringify({ type: "BOOKMARK", object });
}

function wantsInitialEvents(query: URLSearchParams): boolean {
  const asked = query.get("sendInitialEvents");
  const match = query.get("resourceVersionMatch");
  const of = { group: "meta.k8s.io", plural: "", kind: "ListOptions" };
  if (asked === null) {
    if (match !== null) {
      const why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
      throw invalidObject(of, "", [forbidden("resourceVersionMatch", why)]);
    }
    const revision = query.get("resourceVersion");
    return !revision || revision === "0";
  }
  if (match !== "NotOlderThan") {
    const why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    throw invalidObject(of, "", [forbidden("resourceVersionMatch", why)]);
  }
  return asked === "true";
}

function checkedRevision(revision: string | null): string | undefined {
  if (!revision || revision === "0") return undefined;
  if (/^\d+$/.test(revision)) return revision;
  const why = `strconv.ParseUint: parsing "${revision}": invalid syntax`;
  throw new StatusError(500, "", `resourceVersion: Invalid value: "${revision}": ${why}`);
}

/** Aborts when the client leaves, its time is over, or the server ends. */
function ending({ response, query, ending: serverEnding }: Call): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  response.once("close", end);
  if (serverEnding.aborted) end();
  serverEnding.addEventListener("abort", end);
  const seconds = Number(query.get("timeoutSeconds") ?? 0);
  const timer = seconds > 0 ? setTimeout(end, Math.min(seconds, maxTimeoutSeconds) * 1000) : undefined;
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      response.off("close", end);
      serverEnding.removeEventListener("abort", end);
      controller.abort();
    },
  };
}

/** One day: setTimeout overflows beyond 24 of them. */
const maxTimeoutSeconds = 86_400;
