/** Errors in the shape of the Messages API. */
import type { ServerResponse } from "node:http";
import type { LimitMet } from "./money.ts";

export type ApiErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "api_error"
  | "overloaded_error";

const STATUS: Record<ApiErrorType, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 502,
  overloaded_error: 529,
};

export interface ApiError {
  type: ApiErrorType;
  message: string;
  /** One word for programs, sent as the header `x-bosun-reason`. */
  reason?: string;
  /** Budgets that have too little left, sent as `x-bosun-budgets`, with commas between them. */
  budgets?: readonly string[];
  /** What they had it of, sent as `x-bosun-limits` in JSON: by the time that anybody hears it a person may have raised it. */
  limits?: readonly LimitMet[] | undefined;
  retryAfterSeconds?: number;
  /** Sent as `x-should-retry`; without it clients decide by the status. */
  shouldRetry?: boolean;
}

/** Answers with `error`, unless the answer has begun: then the connection is cut. */
export function answerError(
  response: ServerResponse,
  { type, message, reason, budgets = [], limits, retryAfterSeconds, shouldRetry }: ApiError,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(STATUS[type], {
    "content-type": "application/json",
    ...(shouldRetry === undefined ? {} : { "x-should-retry": String(shouldRetry) }),
    ...(reason === undefined ? {} : { "x-bosun-reason": reason }),
    ...(budgets.length === 0 ? {} : { "x-bosun-budgets": budgets.join(",") }),
    ...(limits === undefined ? {} : { "x-bosun-limits": JSON.stringify(limits) }),
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify({ type: "error", error: { type, message } }));
}
