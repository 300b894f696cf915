import type { ServerResponse } from "node:http";
import type { KubeObject } from "../api/meta.ts";
import type { StatusError } from "../api/status-error.ts";
import { writeJson } from "../encoding/json.ts";

export function sendJson(response: ServerResponse, code: number, body: unknown): void {
  sendJsonText(response, code, writeJson(body));
}

/** For JSON that is text already. */
export function sendJsonText(response: ServerResponse, code: number, text: string): void {
  send(response, code, "application/json", text);
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

export function sendStatus(response: ServerResponse, error: StatusError): void {
  const seconds = error.details?.retryAfterSeconds;
  if (seconds !== undefined) response.setHeader("retry-after", String(seconds));
  // What is left of a body that was refused would be read as the next request.
  if (error.code === 413) response.setHeader("connection", "close");
  sendJson(response, error.code, statusOf(error));
}

/** The error as it goes over the wire: a few of kube-apiserver's have no reason. */
export function statusOf(error: StatusError): object {
  const { reason, ...status } = error.toStatus();
  return reason === "" ? status : { ...status, reason };
}

/** An object's JSON, made once: lists and the watches of all clients share it, as they share the object. */
export function objectText(object: KubeObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    text = writeJson(object);
    texts.set(object, text);
  }
  return text;
}

const texts = new WeakMap<KubeObject, string>();

function send(response: ServerResponse, code: number, type: string, text: string): void {
  response.writeHead(code, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-cache, private",
  });
  response.end(text);
}
