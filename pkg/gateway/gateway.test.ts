import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Line } from "./ledger-lines.ts";
import type { SessionGrant } from "./money.ts";
import { type GatewayHandle, openGateway } from "./money-client.ts";
import { startTestUpstream, type TestUpstream } from "./test-upstream.ts";

let folder: string;
let upstream: TestUpstream;
let gateway: GatewayHandle;

const SESSION: SessionGrant = {
  session: "s1",
  run: 1,
  agent: "agent-1",
  pool: "builders",
  project: "101-retry",
  purpose: "execute",
  maxOutputTokens: 16_000,
  labels: {},
};
const BUDGET = {
  name: "all",
  uid: "u1",
  daily: { usd: 5 },
  monthly: { usd: 50 },
  timeZone: "UTC",
  selector: {},
};
const HELLO = {
  model: "claude-sonnet-5-5",
  max_tokens: 1000,
  messages: [{ role: "user" as const, content: "Hi" }],
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-gateway-"));
  upstream = await startTestUpstream();
  gateway = await openGateway({
    ledgerDirectory: join(folder, "ledger"),
    stateDirectory: join(folder, "state"),
    socketPath: join(folder, "g.sock"),
    upstream: { baseUrl: upstream.url, credential: { apiKey: "the-real-key" } },
    admitted: [],
  });
});

afterEach(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function client(session = SESSION): Promise<Anthropic> {
  const { url, token } = await gateway.admit(session);
  return new Anthropic({ baseURL: url, apiKey: token, maxRetries: 0 });
}

async function ledger(): Promise<Line[]> {
  const lines = (await readFile(join(folder, "ledger", "ledger.jsonl"), "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

test("a message is reserved, sent and settled with what it used, streamed or not", async () => {
  await gateway.setBudgets([BUDGET]);
  const anthropic = await client();

  const message = await anthropic.messages.create(HELLO);
  expect(message.content).toEqual([{ type: "text", text: "Hello" }]);
  const streamed = await anthropic.messages.stream(HELLO).finalMessage();
  expect(streamed.usage.output_tokens).toBe(20);

  expect((await ledger()).map(({ step }) => step)).toEqual([
    ...["opened", "granted", "granted"],
    ...["reserved", "sent", "settled"],
    ...["reserved", "sent", "settled"],
  ]);
  // 100 tokens in at 2 USD and 20 out at 10 USD a million, twice.
  expect(await gateway.cost({ project: "101-retry" })).toBe(2 * (100 * 2_000 + 20 * 10_000));
  expect(await gateway.account("all")).toMatchObject({
    daily: { requests: 2, reserved: 0, spentTokens: 240 },
  });
  expect(upstream.calls.map(({ headers }) => headers.authorization)).toEqual(
    Array(2).fill("Bearer the-real-key"),
  );
});
