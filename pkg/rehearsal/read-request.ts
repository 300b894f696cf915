import type { IncomingMessage } from "node:http";
import { ApiError } from "./api-error.ts";
import { checkRequest } from "./check-request.ts";
import type { MessagesRequest } from "./messages.ts";

const VERSIONS = ["2023-06-01", "2026-10-21"];
/** The API's own limit. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;

/**
 * The body of a request, checked as the API checks it: credential, version, JSON, shape, model.
 *
 * @throws ApiError with the status and message the API answers with
 */
export async function readRequest(
  incoming: IncomingMessage,
  endpoint: "messages" | "count_tokens",
): Promise<MessagesRequest> {
  checkCredential(incoming);
  checkVersion(incoming);
  const body = parse(await readBody(incoming));
  const problem = checkRequest(body, endpoint);
  if (problem !== undefined) throw new ApiError(400, problem);
  const request = body as MessagesRequest;
  if (!request.model.startsWith("claude-")) throw new ApiError(404, `model: ${request.model}`);
  return request;
}

function checkCredential({ headers }: IncomingMessage): void {
  const key = headers["x-api-key"];
  const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1];
  if (key || bearer) return;
  throw new ApiError(401, "x-api-key header or authorization: Bearer is required");
}

function checkVersion({ headers }: IncomingMessage): void {
  const version = headers["anthropic-version"];
  if (version === undefined) throw new ApiError(400, "anthropic-version: header is required");
  if (!VERSIONS.includes(String(version))) {
    throw new ApiError(
      400,
      `anthropic-version: "${version}" is not a valid version; use ${VERSIONS.join(" or ")}`,
    );
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX)
      throw new ApiError(413, "Request exceeds the maximum allowed number of bytes.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(
      400,
      `The request body is not valid JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
}
