/** The loopback endpoint that sessions speak the Messages API to. */
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../runtime/clock.ts";
import type { Failpoints } from "../runtime/failpoints.ts";
import { http } from "../system/http.ts";
import { boundUnread } from "../system/unread-body.ts";
import { type AdmittedField, admit } from "./admission.ts";
import { type ApiError, type ApiErrorType, answerError } from "./api-errors.ts";
import { type Forwarding, forward } from "./forward.ts";
import type { AskedTurn } from "./ledger-lines.ts";
import { thinkingBudget } from "./messages-request.ts";
import { HOST_HEADER, type SessionGrant, TURN_HEADER } from "./money.ts";
import type { Payments, Reserving } from "./payments.ts";
import { pricedModels, priceOf } from "./prices.ts";
import type { Tokens } from "./tokens.ts";
import type { CredentialForm, Upstream } from "./upstream.ts";

export interface EndpointDeps {
  tokens: Tokens;
  payments: Payments;
  upstream: Upstream;
  clock: Clock;
  failpoints: Failpoints;
  /** What the workspace admits beyond the list, now. */
  admitted(): readonly AdmittedField[];
  /** Called with what nobody expected, so that it is logged. */
  failed(error: unknown): void;
}

/** The largest body that is read, in bytes; the API's own limit. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** Of a larger one, or of one that nobody wants, so much is read, in bytes, before its sender is cut off. */
const REFUSED_BYTES_MAX = 2 * BODY_BYTES_MAX;
/** When to ask again that no clock was confirmed for, in seconds: the upstream is asked about as often. */
const UNCONFIRMED_RETRY_S = 5;
/** A client's connection stays open for this long between requests, in ms: longer than clients themselves keep it. */
const IDLE_CLIENT_MS = 60_000;
/** A beta that makes the tokens of long prompts dearer with no field in the body to show it. */
const REFUSED_BETAS = /^context-1m-/;
const FORWARDED_HEADERS = [
  "anthropic-version",
  "anthropic-beta",
  "user-agent",
  "accept",
  "x-app",
  "x-claude-code-session-id",
];

/** A refusal, thrown to the one place that answers it. */
class Refusal extends Error {
  override readonly name = "Refusal";
  readonly answer: ApiError;
  constructor(type: ApiErrorType, message: string, more: Partial<ApiError> = {}) {
    super(message);
    this.answer = { ...more, type, message };
  }
}

/** The client is gone; there is nobody to answer. */
class ClientLeftError extends Error {
  override readonly name = "ClientLeftError";
}

export interface Endpoint {
  port: number;
  /** Takes no more requests and cuts those that run. */
  stop(): Promise<void>;
}

/**
 * Listens on 127.0.0.1.
 *
 * @param port - the wanted one; another when it is taken, or 0
 */
export async function startEndpoint(deps: EndpointDeps, port: number): Promise<Endpoint> {
  const stopping = new AbortController();
  const server = http.createServer(
    { requestTimeout: 0, keepAliveTimeout: IDLE_CLIENT_MS },
    (request, response) => {
      boundUnread(request, response, REFUSED_BYTES_MAX);
      handle(request, response, deps, stopping.signal).catch((error) => {
        if (error instanceof Refusal) return answerError(response, error.answer);
        if (error instanceof ClientLeftError || stopping.signal.aborted) return response.destroy();
        deps.failed(error);
        answerError(response, { type: "api_error", message: "The gateway failed; see its log." });
      });
    },
  );
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      stopping.abort(new Error("The gateway was stopped."));
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  deps: EndpointDeps,
  stopped: AbortSignal,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://gateway");
  const counting = url.pathname === "/v1/messages/count_tokens";
  if (request.method !== "POST" || !(counting || url.pathname === "/v1/messages")) {
    const message = `${request.method} ${url.pathname} is not forwarded: only POST /v1/messages and its count_tokens are.`;
    throw new Refusal("not_found_error", message);
  }
  const { session, form } = authenticate(request, deps.tokens);
  const betaFactor = factorOfBetas(request, deps.admitted());
  const asked = askedTurn(request);
  const body = await readBody(request, response).catch((error) => {
    throw request.readableAborted ? new ClientLeftError("The client left.", { cause: error }) : error;
  });
  const admission = admit(body, { admitted: deps.admitted(), counting });
  if (!admission.admitted) throw new Refusal("invalid_request_error", admission.message);
  const price = priceOf(admission.request.model, admission.priceFactor * betaFactor);
  if (price === undefined) {
    const message =
      `The model ${admission.request.model} has no price, so its cost can't be bounded. Name one that has in the ` +
      `agent's pool: ${pricedModels().join(", ")}.`;
    throw new Refusal("invalid_request_error", message);
  }

  const leaving = left(response);
  const most = Math.min(admission.request.max_tokens, session.maxOutputTokens);
  if (!counting && most <= thinkingBudget(admission.request)) {
    const message = `thinking.budget_tokens must be less than max_tokens, which is ${most} at most for this session.`;
    throw new Refusal("invalid_request_error", message);
  }
  const forwarding: Forwarding = {
    outgoing: {
      path: url.pathname + (url.searchParams.get("beta") === "true" ? "?beta=true" : ""),
      headers: forwardedHeaders(request),
      form,
      body: "",
    },
    request: admission.request,
    response,
    leaving,
    stopped,
  };
  if (counting) return forward(forwarding, undefined, deps);

  const signal = AbortSignal.any([leaving, stopped]);
  const reserving = await deps.payments.reserve(admission.request, { session, price, asked, signal });
  if (reserving.is !== "reserved") throw refusalOf(reserving);
  const { payment } = reserving;
  return forward({ ...forwarding, request: payment.request }, payment, deps);
}

function refusalOf(reserving: Exclude<Reserving, { is: "reserved" }>): Refusal {
  if (reserving.is === "refused")
    return new Refusal("billing_error", reserving.message, {
      reason: reserving.reason,
      budgets: reserving.budgets,
      limits: reserving.limits,
      shouldRetry: false,
    });
  if (reserving.is === "unconfirmed") {
    const more = { reason: "ClockUnconfirmed", retryAfterSeconds: UNCONFIRMED_RETRY_S, shouldRetry: true };
    return new Refusal("api_error", reserving.message, more);
  }
  if (reserving.is === "used up")
    return new Refusal("rate_limit_error", reserving.message, {
      reason: "UsageLimited",
      retryAfterSeconds: reserving.retryAfterSeconds,
      shouldRetry: false,
    });
  return new Refusal("rate_limit_error", reserving.message, {
    retryAfterSeconds: reserving.retryAfterSeconds,
  });
}

/** The session whose token `request` carries, in either header. */
function authenticate(
  request: IncomingMessage,
  tokens: Tokens,
): { session: SessionGrant; form: CredentialForm } {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const apiKey = request.headers["x-api-key"];
  const candidates = [
    { token: bearer, form: "bearer" },
    { token: typeof apiKey === "string" ? apiKey : undefined, form: "x-api-key" },
  ] as const;
  for (const { token, form } of candidates) {
    const session = token === undefined ? undefined : tokens.holder(token);
    if (session !== undefined) return { session, form };
  }
  throw new Refusal("authentication_error", "The token names no session that may spend.");
}

/** Which turn the session's host says it asks for. The headers go no further: the upstream is sent a list of its own. */
function askedTurn({ headers }: IncomingMessage): AskedTurn | undefined {
  const turn = headers[TURN_HEADER];
  const host = headers[HOST_HEADER];
  if (turn === undefined && host === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(String(turn ?? "")) || !/^[\w-]{1,64}$/.test(String(host ?? ""))) {
    throw new Refusal(
      "invalid_request_error",
      `${TURN_HEADER} must be a turn's number from 1, and ${HOST_HEADER} the name of the session's host.`,
    );
  }
  return { turn: Number(turn), host: String(host) };
}

/**
 * By how much the request's betas can make it dearer; at least 1.
 *
 * @throws Refusal when one of them that can is not admitted
 */
function factorOfBetas(request: IncomingMessage, admitted: readonly AdmittedField[]): number {
  const betas = String(request.headers["anthropic-beta"] ?? "").split(",");
  let factor = 1;
  for (const beta of new Set(betas.map((one) => one.trim()))) {
    if (!REFUSED_BETAS.test(beta)) continue;
    const setting = admitted.find(({ field }) => field === beta);
    if (setting === undefined) {
      throw new Refusal(
        "invalid_request_error",
        `The beta \`${beta}\` is not forwarded: its cost can't be bounded.`,
      );
    }
    factor *= Math.max(1, setting.priceFactor);
  }
  return factor;
}

async function readBody(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  if (request.headers["content-encoding"] !== undefined) {
    throw new Refusal("invalid_request_error", "The body must be sent without a content-encoding.");
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  // One that is left before its end can still be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    // Read on all the same: who is cut off while sending takes it for a broken connection, and sends it again.
    if (bytes > BODY_BYTES_MAX) chunks.length = 0;
    else chunks.push(chunk);
    if (bytes <= REFUSED_BYTES_MAX) continue;
    response.setHeader("connection", "close");
    break;
  }
  if (bytes > BODY_BYTES_MAX)
    throw new Refusal("request_too_large", `The body has more than ${BODY_BYTES_MAX} bytes.`);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw new Refusal("invalid_request_error", `The body is not JSON: ${(error as Error).message}`);
  }
}

function forwardedHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of FORWARDED_HEADERS) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = String(value);
  }
  return headers;
}

/** Aborts when the client goes before its answer is complete. */
function left(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) controller.abort(new ClientLeftError("The client left."));
  };
  if (response.destroyed) onClose();
  else response.on("close", onClose);
  return controller.signal;
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    server.listen({ host: "127.0.0.1", port });
    await once(server, "listening");
  } catch (error) {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    await listen(server, 0);
  }
}
