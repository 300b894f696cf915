/** One request to the upstream and its answer back to the client, seen through to its end. */
import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../runtime/clock.ts";
import type { Failpoints } from "../runtime/failpoints.ts";
import { answerError } from "./api-errors.ts";
import { cacheLifetimeOf, type MessagesRequest } from "./messages-request.ts";
import type { Payment } from "./payments.ts";
import { type Ending, type Observer, observe } from "./settlement.ts";
import type { Exchange, Outgoing, Upstream } from "./upstream.ts";
import { type Refusal, refusalOf } from "./usage-limit.ts";

/** How long an answer is read on when nobody listens any more, in milliseconds: its usage is still to come. */
const READ_ON_MS = 300_000;

/** How long a connection may take to come about, in milliseconds. */
const CONNECT_MS_MAX = 30_000;

export interface Forwarding {
  /** Without its body, which is `request`. */
  outgoing: Outgoing;
  request: MessagesRequest;
  response: ServerResponse;
  /** Aborted when the client leaves. */
  leaving: AbortSignal;
  /** Aborted when the gateway is stopped: only this cuts a request that was sent. */
  stopped: AbortSignal;
}

const DROPPED_HEADERS = [
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "set-cookie",
  "upgrade",
];

/**
 * Sends the request, streams the answer back as it comes, no faster than the client reads, and settles `payment` when
 * the answer's usage is known, at the latest at its end. Once the body is sent the request is never repeated.
 *
 * @param payment - undefined for a request that costs nothing
 */
export async function forward(
  { outgoing, request, response, leaving, stopped }: Forwarding,
  payment: Payment | undefined,
  { upstream, clock, failpoints }: { upstream: Upstream; clock: Clock; failpoints: Failpoints },
): Promise<void> {
  const end = async (ending: Ending): Promise<void> => payment?.end(ending);

  const late = deadline(CONNECT_MS_MAX, "No connection in time.", clock);
  let exchange: Exchange | undefined;
  try {
    const signal = AbortSignal.any([leaving, stopped, late.signal]);
    exchange = await upstream.connect({ ...outgoing, body: JSON.stringify(request) }, signal);
    failpoints.hit("request-connected");
    await payment?.sent();
    failpoints.hit("request-sending");
    AbortSignal.any([leaving, stopped]).throwIfAborted();
  } catch (error) {
    exchange?.cut(error as Error);
    await end({ is: "not sent", why: (error as Error).message });
    const message = `No connection to the upstream: ${(error as Error).message}`;
    answerError(response, { type: "api_error", message, reason: "NotSent", shouldRetry: true });
    return;
  } finally {
    late.end();
  }
  const done = cutWhenDue(exchange, { leaving, stopped, clock });
  try {
    const answer = await exchange.send(() => failpoints.hit("request-sent"));
    const status = answer.statusCode ?? 0;
    const isRefusal = status === 429 || status === 529;
    const refusal = isRefusal ? refusalOf(answer.headers, status, clock.now()) : undefined;
    payment?.answered(status, refusal);
    failpoints.hit("request-answered");
    await passOn(answer, { request, response, payment, refusal });
  } catch (error) {
    // Settled by `passOn` when a status came; then this changes nothing.
    await end({ is: "no status", why: `no status: ${(error as Error).message}` });
    const message = `The upstream took the request and gave no answer: ${(error as Error).message}`;
    answerError(response, { type: "api_error", message, reason: "Unsettled", shouldRetry: false });
  } finally {
    done.abort();
  }
}

async function passOn(
  answer: IncomingMessage,
  {
    request,
    response,
    payment,
    refusal,
  }: {
    request: MessagesRequest;
    response: ServerResponse;
    payment: Payment | undefined;
    refusal: Refusal | undefined;
  },
): Promise<void> {
  const status = answer.statusCode ?? 0;
  const observer: Observer = observe(answer.headers["content-type"] ?? "", cacheLifetimeOf(request) ?? "5m");
  const upstreamId = answer.headers["request-id"]?.toString();
  const settle = async (): Promise<void> =>
    payment?.end({ is: "answered", status, seen: observer.seen, upstreamId });

  response.writeHead(status, {
    ...passedHeaders(answer.headers),
    ...(payment === undefined ? {} : { "x-bosun-request": payment.id }),
    // No matter of a moment: who asked is told as those are who ask after it.
    ...(refusal?.usedUp === undefined ? {} : { "x-bosun-reason": "UsageLimited", "x-should-retry": "false" }),
  });
  try {
    for await (const chunk of answer) {
      observer.push(chunk);
      // Before the client sees the end: its next request may then count on this one's usage.
      if (observer.isComplete) await settle();
      await write(response, chunk);
    }
    observer.end();
  } catch {
    // The answer was cut: what was seen of it decides, and the client sees the cut too.
    await settle();
    response.destroy();
    return;
  }
  await settle();
  response.end();
}

/** Writes no faster than the client reads; once the client has left, nothing. */
async function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  if (response.destroyed || response.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.once("drain", go).once("close", go);
  });
}

/** Cuts `exchange` on stop, or when the client has been gone for too long. Abort what it returns when all is over. */
function cutWhenDue(
  exchange: Exchange,
  { leaving, stopped, clock }: { leaving: AbortSignal; stopped: AbortSignal; clock: Clock },
): AbortController {
  const done = new AbortController();
  stopped.addEventListener("abort", () => exchange.cut(stopped.reason), { signal: done.signal });
  const readOn = async (): Promise<void> => {
    if (!leaving.aborted) await once(leaving, "abort", { signal: done.signal });
    await clock.sleep(READ_ON_MS, done.signal);
    exchange.cut(new Error("The client left, and the answer did not end in time."));
  };
  readOn().catch(() => {
    // Over before it was due.
  });
  return done;
}

/** A signal that aborts after `ms` milliseconds, unless ended before. */
function deadline(ms: number, message: string, clock: Clock): { signal: AbortSignal; end(): void } {
  const late = new AbortController();
  const done = new AbortController();
  clock.sleep(ms, done.signal).then(
    () => late.abort(new Error(message)),
    () => {
      // Ended in time.
    },
  );
  return { signal: late.signal, end: () => done.abort() };
}

function passedHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED_HEADERS.includes(name)));
}
