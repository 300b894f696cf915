import type { ServerResponse } from "node:http";

/** The API's word for each status it answers errors with. */
const types: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** A request that is answered with an error, in the API's shape. */
export class ApiError extends Error {
  readonly status: number;
  /** What the answer says beside its body. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.headers = headers;
  }
}

export function sendError(response: ServerResponse, { status, message, headers }: ApiError): void {
  const error = { type: types[status] ?? "api_error", message };
  const requestId = response.getHeader("request-id") ?? null;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  sendJson(response, status, { type: "error", error, request_id: requestId });
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
