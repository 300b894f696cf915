/**
 * An upstream that bills as it likes, within what it promised: never more output than `max_tokens`, never more input than
 * the bytes it was sent can stand for. It keeps a bill of its own, in a file, with prices of its own.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** One request that arrived whole, as the upstream bills it. */
export interface BillLine {
  /** As the answer's `request-id` says; the client may never have seen it. */
  upstreamId: string;
  /** What the client calls its request: `<host>/<turn>`. A client's retries share it. */
  asked: string;
  how: How;
  /** In nano-dollars. */
  cost: number;
  tokens: number;
  maxTokens: number;
  at: string;
}

export type How =
  | "streamed"
  | "whole"
  | "no usage"
  | "cut"
  | "cut at once"
  | "no status"
  | "error event"
  | "refused"
  | "above its bound";

export interface SoakUpstream extends AsyncDisposable {
  url: string;
  bill: BillLine[];
  /** Requests that arrived and were not answered to their end yet. */
  busy: number;
  /** While true it answers soundly and bills a token for every four bytes. */
  isSound: boolean;
  /** How many of the next requests are billed above any bound. */
  violations: number;
}

export interface UpstreamOptions {
  billPath: string;
  random: () => number;
  now: () => Date;
}

/** Nano-dollars a token of claude-sonnet-5-5. */
const PRICE = { input: 2_000, output: 10_000, cacheRead: 100, cacheWrite5m: 2_500, cacheWrite1h: 4_000 };

interface Request {
  stream?: boolean;
  max_tokens: number;
  messages: { role: string; content: unknown }[];
  system?: unknown;
  tools?: unknown;
  metadata?: { user_id?: string };
}

interface Usage {
  input: number;
  cacheRead: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  output: number;
}

export async function startSoakUpstream({ billPath, random, now }: UpstreamOptions): Promise<SoakUpstream> {
  let requests = 0;
  const upstream: SoakUpstream = {
    url: "",
    bill: [],
    busy: 0,
    isSound: false,
    violations: 0,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
  const server = http.createServer((incoming, response) => {
    response.setHeader("date", now().toUTCString());
    answer(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return upstream;

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (incoming.method === "HEAD") return void response.writeHead(404).end();
    const request = JSON.parse(await text(incoming)) as Request;
    const upstreamId = `req_${++requests}`;
    response.setHeader("request-id", upstreamId);
    const how = howToAnswer(request);
    const usage = above(usageOf(request, how), how);
    const line: BillLine = {
      upstreamId,
      asked: request.metadata?.user_id ?? "",
      how,
      cost: how === "refused" ? 0 : costOf(usage),
      tokens: how === "refused" ? 0 : total(usage),
      maxTokens: request.max_tokens,
      at: now().toISOString(),
    };
    // Billed before anything is said: whoever dies meanwhile is billed all the same.
    upstream.bill.push(line);
    appendFileSync(billPath, `${JSON.stringify(line)}\n`);
    upstream.busy += 1;
    try {
      if (!upstream.isSound && random() < 0.3) await sleep(random() * 800);
      await reply(response, request, { how, usage });
    } finally {
      upstream.busy -= 1;
    }
  }

  function howToAnswer(request: Request): How {
    const sound = request.stream === true ? "streamed" : "whole";
    if (upstream.violations > 0) {
      upstream.violations -= 1;
      return "above its bound";
    }
    if (upstream.isSound) return sound;
    const dice = random();
    if (dice < 0.1) return "refused";
    if (dice < 0.13) return "no status";
    if (dice < 0.16) return "cut at once";
    if (request.stream !== true) return dice < 0.19 ? "no usage" : "whole";
    if (dice < 0.2) return "cut";
    if (dice < 0.24) return "no usage";
    if (dice < 0.28) return "error event";
    return "streamed";
  }

  /** Any split of the prompt over fresh, read and written tokens that its `cache_control` allows. */
  function usageOf(request: Request, how: How): Usage {
    const prompt = promptTokens(request) + (upstream.isSound ? 0 : Math.floor(random() * 2_000));
    const output =
      upstream.isSound || how === "refused"
        ? Math.min(request.max_tokens, 400)
        : Math.ceil(request.max_tokens * random() ** 2);
    const usage: Usage = { input: prompt, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output };
    const body = JSON.stringify(request);
    if (!body.includes('"cache_control"')) return usage;
    const allows1h = body.includes('"ttl":"1h"');
    if (upstream.isSound)
      return {
        ...usage,
        input: 0,
        cacheRead: Math.floor(prompt * 0.95),
        cacheWrite5m: Math.ceil(prompt * 0.05),
      };
    const kinds = [
      "input",
      "cacheRead",
      "cacheWrite5m",
      ...(allows1h ? ["cacheWrite1h"] : []),
    ] as (keyof Usage)[];
    const dear = allows1h ? "cacheWrite1h" : "cacheWrite5m";
    // Often all of it at the dearest: that is what a bound must hold against.
    if (random() < 0.4) return { ...usage, input: 0, [dear]: prompt };
    const split: Usage = { ...usage, input: 0 };
    let left = prompt;
    for (const kind of kinds) {
      split[kind] = kind === kinds.at(-1) ? left : Math.floor(left * random());
      left -= split[kind];
    }
    return split;
  }

  function above(usage: Usage, how: How): Usage {
    return how === "above its bound" ? { ...usage, input: usage.input + 5_000_000 } : usage;
  }

  /** A token is four bytes, but for some messages every byte is one; whatever a message is, it stays so. */
  function promptTokens(request: Request): number {
    const parts = [[request.system, request.tools], ...request.messages.map((message) => message)];
    return parts.reduce<number>((sum, part) => {
      const bytes = JSON.stringify(withoutMarks(part));
      const isDense = !upstream.isSound && createHash("md5").update(bytes).digest()[0] === 7;
      return sum + Math.ceil(Buffer.byteLength(bytes) / (isDense ? 1 : 4));
    }, 0);
  }

  async function reply(
    response: ServerResponse,
    request: Request,
    { how, usage }: { how: How; usage: Usage },
  ): Promise<void> {
    if (how === "no status") return void response.destroy();
    if (how === "refused") return refuse(response);
    const content = [{ type: "text", text: "y".repeat(upstream.isSound ? 200 : Math.floor(random() * 400)) }];
    const message = { id: "msg", type: "message", role: "assistant", model: "claude-sonnet-5-5", content };
    if (request.stream !== true) {
      response.writeHead(200, { "content-type": "application/json" });
      const body = JSON.stringify({
        ...message,
        stop_reason: "end_turn",
        ...(how === "no usage" ? {} : { usage: said(usage) }),
      });
      if (how !== "cut at once") return void response.end(body);
      return void response.write(body.slice(0, 30), () => response.destroy());
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (how === "cut at once") return void response.write("event: message_st", () => response.destroy());
    for (const event of events(message, { how, usage })) {
      const times = !upstream.isSound && random() < 0.15 ? 2 : 1;
      for (let i = 0; i < times; i += 1)
        response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      if (!upstream.isSound && random() < 0.1) await sleep(random() * 100);
    }
    if (how === "cut") response.destroy();
    else response.end();
  }

  function refuse(response: ServerResponse): void {
    const status = [429, 529, 500][Math.floor(random() * 3)] ?? 500;
    response.writeHead(status, {
      "content-type": "application/json",
      ...(status === 429 ? { "retry-after": "1" } : {}),
    });
    response.end(JSON.stringify({ type: "error", error: { type: "api_error", message: "not now" } }));
  }

  function* events(
    message: { content: { type: string; text: string }[] },
    { how, usage }: { how: How; usage: Usage },
  ): Generator<{ type: string; [field: string]: unknown }> {
    const { text = "" } = message.content[0] ?? {};
    const start = { ...message, content: [], stop_reason: null, usage: said({ ...usage, output: 1 }) };
    yield { type: "message_start", message: start };
    yield { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
    yield { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } };
    if (how === "cut") return;
    if (how === "error event")
      return yield { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    yield { type: "content_block_stop", index: 0 };
    const delta = { stop_reason: "end_turn" };
    if (how === "no usage") return yield { type: "message_delta", delta };
    // Totals so far, not additions, now and then in several steps.
    if (random() < 0.3)
      yield { type: "message_delta", delta: {}, usage: { output_tokens: Math.floor(usage.output / 2) } };
    yield { type: "message_delta", delta, usage: { output_tokens: usage.output } };
    yield { type: "message_stop" };
  }

  /** As the API reports it, the lifetimes of what was written sometimes left out. */
  function said({ input, cacheRead, cacheWrite5m, cacheWrite1h, output }: Usage): object {
    const detail = { ephemeral_5m_input_tokens: cacheWrite5m, ephemeral_1h_input_tokens: cacheWrite1h };
    return {
      input_tokens: input,
      cache_read_input_tokens: cacheRead,
      cache_creation_input_tokens: cacheWrite5m + cacheWrite1h,
      ...(random() < 0.7 ? { cache_creation: detail } : {}),
      output_tokens: output,
    };
  }
}

function costOf(usage: Usage): number {
  return (Object.keys(PRICE) as (keyof Usage)[]).reduce((sum, kind) => sum + usage[kind] * PRICE[kind], 0);
}

function total(usage: Usage): number {
  return Object.values(usage).reduce((sum, tokens) => sum + tokens, 0);
}

/** Where cache breakpoints are makes no token. */
function withoutMarks(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null, (key, inner) => (key === "cache_control" ? undefined : inner)),
  );
}
