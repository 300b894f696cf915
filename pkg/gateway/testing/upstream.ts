/** A small upstream for the gateway's tests: it speaks just enough of the Messages API, and counts what it is asked. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface UpstreamCall {
  path: string;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown> & { stream?: boolean; max_tokens: number };
}

export type Answer = (
  call: UpstreamCall,
  response: ServerResponse,
  request: IncomingMessage,
) => void | Promise<void>;

export interface TestUpstream extends AsyncDisposable {
  url: string;
  /** Each request whose body arrived whole. */
  calls: UpstreamCall[];
  /** How it answers from now on. */
  answer: Answer;
  /** What time it says it is; undefined: this machine's. */
  date?: () => Date;
}

export const USAGE = { input_tokens: 100, output_tokens: 20 };

export async function startTestUpstream(answer: Answer = helloAnswer()): Promise<TestUpstream> {
  const upstream: TestUpstream = {
    url: "",
    calls: [],
    answer,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
  const server = http.createServer(async (request, response) => {
    if (upstream.date !== undefined) response.setHeader("date", upstream.date().toUTCString());
    // What costs nothing is asked for its Date alone.
    if (request.method === "HEAD") return void response.writeHead(404).end();
    const call = { path: request.url ?? "", headers: request.headers, body: JSON.parse(await text(request)) };
    upstream.calls.push(call);
    await upstream.answer(call, response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return upstream;
}

/** Says hello, streamed or not, as the request asks. */
export function helloAnswer(usage: Record<string, unknown> = USAGE): Answer {
  return (call, response) => {
    if (call.path.endsWith("/count_tokens")) return json(response, 200, { input_tokens: 7 });
    if (call.body.stream !== true)
      return json(response, 200, { ...MESSAGE, content: [HELLO], usage, stop_reason: "end_turn" });
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of helloEvents(usage)) writeEvent(response, event);
    response.end();
  };
}

export function helloEvents(usage: Record<string, unknown> = USAGE): { type: string }[] {
  return [
    { type: "message_start", message: { ...MESSAGE, content: [], usage: { ...usage, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn" },
      usage: { output_tokens: usage.output_tokens },
    },
    { type: "message_stop" },
  ] as { type: string }[];
}

export function writeEvent(response: ServerResponse, event: { type: string }): void {
  response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

const MESSAGE = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5-5",
  stop_reason: null,
};
const HELLO = { type: "text", text: "Hello" };
