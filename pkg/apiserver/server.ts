import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { StatusError } from "../api/status-error.ts";
import type { Registry } from "../registry/registry.ts";
import { internalError, notFound } from "../registry/status-errors.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { Metrics } from "../runtime/metrics.ts";
import { http } from "../system/http.ts";
import { boundUnread } from "../system/unread-body.ts";
import { isAllowed, refusal } from "./auth/authorize.ts";
import { admin, type User } from "./auth/user.ts";
import { maxBodyBytes } from "./body.ts";
import { rootPaths } from "./discovery/root-paths.ts";
import { discoverySender } from "./discovery/send-discovery.ts";
import { type HealthCheck, health } from "./health.ts";
import { requestMetrics } from "./metrics.ts";
import { isObjectForm, negotiate } from "./negotiation.ts";
import { openApiSender } from "./openapi/send-open-api.ts";
import { requestInfo } from "./request-info.ts";
import { sendJson, sendStatus, sendText } from "./responses.ts";
import { route } from "./routing.ts";
import { handle } from "./verbs/handle.ts";
import { version } from "./version.ts";

export interface ApiOptions {
  readonly registry: Registry;
  /** What ages, timeouts and bookmarks go by; default: the registry's. */
  readonly clock?: Clock;
  /** How long watches may last; default: the registry's. */
  readonly random?: Random;
  /** Where requests are counted, and what `/metrics` shows. */
  readonly metrics?: Metrics;
  /** Told what no client's mistake explains; the client gets 500 InternalError. */
  readonly onError?: (error: unknown) => void;
}

/** The protocol, to be put on any number of servers. */
export interface Api {
  /**
   * Answers requests of whomever `identify` finds; what that throws is the answer. It is asked before anything else is
   * done with a request.
   */
  listener(identify: (request: IncomingMessage) => User): RequestListener;
  /** No longer ready, and open watches end as after their time: for good. */
  drain(): void;
}

/**
 * The Kubernetes HTTP protocol on a registry, for whatever kinds it serves.
 *
 * Served: discovery, OpenAPI, get, list, watch, create, update, merge and JSON patch, delete, `/status`, `/scale`,
 * `/healthz`, `/livez`, `/readyz`, `/version`, `/metrics`. Answers are JSON.
 */
export function createApi(options: ApiOptions): Api {
  const { registry, metrics = new Metrics(), onError = () => {} } = options;
  const { clock = registry.clock, random = registry.random } = options;
  const counted = requestMetrics(metrics, registry);
  const sendDiscovery = discoverySender();
  const sendOpenApi = openApiSender();
  const draining = new AbortController();
  const ready: HealthCheck = {
    name: "shutdown",
    check: () => (draining.signal.aborted ? "the server is shutting down" : undefined),
  };
  const checks: readonly HealthCheck[] = [
    { name: "ping", check: () => undefined },
    { name: "storage", check: () => registry.failure?.message },
  ];

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    identify: (request: IncomingMessage) => User,
  ): Promise<void> {
    // Leading slashes off: `//` would begin a host's name. What is left is a path, even if it looks like a URL.
    const url = new URL(`http://localhost/${(request.url ?? "").replace(/^\/+/, "")}`);
    const info = requestInfo(request.method ?? "GET", url);
    counted.follow(info, url.searchParams.has("dryRun"), response);
    const user = identify(request);
    if (!isAllowed(user, info)) throw refusal(user, info);
    const found = route(registry, url.pathname);
    switch (found.to) {
      case "health": {
        const all = found.path.startsWith("readyz") ? [...checks, ready] : checks;
        const answer = health(found.path, url.searchParams, all);
        if (answer === undefined) return sendNothing(response);
        return sendText(response, answer.code, answer.text);
      }
      case "nothing":
        return sendNothing(response);
      case "unknown":
        throw new StatusError(404, "NotFound", "the server could not find the requested resource", {});
      case "none beneath":
        throw notFound(found.resource, found.name);
      case "root":
        return sendJson(response, 200, rootPaths(registry.definitions()), negotiate(request));
      case "version":
        return sendJson(response, 200, version, negotiate(request));
      case "metrics":
        return sendText(response, 200, metrics.render(), "text/plain; version=0.0.4; charset=utf-8");
      case "discovery":
        return sendDiscovery(registry.definitions(), found, { request, response });
      case "openapi": {
        const exchange = { request, response, query: url.searchParams, now: clock.now() };
        return sendOpenApi(registry.definitions(), found.path, exchange);
      }
      case "resource": {
        const format = negotiate(request, isObjectForm);
        const onWatchEvent = () => counted.watchEvent(found.resource);
        const query = url.searchParams;
        const of = { registry, request, response, target: found, query };
        return handle({ ...of, user, format, clock, random, ending: draining.signal, onWatchEvent });
      }
    }
  }

  return {
    listener: (identify) => (request, response) => {
      boundUnread(request, response, maxBodyBytes);
      answer(request, response, identify).catch((error: unknown) => {
        if (!(error instanceof StatusError) && !hasLeft(error)) onError(error);
        // A client that left, or an answer that has begun: there is nobody to tell.
        if (response.headersSent || response.destroyed) response.destroy();
        else
          sendStatus(request, response, error instanceof StatusError ? error : internalError(String(error)));
      });
    },
    drain: () => draining.abort(),
  };
}

/**
 * A server for those who may do everything, by the permissions of its unix socket. The caller listens and closes; open
 * watches end with their connection (`closeAllConnections`).
 */
export function createApiServer(options: ApiOptions): Server {
  return http.createServer(createApi(options).listener(() => admin));
}

function sendNothing(response: ServerResponse): void {
  sendText(response, 404, "404 page not found\n");
}

/** The client went away while its body was being read. */
function hasLeft(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}
