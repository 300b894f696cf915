import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { writeJson } from "../../encoding/json.ts";
import type { Resource } from "../../registry/resource.ts";
import { groupsOf } from "../discovery/resources.ts";
import { negotiate } from "../negotiation.ts";
import { perDefinitions } from "../per-definitions.ts";
import { sendJson, sendText } from "../responses.ts";
import { openApiDocument } from "./document.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

export type OpenApiSender = (resources: readonly Resource[], path: string, exchange: Exchange) => void;

interface Document {
  readonly text: string;
  readonly hash: string;
}

/**
 * Answers `/openapi/v3` with where each group and version has its document, and those paths with the documents. A
 * document asked for by its hash never changes and may be kept for a year; it is made once for as long as the
 * definitions stay.
 *
 * @returns what takes the path after `/openapi/v3`, without a slash before it
 */
export function openApiSender(): OpenApiSender {
  const documentsOf = perDefinitions(documents);
  return (resources, path, { request, response, query, now }) => {
    const format = negotiate(request);
    const all = documentsOf(resources);
    if (path === "") {
      const entries = [...all].map(([name, make]) => [name, { serverRelativeURL: urlOf(name, make()) }]);
      return sendJson(response, 200, { paths: Object.fromEntries(entries) }, format);
    }
    const document = all.get(path)?.();
    if (document === undefined) return sendText(response, 404, "404 page not found\n");
    const hash = query.get("hash");
    if (hash !== null && hash !== "" && hash !== document.hash) {
      response.writeHead(301, { location: urlOf(path, document) });
      response.end();
      return;
    }
    if (hash) {
      response.setHeader("cache-control", "public, immutable");
      response.setHeader("expires", new Date(now + yearMs).toUTCString());
    }
    sendDocument(document, request, response);
  };
}

const yearMs = 365 * 24 * 3_600_000;

/** What makes the document of each group and version, once, by its path. */
function documents(resources: readonly Resource[]): ReadonlyMap<string, () => Document> {
  const entries = groupsOf(resources).flatMap(({ name, versions }) =>
    versions.map(({ version, resources: own }): [string, () => Document] => [
      name === "" ? `api/${version}` : `apis/${name}/${version}`,
      once(() => documentOf(own)),
    ]),
  );
  return new Map(entries);
}

function documentOf(resources: readonly Resource[]): Document {
  const text = writeJson(openApiDocument(resources as [Resource, ...Resource[]]));
  return { text, hash: createHash("sha512").update(text).digest("hex").toUpperCase() };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function urlOf(path: string, { hash }: Document): string {
  return `/openapi/v3/${path}?hash=${hash}`;
}

function sendDocument({ text, hash }: Document, request: IncomingMessage, response: ServerResponse): void {
  const etag = `"${hash}"`;
  response.setHeader("etag", etag);
  response.setHeader("vary", "Accept");
  if (request.headers["if-none-match"]?.includes(etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
