import type { IncomingMessage, ServerResponse } from "node:http";
import type { StatusError } from "../api/status-error.ts";
import { readJson, writeJson } from "../encoding/json.ts";
import { writeYaml } from "../encoding/yaml.ts";
import { type Format, negotiate, plainJson } from "./negotiation.ts";

export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  format: Format = plainJson,
): void {
  sendJsonText(response, code, writeJson(body), format);
}

/** For JSON that is text already. */
export function sendJsonText(
  response: ServerResponse,
  code: number,
  text: string,
  { type, pretty }: Format = plainJson,
): void {
  if (type === "yaml") send(response, code, "application/yaml", writeYaml(readJson(text)));
  else send(response, code, "application/json", pretty ? writeJson(readJson(text), 2) : `${text}\n`);
}

export function sendText(
  response: ServerResponse,
  code: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.setHeader("x-content-type-options", "nosniff");
  send(response, code, type, text);
}

/** The error as the client wants answers; as JSON when that cannot be had. */
export function sendStatus(request: IncomingMessage, response: ServerResponse, error: StatusError): void {
  const seconds = error.details?.retryAfterSeconds;
  if (seconds !== undefined) response.setHeader("retry-after", String(seconds));
  // What is left of a body that was refused would be read as the next request.
  if (error.code === 413) response.setHeader("connection", "close");
  sendJson(response, error.code, statusOf(error), formatOf(request));
}

/** The error as it goes over the wire: a few of kube-apiserver's have no reason. */
export function statusOf(error: StatusError): object {
  const { reason, ...status } = error.toStatus();
  return reason === "" ? status : { ...status, reason };
}

function formatOf(request: IncomingMessage): Format {
  try {
    // A Status stays what it is, whatever form the object was to have.
    return { ...negotiate(request, () => true), as: undefined };
  } catch {
    // Nothing that the client accepts is offered: that was the error, or another one matters more.
    return plainJson;
  }
}

function send(response: ServerResponse, code: number, type: string, text: string): void {
  // Encoded once: a long list is many megabytes.
  const bytes = Buffer.from(text);
  response.writeHead(code, {
    "content-type": type,
    "content-length": bytes.length,
    "cache-control": "no-cache, private",
  });
  response.end(bytes);
}
