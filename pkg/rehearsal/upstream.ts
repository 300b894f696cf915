import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../runtime/clock.ts";
import type { Answer } from "./answer.ts";
import { ApiError, sendError, sendJson } from "./api-error.ts";
import type { MessagesRequest } from "./messages.ts";
import { pause } from "./pause.ts";
import { play } from "./play.ts";
import { type InputUsage, PromptCache, promptTokens } from "./prompt-cache.ts";
import { readRequest } from "./read-request.ts";
import type { RequestLog, RequestRecord } from "./request-log.ts";
import type { Scenario } from "./scenario.ts";
import { sendAnswer } from "./send-answer.ts";

export interface UpstreamDeps {
  scenarios: readonly Scenario[];
  clock: Clock;
  log: RequestLog;
  /** Factor on every pause that a scenario makes: 1 as it is written, 0 none at all. */
  pace: number;
}

/** Answers one HTTP request as the Messages API would. */
export type Upstream = (incoming: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The model's part: plays scenarios, streams, bills and keeps count. */
export function upstream({ scenarios, clock, log, pace }: UpstreamDeps): Upstream {
  const cache = new PromptCache(clock);
  const askedByRequest = new Map<string, number>();

  return async (incoming, response) => {
    const id = `req_rehearsal_${hexId()}`;
    response.setHeader("request-id", id);
    response.setHeader("x-bosun-rehearsal", "true");
    const path = (incoming.url ?? "").split("?")[0];
    try {
      if (path === "/rehearsal/requests") sendJson(response, 200, { requests: log.all() });
      else if (path === "/v1/messages/count_tokens") await countTokens(incoming, response);
      else if (path === "/v1/messages") await messages(id, incoming, response);
      else throw new ApiError(404, `The rehearsal has no ${path}; it has /v1/messages.`);
    } catch (error) {
      if (response.headersSent) throw error;
      sendError(response, error instanceof ApiError ? error : new ApiError(500, `[rehearsal] ${error}`));
    }
  };

  async function countTokens(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    mustPost(incoming);
    sendJson(response, 200, { input_tokens: promptTokens(await readRequest(incoming, "count_tokens")) });
  }

  async function messages(id: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    mustPost(incoming);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const request = await readOrRecord(id, incoming);
    const answer = paced(play(scenarios, request, countAsked(request)), pace);
    const turn = request.messages.filter((message) => message.role === "assistant").length;
    const record = begin({ id, model: request.model, scenario: answer.scenario, step: answer.step, turn });
    try {
      checkTools(answer, request);
      await pause(clock, answer.delayMs + answer.pace.firstMs, gone.signal);
      raiseFault(answer, clock.now());
      const input = { ...cache.charge(request), ...withoutOutput(answer.usage) };
      const sending = { request, answer, input, record, response, gone: gone.signal, clock, log };
      await sendAnswer(`msg_rehearsal_${hexId()}`, sending);
    } catch (error) {
      if (record.ended === "Open") log.end(record, { ...endingOf(error, gone.signal), endMs: clock.now() });
      if (!gone.signal.aborted) throw error;
    }
  }

  async function readOrRecord(id: string, incoming: IncomingMessage): Promise<MessagesRequest> {
    try {
      return await readRequest(incoming, "messages");
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 400;
      const record = begin({ id, model: "", scenario: "", step: "", turn: 0 });
      log.end(record, { ended: "Refused", status, endMs: clock.now() });
      throw error;
    }
  }

  function begin(known: Pick<RequestRecord, "id" | "model" | "scenario" | "step" | "turn">): RequestRecord {
    const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
    return log.begin({ ...known, startMs: clock.now(), status: 200, ended: "Open", usage, costNanoUSD: 0 });
  }

  /** How often this very conversation was asked for its next turn before. */
  function countAsked({ model, system, messages: said }: MessagesRequest): number {
    const hash = createHash("sha256")
      .update(JSON.stringify([model, system, said]))
      .digest("hex");
    const asked = askedByRequest.get(hash) ?? 0;
    askedByRequest.set(hash, asked + 1);
    return asked;
  }
}

function paced(answer: Answer, factor: number): Answer {
  const { firstMs, chunkMs, chunkChars } = answer.pace;
  return {
    ...answer,
    delayMs: answer.delayMs * factor,
    pace: { firstMs: firstMs * factor, chunkMs: chunkMs * factor, chunkChars },
  };
}

function mustPost({ method }: IncomingMessage): void {
  if (method !== "POST") throw new ApiError(405, `Method ${method} is not allowed; use POST.`);
}

/** A scenario must not call what the session does not offer: it would never get a result. */
function checkTools({ scenario, step, blocks }: Answer, { tools = [] }: MessagesRequest): void {
  const offered = tools.map((tool) => tool.name);
  for (const block of blocks) {
    if (block.type !== "tool_use" || offered.includes(block.name)) continue;
    const where = `Scenario ${scenario}, step ${step}`;
    throw new ApiError(400, `${where} calls the tool ${block.name}, which this request does not offer.`);
  }
}

function raiseFault({ scenario, fault }: Answer, nowMs: number): void {
  if (fault === undefined || !("status" in fault)) return;
  const message = fault.message ?? `The scenario ${scenario} asks for this error.`;
  const { status, retryAfterSeconds, usageResetSeconds } = fault;
  throw new ApiError(status, `[rehearsal] ${message}`, {
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(usageResetSeconds === undefined ? {} : usedUp(usageResetSeconds, nowMs)),
  });
}

/** As the API says that the five hours of a subscription are used up. */
function usedUp(resetSeconds: number, nowMs: number): Record<string, string> {
  const reset = String(Math.ceil(nowMs / 1000) + resetSeconds);
  return {
    "retry-after": String(resetSeconds),
    "anthropic-ratelimit-unified-status": "rejected",
    "anthropic-ratelimit-unified-reset": reset,
    "anthropic-ratelimit-unified-representative-claim": "five_hour",
    "anthropic-ratelimit-unified-5h-status": "rejected",
    "anthropic-ratelimit-unified-5h-reset": reset,
    "anthropic-ratelimit-unified-7d-status": "allowed",
    "anthropic-ratelimit-unified-7d-reset": String(Number(reset) + 3 * 86_400),
  };
}

function endingOf(error: unknown, gone: AbortSignal): Pick<RequestRecord, "ended" | "status"> {
  if (gone.aborted) return { ended: "ClientLeft", status: 200 };
  const status = error instanceof ApiError ? error.status : 500;
  return { ended: status === 400 ? "Refused" : "Fault", status };
}

function withoutOutput(usage: Answer["usage"]): Partial<InputUsage> {
  const { output: _, ...input } = usage ?? {};
  return input;
}

function hexId(): string {
  return randomUUID().replaceAll("-", "");
}
