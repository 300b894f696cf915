import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A turn that the upstream plays. */
export type Turn =
  | { say: string }
  | { call: string; input: unknown; say?: string }
  | { calls: readonly { call: string; input: unknown }[] }
  | { status: number; message: string; headers?: Record<string, string> }
  /** Sends the beginning of a turn, then closes the connection. */
  | { cut: true }
  /** Sends the beginning of a turn, then nothing more. */
  | { stall: true }
  /** Sends the beginning of a turn, then only that it lives. */
  | { pings: true }
  /** A call whose input ran into the limit of tokens. */
  | { call: string; partial: string }
  /** Reads the request and never answers. */
  | { hang: true };

export interface AskedRequest {
  model: string;
  max_tokens: number;
  system: unknown;
  messages: readonly { role: string; content: readonly Record<string, unknown>[] }[];
  tools: readonly { name: string }[];
}

export interface Upstream {
  url: string;
  /** All that was asked, oldest first. */
  requests: AskedRequest[];
  authorizations: string[];
  /** Resolves when `count` requests have come in. */
  asked(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A tiny server that speaks `/v1/messages` and plays the turns that `script` gives for each request, from 0. */
export async function openUpstream(
  script: (request: AskedRequest, index: number) => Turn,
): Promise<Upstream> {
  const requests: AskedRequest[] = [];
  const authorizations: string[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  const server = createServer(async (incoming, outgoing) => {
    // A gateway asks what time it is.
    if (incoming.method === "HEAD") return void outgoing.writeHead(404).end();
    const request = JSON.parse(await text(incoming)) as AskedRequest;
    authorizations.push(incoming.headers.authorization ?? "");
    const turn = script(request, requests.push(request) - 1);
    for (const waiter of waiters) if (requests.length >= waiter.count) waiter.resolve();
    play(turn, requests.length, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    authorizations,
    asked(count) {
      if (requests.length >= count) return Promise.resolve();
      return new Promise((resolve) => waiters.push({ count, resolve }));
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function text(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function play(turn: Turn, number: number, outgoing: ServerResponse): void {
  if ("hang" in turn) return;
  if ("status" in turn) {
    outgoing.writeHead(turn.status, { "content-type": "application/json", ...turn.headers });
    outgoing.end(JSON.stringify({ type: "error", error: { type: "api_error", message: turn.message } }));
    return;
  }
  const send = (event: { type: string; [key: string]: unknown }) =>
    outgoing.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  outgoing.writeHead(200, { "content-type": "text/event-stream" });
  const usage = { input_tokens: 10, output_tokens: 1 };
  const message = { id: `msg_${number}`, type: "message", role: "assistant", model: "test", content: [] };
  send({ type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null, usage } });
  if ("cut" in turn) {
    send({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
    outgoing.write("event: content_block_delta\n", () => outgoing.destroy());
    return;
  }
  if ("stall" in turn) return;
  if ("pings" in turn) {
    const timer = setInterval(() => send({ type: "ping" }), 5);
    outgoing.on("close", () => clearInterval(timer));
    return;
  }
  if ("partial" in turn) {
    const content_block = { type: "tool_use", id: `call_${number}_0`, name: turn.call, input: {} };
    send({ type: "content_block_start", index: 0, content_block });
    send({
      type: "content_block_delta",
      index: 0,
      delta: { type: "input_json_delta", partial_json: turn.partial },
    });
    send({ type: "content_block_stop", index: 0 });
    const delta = { stop_reason: "max_tokens", stop_sequence: null };
    send({ type: "message_delta", delta, usage: { output_tokens: 4000 } });
    send({ type: "message_stop" });
    outgoing.end();
    return;
  }
  let index = 0;
  const block = (content_block: object, delta: object) => {
    send({ type: "content_block_start", index, content_block });
    send({ type: "content_block_delta", index, delta });
    send({ type: "content_block_stop", index });
    index += 1;
  };
  const calls = "calls" in turn ? turn.calls : "call" in turn ? [turn] : [];
  if ("say" in turn && turn.say !== undefined) {
    block({ type: "text", text: "" }, { type: "text_delta", text: turn.say });
  }
  for (const [position, { call, input }] of calls.entries()) {
    block(
      { type: "tool_use", id: `call_${number}_${position}`, name: call, input: {} },
      { type: "input_json_delta", partial_json: JSON.stringify(input) },
    );
  }
  const stop_reason = calls.length > 0 ? "tool_use" : "end_turn";
  send({ type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 20 } });
  send({ type: "message_stop" });
  outgoing.end();
}
