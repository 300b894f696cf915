import type { ServerResponse } from "node:http";
import type { Message } from "@anthropic-ai/sdk/resources/messages";
import type { Clock } from "../runtime/clock.ts";
import type { Answer } from "./answer.ts";
import { sendJson } from "./api-error.ts";
import { type BilledUsage, costOf } from "./bill.ts";
import { type BilledEvent, eventsOf, messageOf } from "./events.ts";
import type { MessagesRequest } from "./messages.ts";
import { pause } from "./pause.ts";
import type { InputUsage } from "./prompt-cache.ts";
import type { RequestLog, RequestRecord } from "./request-log.ts";

export interface Sending {
  request: MessagesRequest;
  answer: Answer;
  /** What the prompt costs. */
  input: InputUsage;
  record: RequestRecord;
  response: ServerResponse;
  /** Aborted when the client has left. */
  gone: AbortSignal;
  clock: Clock;
  log: RequestLog;
}

/**
 * Sends an answer, streamed or whole, at the scenario's pace and with its cut or hang, and bills what is out.
 *
 * @throws `gone.reason` when the client leaves first; the record is then still open
 */
export async function sendAnswer(id: string, sending: Sending): Promise<void> {
  const { request, answer, input, record } = sending;
  const whole = messageOf(answer, request, id, input);
  record.message = whole.id;
  const events = eventsOf(whole, answer, input);
  if (request.stream) await sendEvents(events, sending);
  else await sendWhole(whole, events, sending);
}

async function sendEvents(events: readonly BilledEvent[], sending: Sending): Promise<void> {
  const { answer, input, record, response, gone, clock, log } = sending;
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
    if (paced) await pause(clock, answer.pace.chunkMs, gone);
    gone.throwIfAborted();
    bill(record, { ...input, output: outputTokens });
    // Counted before it is out: who has read the last event finds the request complete.
    if (index === events.length - 1) log.end(record, { ended: "Complete", endMs: clock.now() });
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

async function sendWhole(whole: Message, events: readonly BilledEvent[], sending: Sending): Promise<void> {
  const { answer, input, record, response, gone, clock, log } = sending;
  await pause(clock, answer.pace.chunkMs * events.filter(({ paced }) => paced).length, gone);
  bill(record, { ...input, output: events.at(-1)?.outputTokens ?? 0 });
  const stop = stopOf(answer);
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
async function breakOff(how: "cut" | "hang", { record, response, gone, clock, log }: Sending): Promise<void> {
  if (how === "hang") {
    gone.throwIfAborted();
    await new Promise((_, reject) =>
      gone.addEventListener("abort", () => reject(gone.reason), { once: true }),
    );
  }
  log.end(record, { ended: "Cut", endMs: clock.now() });
  // What was said before is to arrive; a reset would take it along.
  if (response.headersSent) await new Promise<void>((flushed) => response.write("", () => flushed()));
  response.destroy();
}

function bill(record: RequestRecord, usage: BilledUsage): void {
  const cost = costOf(record.model, usage);
  record.usage = usage;
  if (cost === undefined) delete record.costNanoUSD;
  else record.costNanoUSD = cost;
}

function stopOf({ fault }: Answer): { after: number; how: "cut" | "hang" } | undefined {
  if (fault === undefined) return undefined;
  if ("cutAfterEvents" in fault) return { after: fault.cutAfterEvents, how: "cut" };
  return "hangAfterEvents" in fault ? { after: fault.hangAfterEvents, how: "hang" } : undefined;
}
