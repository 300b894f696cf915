import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { writeJson } from "../../encoding/json.ts";
import type { JsonObject } from "../../registry/json.ts";
import type { Resource } from "../../registry/resource.ts";
import { groupsOf } from "../discovery/resources.ts";
import { negotiate } from "../negotiation.ts";
import { perDefinitions } from "../per-definitions.ts";
import { sendJson, sendText } from "../responses.ts";
import { openApiDocument } from "./document.ts";
import { encodeSwagger } from "./v2/protobuf.ts";
import { swagger } from "./v2/swagger.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

export type OpenApiSender = (resources: readonly Resource[], path: string, exchange: Exchange) => void;

/**
 * Answers `v3` with where each group and version has its document, `v3/PATH` with those documents, and `v2` with the one
 * document of the older version, as JSON or as protobuf.
 *
 * A v3 document asked for by its hash never changes and may be kept for a year. Each is made when it is first asked
 * for, once for as long as the definitions stay.
 *
 * @returns what takes the path after `/openapi/`
 */
export function openApiSender(): OpenApiSender {
  const documentsOf = perDefinitions(documents);
  const oldOf = perDefinitions(oldDocuments);
  return (resources, path, exchange) => {
    if (path === "v2") return sendOld(oldOf(resources), exchange);
    const { request, response } = exchange;
    const format = negotiate(request);
    const all = documentsOf(resources);
    if (path === "v3") {
      const entries = [...all].map(([name, make]) => [name, { serverRelativeURL: urlOf(name, make()) }]);
      return sendJson(response, 200, { paths: Object.fromEntries(entries) }, format);
    }
    const name = path.replace(/^v3\//, "");
    const document = all.get(name)?.();
    if (document === undefined) sendText(response, 404, "404 page not found\n");
    else sendHashed(name, document, exchange);
  };
}

interface Document {
  readonly content: Buffer;
  readonly hash: string;
}

/** What makes the document of each group and version, once, by its path. */
function documents(resources: readonly Resource[]): ReadonlyMap<string, () => Document> {
  const entries = versionsOf(resources).map(([name, own]): [string, () => Document] => [
    name,
    once(() => documentOf(Buffer.from(writeJson(openApiDocument(own))))),
  ]);
  return new Map(entries);
}

/** The document of version 2 in both its forms, each made once. */
interface OldDocuments {
  json(): Document;
  protobuf(): Document;
}

function oldDocuments(resources: readonly Resource[]): OldDocuments {
  const document = once(
    (): JsonObject => swagger(versionsOf(resources).map(([, own]) => openApiDocument(own))),
  );
  return {
    json: once(() => documentOf(Buffer.from(writeJson(document())))),
    protobuf: once(() => documentOf(encodeSwagger(document()))),
  };
}

/** The resources of each group and version by its path: `api/v1`, `apis/GROUP/VERSION`. */
function versionsOf(resources: readonly Resource[]): [string, [Resource, ...Resource[]]][] {
  return groupsOf(resources).flatMap(({ name, versions }) =>
    versions.map(({ version, resources: own }): [string, [Resource, ...Resource[]]] => [
      name === "" ? `api/${version}` : `apis/${name}/${version}`,
      own as [Resource, ...Resource[]],
    ]),
  );
}

function documentOf(content: Buffer): Document {
  return { content, hash: createHash("sha512").update(content).digest("hex").toUpperCase() };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function urlOf(name: string, { hash }: Document): string {
  return `/openapi/v3/${name}?hash=${hash}`;
}

/** A document with the hash in its address never changes: clients may keep it, as from kube-apiserver. */
const yearMs = 365 * 24 * 3_600_000;

function sendHashed(name: string, document: Document, { request, response, query, now }: Exchange): void {
  const hash = query.get("hash") ?? "";
  if (hash !== "" && hash !== document.hash) {
    response.writeHead(301, { location: urlOf(name, document) });
    response.end();
    return;
  }
  if (hash !== "") {
    response.setHeader("cache-control", "public, immutable");
    response.setHeader("expires", new Date(now + yearMs).toUTCString());
  }
  send(document, "application/json", request, response);
}

/** Clients in Go ask for protobuf by a name that is no legal media type, and get it under one that is. */
function sendOld({ json, protobuf }: OldDocuments, { request, response }: Exchange): void {
  const accept = request.headers.accept ?? "";
  if (/application\/com\.github\.proto-openapi\.spec\.v2[.@]v1\.0\+protobuf/.test(accept)) {
    const type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    send(protobuf(), type, request, response);
    return;
  }
  negotiate(request);
  send(json(), "application/json", request, response);
}

function send(
  { content, hash }: Document,
  type: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const etag = `"${hash}"`;
  response.setHeader("etag", etag);
  response.setHeader("vary", "Accept");
  if (request.headers["if-none-match"]?.includes(etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  response.writeHead(200, { "content-type": type, "content-length": content.length });
  response.end(content);
}
