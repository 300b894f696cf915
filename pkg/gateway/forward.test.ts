import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { type Failpoint, noFailpoints } from "../runtime/failpoints.ts";
import { TestClock } from "../runtime/testing/clock.ts";
import { forward } from "./forward.ts";
import type { Gateway } from "./gateway.ts";
import type { Line } from "./ledger-lines.ts";
import { startTestGateway } from "./testing/gateway.ts";
import { BUDGET, SESSION } from "./testing/spender.ts";
import {
  helloAnswer,
  helloEvents,
  json,
  startTestUpstream,
  type TestUpstream,
  writeEvent,
} from "./testing/upstream.ts";
import { Upstream } from "./upstream.ts";

/** It says what it was asked to wait for. */
class WatchedClock extends TestClock {
  readonly asked: number[] = [];

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.asked.push(ms);
    return super.sleep(ms, signal);
  }
}

const minuteMs = 60_000;
const megabyte = {
  type: "content_block_delta",
  delta: { type: "text_delta", text: "x".repeat(1024 * 1024) },
};

let clock: WatchedClock;
let folder: string;
let upstream: TestUpstream;
let gateway: Gateway;
let onFailpoint: (name: Failpoint) => void;

beforeEach(async () => {
  clock = new WatchedClock();
  folder = await mkdtemp(join(tmpdir(), "bosun-forward-"));
  upstream = await startTestUpstream();
  upstream.date = () => new Date(clock.now());
  onFailpoint = () => undefined; // Few tests care.
  const failpoints = { hit: (name: Failpoint) => onFailpoint(name) };
  gateway = await startTestGateway({ folder, upstream, clock, failpoints });
  gateway.setBudgets([BUDGET]);
});

afterEach(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Asks for a message of 100 tokens at most, and resolves once the answer begins. */
async function ask(content: unknown = "Hi"): Promise<IncomingMessage> {
  const { url, token } = await gateway.admit(SESSION);
  const headers = { "x-api-key": token };
  const request = http.request(`${url}/v1/messages`, { method: "POST", headers, agent: false });
  const messages = [{ role: "user", content }];
  request.end(JSON.stringify({ model: "claude-sonnet-5-5", max_tokens: 100, stream: true, messages }));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

/** What the ledger says of requests, in order. */
async function steps(): Promise<string[]> {
  const lines = (await readFile(join(folder, "ledger.jsonl"), "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as Line).step).filter((step) => !/opened|granted/.test(step));
}

/** An answer that begins, and goes on as it is told to. */
function answerInParts(): Promise<ServerResponse> {
  return new Promise((resolve) => {
    upstream.answer = (_call, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const event of helloEvents().slice(0, 3)) writeEvent(response, event);
      resolve(response);
    };
  });
}

function goOn(response: ServerResponse): void {
  for (const event of helloEvents().slice(3)) writeEvent(response, event);
  response.end();
}

test("a request that a stop meets when the ledger has just noted it as sent is not sent, and costs nothing", async () => {
  let stopped: Promise<void> | undefined;
  onFailpoint = (name) => {
    if (name === "request-sending") stopped = gateway.stop();
  };
  await ask().catch(() => {
    // Cut, as all that runs at a stop.
  });
  await stopped;

  expect(upstream.calls).toEqual([]);
  expect(await steps()).toEqual(["reserved", "sent", "released"]);
});

test("a connection that does not come about in half a minute is given up: who asked waited for ever", async () => {
  // It takes connections, and no TLS comes about.
  const silent = net.createServer((socket) => void socket.on("error", () => {}));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const baseUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const unsecured = new Upstream({ baseUrl, credential: { apiKey: "k" } });
  const { signal } = new AbortController();
  const front = http.createServer((_request, response) => {
    const outgoing = { path: "/v1/messages", headers: {}, form: "x-api-key" as const, body: "" };
    const request = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [] };
    const way = { upstream: unsecured, clock, failpoints: noFailpoints };
    void forward({ outgoing, request, response, leaving: signal, stopped: signal }, undefined, way);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  onTestFinished(() => {
    unsecured.close();
    for (const server of [silent, front]) server.close();
    front.closeAllConnections();
  });
  const connecting = once(silent, "connection");
  const asked = fetch(`http://127.0.0.1:${(front.address() as AddressInfo).port}`);
  const [socket] = (await connecting) as [net.Socket];
  onTestFinished(() => void socket.destroy());
  await clock.advance(minuteMs / 2);
  expect((await asked).status).toBe(502);
});

test("an upstream that compresses where it may is understood: what it bills is charged", async () => {
  const plain = helloEvents().map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  upstream.answer = ({ headers }, response) => {
    const isPlain = headers["accept-encoding"] === "identity";
    const encoding = isPlain ? {} : { "content-encoding": "gzip" };
    response.writeHead(200, { "content-type": "text/event-stream", ...encoding });
    response.end(isPlain ? plain.join("") : gzipSync(plain.join("")));
  };
  expect(await text(await ask())).toBe(plain.join(""));
  expect(await steps()).toEqual(["reserved", "sent", "settled"]);
});

test.each([
  { ttl: "5m", price: 2_500 },
  { ttl: "1h", price: 4_000 },
])(
  "what an answer does not break down of its cache writes costs what the cache of $ttl does that was asked for",
  async ({ ttl, price }) => {
    upstream.answer = helloAnswer({
      input_tokens: 100,
      output_tokens: 20,
      cache_creation_input_tokens: 1_000,
    });
    await text(await ask([{ type: "text", text: "Hi", cache_control: { type: "ephemeral", ttl } }]));
    expect(gateway.cost({})).toBe(100 * 2_000 + 20 * 10_000 + 1_000 * price);
  },
);

test("an answer that was cut is cut for the client, too: nothing else tells it from a whole one", async () => {
  const answering = answerInParts();
  const response = await ask();
  (await answering).destroy();
  await expect(text(response)).rejects.toThrow();
  expect(await steps()).toEqual(["reserved", "sent", "unsettled"]);
});

test("once the client has left, the answer has five minutes to say what it used", async () => {
  const answering = answerInParts();
  (await ask()).destroy();
  await expect.poll(() => clock.asked).toContain(5 * minuteMs);
  await clock.advance(5 * minuteMs - 1);
  const answer = await answering;
  // More than is read at once: a piece that nobody takes must not keep the next from being read.
  writeEvent(answer, megabyte);
  goOn(answer);
  await expect.poll(steps).toEqual(["reserved", "sent", "settled"]);
});

test("an answer that has not ended five minutes after the client left is cut, and charged with the most", async () => {
  const answering = answerInParts();
  (await ask()).destroy();
  await expect.poll(() => clock.asked).toContain(5 * minuteMs);
  const cut = once(await answering, "close");
  await clock.advance(5 * minuteMs);
  await cut;
  await expect.poll(steps).toEqual(["reserved", "sent", "unsettled"]);
});

test("an answer is read no faster than its client does, so that none fills the gateway's memory", async () => {
  const answering = answerInParts();
  const response = await ask();
  const answer = await answering;
  // More than what lies in the buffers of two connections.
  for (let megabytes = 0; megabytes < 32; megabytes += 1) writeEvent(answer, megabyte);
  goOn(answer);
  upstream.answer = helloAnswer();
  // So much is done meanwhile that it would have been read.
  for (let others = 0; others < 10; others += 1) await text(await ask());
  const settledOnes = async () => (await steps()).filter((step) => step === "settled").length;
  expect(await settledOnes()).toBe(10);
  expect((await text(response)).length).toBeGreaterThan(32 * 1024 * 1024);
  expect(await settledOnes()).toBe(11);
});

test.each([429, 529])("when a %i says to ask again, nobody else asks before", async (status) => {
  upstream.answer = (_call, response) => {
    json(response, status, { type: "error", error: { message: "Later." } }, { "retry-after": "20" });
  };
  await text(await ask());
  upstream.answer = helloAnswer();
  const next = ask();
  await expect.poll(() => clock.asked).toContain(20_000);
  await clock.advance(19_999);
  gateway.renew();
  expect(upstream.calls).toHaveLength(1);
  await clock.advance(1);
  expect((await next).statusCode).toBe(200);
});
