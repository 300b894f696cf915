import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { StatusError } from "../api/status-error.ts";
import type { Registry } from "../registry/registry.ts";
import { internalError } from "../registry/status-errors.ts";
import { discover } from "./discovery.ts";
import { acceptsJson } from "./negotiation.ts";
import { sendJson, sendStatus, sendText } from "./responses.ts";
import { type Route, route } from "./routing.ts";
import { handle } from "./verbs/handle.ts";
import { version } from "./version.ts";

export interface ApiServerOptions {
  readonly registry: Registry;
  /** Told what no client's mistake explains; the client gets 500 InternalError. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The Kubernetes HTTP protocol on a registry, for whatever kinds it serves. The caller listens, at a unix socket or a
 * port, and closes; open watches end with their connection (`closeAllConnections`).
 *
 * Served: legacy discovery, get, list, watch, create, update, merge and JSON patch, delete, `/status`, `/scale`,
 * `/healthz`, `/version`. Answers are JSON.
 */
export function createApiServer({ registry, onError = () => {} }: ApiServerOptions): Server {
  return createServer((request, response) => {
    answer(registry, request, response).catch((error: unknown) => {
      if (!(error instanceof StatusError) && !hasLeft(error)) onError(error);
      // A client that left, or an answer that has begun: there is nobody to tell.
      if (response.headersSent || response.destroyed) response.destroy();
      else sendStatus(response, error instanceof StatusError ? error : internalError(String(error)));
    });
  });
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Leading slashes off: `//` would begin a host's name.
  const url = new URL((request.url ?? "").replace(/^\/+/, ""), "http://localhost/");
  const found = route(registry, url.pathname);
  switch (found.to) {
    case "health":
      if (registry.failure !== undefined) return sendText(response, 500, registry.failure.message);
      return sendText(response, 200, "ok");
    case "nothing":
      return sendText(response, 404, "404 page not found\n");
    case "version":
      return sendJson(response, 200, version);
    case "discovery":
      return sendDiscovery(registry, found, response);
    case "resource":
      if (!acceptsJson(request.headers.accept)) throw notAcceptable();
      return handle({ registry, request, response, target: found, query: url.searchParams });
  }
}

function sendDiscovery(
  registry: Registry,
  found: Route & { to: "discovery" },
  response: ServerResponse,
): void {
  const document = discover(registry.definitions(), found);
  if (document === undefined) sendText(response, 404, "404 page not found\n");
  else sendJson(response, 200, document);
}

/** The client went away while its body was being read. */
function hasLeft(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}

function notAcceptable(): StatusError {
  return new StatusError(
    406,
    "NotAcceptable",
    "only the following media types are accepted: application/json",
  );
}
