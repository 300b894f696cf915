/** One request to an API server and its answer, through what may pass by itself: old credentials, "not now". */
import { type Status, StatusError } from "../api/status-error.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { TransientError } from "../runtime/errors.ts";
import type { Access } from "./access.ts";
import { type Answer, httpTransport, type Transport } from "./transport.ts";

export interface Call {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the server's address on, with the query. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Of the body; `application/json` when absent. */
  contentType?: string;
  /** The answer has to begin within this, and may pause no longer, in milliseconds; `answerMs` when absent. */
  silentMs?: number;
  signal?: AbortSignal;
}

export interface ExchangeDeps {
  access: Access;
  clock: Clock;
  random: Random;
  /** Whom the server's log and managedFields name. */
  userAgent: string;
  /** Node's own HTTP client when absent. */
  transport?: Transport;
  /** Told of each answer, for metrics; code 0 when none came. */
  seen?(call: Call, code: number): void;
  /** Told of each warning beside an answer: a field that the server does not know and drops, a version that goes. */
  warned?(text: string): void;
  /** Told of each refusal for want of a right, in the server's words. */
  forbidden?(text: string): void;
}

/** kube-apiserver gives up on a request after 60 s, so who waits longer waits for nothing; in milliseconds. */
const answerMs = 70_000;
/** Times that a request is sent again after "not now". Ten are client-go's number; controllers come back by themselves. */
const triesMax = 5;
/** "Not now" for longer than this is left to the caller, in seconds. */
const retryAfterMax = 30;

/**
 * Sends `call` and returns the answer as soon as its headers are there.
 *
 * Sent again: once with renewed credentials after a 401; after a 429 when its `Retry-After` has passed, since nothing
 * was done; a GET also after a 5xx that names such a time, and at once when a kept connection turns out to be closed. A
 * write whose connection breaks is not tried again: whether it was made is then unknown.
 *
 * @throws StatusError when the server refuses; TransientError `Unreachable` when no whole answer comes,
 *   `NoCredentials` when there is nothing to ask with; `signal.reason` when aborted
 */
export async function exchange(deps: ExchangeDeps, call: Call): Promise<Answer> {
  let renewed = false;
  for (let tries = 1; ; tries += 1) {
    const response = await sendOnce(deps, call);
    const code = response.statusCode ?? 0;
    deps.seen?.(call, code);
    if (code >= 200 && code < 300) {
      for (const text of warningsOf(response)) deps.warned?.(text);
      return response;
    }
    const answer = await textOf(response, call, deps.access);
    if (code === 401 && !renewed) {
      renewed = true;
      deps.access.renew();
      continue;
    }
    const seconds = Number(response.headers["retry-after"]);
    const mayPass = code === 429 || (code >= 500 && call.method === "GET");
    if (!mayPass || !(seconds >= 0 && seconds <= retryAfterMax) || tries >= triesMax)
      throw refused(deps, code, answer);
    // Not less than it asks for, and not all at once.
    await deps.clock.sleep(Math.ceil(seconds * 1000 * (1 + deps.random.next() * 0.2)), call.signal);
  }
}

/** The whole of an answer as JSON. */
export async function readJson(response: Answer, call: Call, access: Access): Promise<unknown> {
  const text = await textOf(response, call, access);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TransientError(
      "InvalidAnswer",
      `${access.server} answered ${call.method} ${call.path} with no JSON.`,
      {
        cause,
      },
    );
  }
}

/** An ERROR event of a watch, or a refusal's body, as the error that it is. */
export function statusError(status: Partial<Status>, code: number): StatusError {
  const { reason, message, details, metadata } = status;
  return new StatusError(
    status.code ?? code,
    reason ?? "Unknown",
    message ?? `The server answered ${code}.`,
    details,
    {
      ...metadata,
    },
  );
}

export function unreachable(server: string, { method, path }: Call, cause: unknown): TransientError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TransientError("Unreachable", `${method} ${path} got no answer from ${server}: ${why}`, {
    cause,
  });
}

/** The texts of `Warning: 299 AGENT "TEXT"`, of which Node makes one header. (RFC 7234, section 5.5) */
function warningsOf({ headers }: Answer): string[] {
  const found = (headers.warning ?? "").matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, text = ""]) => text.replaceAll(/\\(.)/g, "$1"));
}

async function sendOnce(deps: ExchangeDeps, call: Call): Promise<Answer> {
  const { access, userAgent, transport = httpTransport } = deps;
  const { method, path, body, contentType = "application/json", silentMs = answerMs, signal } = call;
  signal?.throwIfAborted();
  const { agent, headers } = await credentials(access);
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const sent = payload === undefined ? {} : { "content-type": contentType, "content-length": payload.length };
  try {
    return await transport({
      ...{ method, url: `${access.server}${path}`, agent, silentMs },
      headers: { accept: "application/json", "user-agent": userAgent, ...headers, ...sent },
      ...(payload === undefined ? {} : { payload }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    deps.seen?.(call, 0);
    throw unreachable(access.server, call, cause);
  }
}

async function credentials(access: Access): ReturnType<Access["options"]> {
  try {
    return await access.options();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new TransientError("NoCredentials", `No credentials for ${access.server}: ${why}`, { cause });
  }
}

async function textOf(response: Answer, call: Call, access: Access): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch (cause) {
    call.signal?.throwIfAborted();
    throw unreachable(access.server, call, cause);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refused({ access, forbidden }: ExchangeDeps, code: number, answer: string): StatusError {
  if (code === 401) return unauthorized(access.server, answer);
  const error = refusal(code, answer);
  if (code === 403) forbidden?.(error.message);
  return error;
}

/** A server says no more than the word: nobody could tell from it what to do. */
function unauthorized(server: string, answer: string): StatusError {
  const { reason, message, details } = refusal(401, answer);
  const advice = `${server} does not accept the credentials in the kubeconfig: they are wrong, or have run out. Get new ones (${message})`;
  return new StatusError(401, reason, advice, details);
}

function refusal(code: number, answer: string): StatusError {
  try {
    const status = JSON.parse(answer) as Partial<Status>;
    if (status.kind === "Status") return statusError(status, code);
  } catch {
    // No Status: a proxy's page, or a handler beside the API. Its text is all there is to tell.
  }
  const reason = code === 429 ? "TooManyRequests" : code >= 500 ? "ServiceUnavailable" : "Unknown";
  return new StatusError(code, reason, `The server answered ${code}: ${answer.slice(0, 300)}`);
}
