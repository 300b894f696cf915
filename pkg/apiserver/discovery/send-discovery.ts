import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { writeJson } from "../../encoding/json.ts";
import type { Resource } from "../../registry/resource.ts";
import { negotiate } from "../negotiation.ts";
import { perDefinitions } from "../per-definitions.ts";
import { sendJson, sendText } from "../responses.ts";
import { aggregatedDiscovery, isAggregated } from "./aggregated.ts";
import { type DiscoveryPath, discover } from "./legacy.ts";

export type DiscoverySender = (
  resources: readonly Resource[],
  path: DiscoveryPath,
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
) => void;

/**
 * Answers what is asked at `/api`, `/apis` and beneath. At those two all is told in one document to clients that accept
 * it; it has an ETag, and a client that has it already is told so with 304.
 */
export function discoverySender(): DiscoverySender {
  const aggregated = perDefinitions((resources) => {
    const made = new Map<string, Document>();
    return (core: boolean, version: string): Document => {
      const id = `${version} ${core}`;
      const document = made.get(id) ?? documentOf(aggregatedDiscovery(resources, { core, version }));
      made.set(id, document);
      return document;
    };
  });
  return (resources, path, { request, response }) => {
    const isRoot = path.version === undefined && (path.group === undefined || path.legacy);
    const format = negotiate(request, isRoot ? isAggregated : undefined);
    if (isRoot) response.setHeader("vary", "Accept");
    if (format.as !== undefined) {
      const { version } = format.as;
      const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      return sendTagged(aggregated(resources)(path.legacy, version), type, request, response);
    }
    const document = discover(resources, path);
    if (document === undefined) sendText(response, 404, "404 page not found\n");
    else sendJson(response, 200, document, format);
  };
}

interface Document {
  readonly text: string;
  readonly etag: string;
}

function documentOf(value: object): Document {
  const text = writeJson(value);
  return { text, etag: `"${createHash("sha512").update(text).digest("hex").toUpperCase()}"` };
}

function sendTagged(
  { text, etag }: Document,
  type: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.setHeader("etag", etag);
  response.setHeader("cache-control", "public");
  const known = request.headers["if-none-match"]?.split(",").map((tag) => tag.trim()) ?? [];
  if (known.includes(etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
