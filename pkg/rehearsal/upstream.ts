import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Message } from "@anthropic-ai/sdk/resources/messages";
import type { Clock } from "../runtime/clock.ts";
import type { Answer } from "./answer.ts";
import { ApiError, sendError, sendJson } from "./api-error.ts";
import { type BilledUsage, costOf } from "./bill.ts";
import { type BilledEvent, eventsOf, messageOf } from "./events.ts";
import type { MessagesRequest } from "./messages.ts";
import { play } from "./play.ts";
import { type InputUsage, PromptCache, promptTokens } from "./prompt-cache.ts";
import { readRequest } from "./read-request.ts";
import type { RequestLog, RequestRecord } from "./request-log.ts";
import type { Scenario } from "./scenario.ts";

export interface UpstreamDeps {
  scenarios: readonly Scenario[];
  clock: Clock;
  log: RequestLog;
}

/** Answers one HTTP request as the Messages API would. */
export type Upstream = (incoming: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The model's part: plays scenarios, streams, bills and keeps count. */
export function upstream({ scenarios, clock, log }: UpstreamDeps): Upstream {
  const cache = new PromptCache(clock);
  const askedByRequest = new Map<string, number>();

  return async (incoming, response) => {
    const id = `req_rehearsal_${randomUUID().replaceAll("-", "")}`;
    response.setHeader("request-id", id);
    response.setHeader("x-bosun-rehearsal", "true");
    const path = (incoming.url ?? "").split("?")[0];
    try {
      if (path === "/rehearsal/requests") sendJson(response, 200, { requests: log.all() });
      else if (path === "/v1/messages/count_tokens") await countTokens(incoming, response);
      else if (path === "/v1/messages") await messages(id, incoming, response);
      else throw new ApiError(404, `The rehearsal has no ${path}; it has /v1/messages.`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      sendError(response, error);
    }
  };

  async function countTokens(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    mustPost(incoming);
    sendJson(response, 200, { input_tokens: promptTokens(await readRequest(incoming, "count_tokens")) });
  }

  async function messages(id: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    mustPost(incoming);
    const request = await readOrRecord(id, incoming);
    const answer = play(scenarios, request, countAsked(request));
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const turn = request.messages.filter((message) => message.role === "assistant").length;
    const record = begin({ id, model: request.model, scenario: answer.scenario, step: answer.step, turn });
    const offered = (request.tools ?? []).map((tool) => tool.name);
    const missing = answer.blocks.find((block) => block.type === "tool_use" && !offered.includes(block.name));
    if (missing?.type === "tool_use") {
      log.end(record, { ended: "Refused", status: 400, endMs: clock.now() });
      const where = `Scenario ${answer.scenario}, step ${answer.step}`;
      throw new ApiError(400, `${where} calls the tool ${missing.name}, which this request does not offer.`);
    }
    const { fault } = answer;
    try {
      await clock.sleep(answer.delayMs + answer.pace.firstMs, gone.signal);
      if (fault !== undefined && "status" in fault) {
        log.end(record, { ended: "Fault", status: fault.status, endMs: clock.now() });
        const message = fault.message ?? `The scenario ${answer.scenario} asks for this error.`;
        throw new ApiError(fault.status, `[rehearsal] ${message}`, fault.retryAfterSeconds);
      }
      await send({ request, answer, record, response, gone: gone.signal });
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      if (record.ended === "Open") log.end(record, { ended: "ClientLeft", endMs: clock.now() });
    }
  }

  async function send({ request, answer, record, response, gone }: Sending): Promise<void> {
    const input = { ...cache.charge(request), ...withoutOutput(answer.usage) };
    const whole = messageOf(answer, request, `msg_rehearsal_${randomUUID().replaceAll("-", "")}`, input);
    record.message = whole.id;
    const events = eventsOf(whole, answer, input);
    if (request.stream) await stream(events, { request, answer, record, response, gone }, input);
    else await sendWhole(whole, events, { request, answer, record, response, gone }, input);
  }

  async function stream(events: readonly BilledEvent[], sending: Sending, input: InputUsage): Promise<void> {
    const { answer, record, response, gone } = sending;
    const stop = stopOf(answer);
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
    });
    response.flushHeaders();
    for (const [index, { event, outputTokens, paced }] of events.entries()) {
      if (index === stop?.after) {
        await breakOff(stop.how, sending);
        return;
      }
      if (paced) await clock.sleep(answer.pace.chunkMs, gone);
      gone.throwIfAborted();
      bill(record, { ...input, output: outputTokens });
      // Counted before it is out: who has read the last event finds the request complete.
      if (index === events.length - 1) log.end(record, { ended: "Complete", endMs: clock.now() });
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  }

  async function sendWhole(
    whole: Message,
    events: readonly BilledEvent[],
    sending: Sending,
    input: InputUsage,
  ): Promise<void> {
    const { answer, record, response, gone } = sending;
    await clock.sleep(answer.pace.chunkMs * events.filter(({ paced }) => paced).length, gone);
    const stop = stopOf(answer);
    bill(record, { ...input, output: events.at(-1)?.outputTokens ?? 0 });
    if (stop === undefined) {
      log.end(record, { ended: "Complete", endMs: clock.now() });
      sendJson(response, 200, whole);
      return;
    }
    if (stop.after > 0) {
      response.writeHead(200, { "content-type": "application/json" });
      response.write(JSON.stringify(whole).slice(0, 40));
    }
    await breakOff(stop.how, sending);
  }

  /** Cuts the connection, or says nothing more until the client leaves. */
  async function breakOff(how: "cut" | "hang", { record, response, gone }: Sending): Promise<void> {
    if (how === "hang") {
      await new Promise((_, reject) =>
        gone.addEventListener("abort", () => reject(gone.reason), { once: true }),
      );
    }
    log.end(record, { ended: "Cut", endMs: clock.now() });
    await new Promise<void>((flushed) => response.write("", () => flushed()));
    response.destroy();
  }

  function bill(record: RequestRecord, usage: BilledUsage): void {
    const cost = costOf(record.model, usage);
    Object.assign(record, { usage, ...(cost === undefined ? {} : { costNanoUSD: cost }) });
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

interface Sending {
  request: MessagesRequest;
  answer: Answer;
  record: RequestRecord;
  response: ServerResponse;
  gone: AbortSignal;
}

function mustPost({ method }: IncomingMessage): void {
  if (method !== "POST") throw new ApiError(405, `Method ${method} is not allowed; use POST.`);
}

function stopOf({ fault }: Answer): { after: number; how: "cut" | "hang" } | undefined {
  if (fault === undefined) return undefined;
  if ("cutAfterEvents" in fault) return { after: fault.cutAfterEvents, how: "cut" };
  return "hangAfterEvents" in fault ? { after: fault.hangAfterEvents, how: "hang" } : undefined;
}

function withoutOutput(usage: Answer["usage"]): Partial<InputUsage> {
  const { output: _, ...input } = usage ?? {};
  return input;
}
