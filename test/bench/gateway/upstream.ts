/**
 * An upstream for the gateway's bench, in a process of its own: it answers at once, and streams as many deltas as
 * `max_tokens` says, as fast as they are taken. Prints its port; ends with its stdin.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Event {
  type: string;
  [field: string]: unknown;
}

const message = {
  id: "msg_bench",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5-5",
  stop_reason: null,
  stop_sequence: null,
};
const word = "some twenty letters ";

const server = createServer(async (request, response) => {
  if (request.method === "HEAD") return void response.writeHead(404).end();
  const { stream, max_tokens } = JSON.parse(await text(request)) as { stream?: boolean; max_tokens: number };
  const usage = { input_tokens: 100, output_tokens: max_tokens };
  if (stream !== true) {
    response.writeHead(200, { "content-type": "application/json" });
    const content = [{ type: "text", text: word }];
    response.end(JSON.stringify({ ...message, content, usage, stop_reason: "end_turn" }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  let goOn = (): void => {};
  response.on("drain", () => goOn()).on("close", () => goOn());
  const send = async (event: Event): Promise<void> => {
    if (response.destroyed) return;
    const isFull = !response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (isFull)
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
  };
  const start = { ...message, content: [], usage: { ...usage, output_tokens: 1 } };
  await send({ type: "message_start", message: start });
  await send({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
  const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: word } };
  for (let sent = 0; sent < max_tokens; sent += 1) await send(delta);
  await send({ type: "content_block_stop", index: 0 });
  await send({
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: max_tokens },
  });
  await send({ type: "message_stop" });
  response.end();
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log((server.address() as AddressInfo).port);
process.stdin.resume().on("close", () => process.exit(0));
