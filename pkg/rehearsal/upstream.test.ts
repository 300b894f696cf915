import Anthropic from "@anthropic-ai/sdk";
import { afterEach, expect, test } from "vitest";
import { costOf } from "./bill.ts";
import { type Rehearsal, type RehearsalOptions, startRehearsal } from "./rehearsal.ts";

const model = "claude-sonnet-5-5";
const running: Rehearsal[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((rehearsal) => rehearsal.close()));
});

async function start(options: RehearsalOptions = {}) {
  const rehearsal = await startRehearsal(options);
  running.push(rehearsal);
  return { rehearsal, client: new Anthropic({ baseURL: rehearsal.url, apiKey: "any", maxRetries: 0 }) };
}

function saying(text: string, more: object = {}) {
  return { model, max_tokens: 1000, messages: [{ role: "user" as const, content: text }], ...more };
}

test("the SDK gets the same answer streamed and whole, with the same usage", async () => {
  const { client, rehearsal } = await start();
  const tools = ["bash", "request_review"].map((name) => ({
    name,
    input_schema: { type: "object" as const },
  }));
  const asked = saying("Project: Tidy up", { tools });

  const whole = await client.messages.create(asked);
  const streamed = await client.messages.stream(asked).finalMessage();

  expect(whole.stop_reason).toBe("tool_use");
  expect(streamed.content).toEqual(whole.content);
  expect(streamed.stop_reason).toBe(whole.stop_reason);
  expect(streamed.usage).toMatchObject(whole.usage);
  expect(rehearsal.requests().map((request) => request.ended)).toEqual(["Complete", "Complete"]);
});

test("at pace 0 no clock is waited for, streamed or whole", async () => {
  const sleep = () => new Promise<void>(() => {});
  const clock = { now: () => Date.now(), elapsed: () => performance.now(), sleep };
  const { client } = await start({ pace: 0, clock });
  const whole = await client.messages.create(saying("Hello"));
  const streamed = await client.messages.stream(saying("Hello")).finalMessage();
  expect(streamed.content).toEqual(whole.content);
});

test("every text a person may read says that it is a rehearsal", async () => {
  const { client } = await start();
  const answer = await client.messages.create(saying("Hello")).withResponse();
  expect(answer.data.content[0]).toMatchObject({
    type: "text",
    text: expect.stringContaining("[rehearsal]"),
  });
  expect(answer.data.id).toContain("rehearsal");
  expect(answer.response.headers.get("x-bosun-rehearsal")).toBe("true");
});

test("both header forms of the key and both versions are taken, anything else is refused", async () => {
  const { rehearsal } = await start();
  const cases: [Record<string, string>, number, string][] = [
    [{ "x-api-key": "k", "anthropic-version": "2023-06-01" }, 200, ""],
    [{ authorization: "Bearer k", "anthropic-version": "2026-10-21" }, 200, ""],
    [{ "anthropic-version": "2026-10-21" }, 401, "authentication_error"],
    [{ "x-api-key": "k" }, 400, "invalid_request_error"],
    [{ "x-api-key": "k", "anthropic-version": "2020-01-01" }, 400, "invalid_request_error"],
  ];
  for (const [headers, wantStatus, wantType] of cases) {
    const response = await fetch(`${rehearsal.url}/v1/messages?beta=true`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(saying("Hello")),
    });
    const body = (await response.json()) as { error?: { type: string } };
    expect([response.status, body.error?.type ?? ""]).toEqual([wantStatus, wantType]);
  }
});

const toolUse = { type: "tool_use", id: "t1", name: "bash", input: {} };
const toolResult = { type: "tool_result", tool_use_id: "t1", content: "ok" };
const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });

test.each<[string, Record<string, unknown>, string]>([
  ["no max_tokens", { max_tokens: undefined }, "max_tokens: Field required"],
  ["max_tokens of zero", { max_tokens: 0 }, "max_tokens: Input must be >= 1"],
  ["a field the API does not know", { colour: "red" }, "colour: Extra inputs are not permitted"],
  ["no messages", { messages: [] }, "messages: Input must NOT have fewer than 1 items"],
  ["the assistant speaking first", { messages: [assistant("Hi")] }, "first message must use the user role"],
  ["two user messages in a row", { messages: [user("a"), user("b")] }, "roles must alternate"],
  ["an empty text block", { messages: [user([{ type: "text", text: "" }])] }, "messages.0.content.0.text"],
  ["a tool call in a user message", { messages: [user([toolUse])] }, "messages.0.content.0.type"],
  [
    "a tool call without its result",
    { messages: [user("a"), assistant([toolUse]), user("b")] },
    "`tool_use` ids were found without `tool_result` blocks immediately after: t1",
  ],
  ["a result without its call", { messages: [user([toolResult])] }, "unexpected `tool_use_id`"],
  [
    "a text before the result",
    { messages: [user("a"), assistant([toolUse]), user([{ type: "text", text: "b" }, toolResult])] },
    "must come before any other content",
  ],
  [
    "one id used twice",
    {
      messages: [
        user("a"),
        assistant([toolUse]),
        user([toolResult]),
        assistant([toolUse]),
        user([toolResult]),
      ],
    },
    "ids must be unique",
  ],
  ["a tool without a schema", { tools: [{ name: "bash" }] }, "tools.0.input_schema: Field required"],
])("%s is refused as the API refuses it", async (_, fields, wantMessage) => {
  const { client, rehearsal } = await start();
  const error = await client.messages
    .create(saying("Hello", fields) as never)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Anthropic.BadRequestError);
  expect(error).toMatchObject({
    type: "invalid_request_error",
    message: expect.stringContaining(wantMessage),
  });
  expect(rehearsal.requests()).toMatchObject([{ ended: "Refused", status: 400, costNanoUSD: 0 }]);
});

test("an unknown model is not found", async () => {
  const { client } = await start();
  await expect(client.messages.create({ ...saying("Hello"), model: "gpt" })).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining("model: gpt"),
  });
});

test("count_tokens says what the request is then charged", async () => {
  const { client } = await start();
  const { input_tokens } = await client.messages.countTokens({
    model,
    system: "Be brief.",
    messages: [{ role: "user", content: "Hello" }],
  });
  const answer = await client.messages.create(saying("Hello", { system: "Be brief." }));
  expect(answer.usage.input_tokens).toBe(input_tokens);
});

test("a marked prefix is written to the cache once and read from it after that", async () => {
  const { client, rehearsal } = await start();
  const system = [
    { type: "text" as const, text: "word ".repeat(2000), cache_control: { type: "ephemeral" as const } },
  ];

  const first = await client.messages.create(saying("One", { system }));
  const second = await client.messages.create(saying("Two, and longer", { system }));

  expect(first.usage.cache_read_input_tokens).toBe(0);
  expect(first.usage.cache_creation_input_tokens).toBeGreaterThan(2000);
  expect(second.usage.cache_read_input_tokens).toBe(first.usage.cache_creation_input_tokens);
  expect(second.usage.cache_creation_input_tokens).toBe(0);
  const [one, two] = rehearsal.requests();
  expect(one?.costNanoUSD).toBe(one && costOf(model, one.usage));
  expect(two?.costNanoUSD).toBeLessThan(one?.costNanoUSD ?? 0);
});

test("429 names its wait and passes after two tries of the same request", async () => {
  const { client, rehearsal } = await start();
  const asked = saying("[rehearse: rate-limited]");
  for (const _ of [1, 2]) {
    const error = await client.messages.create(asked).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect((error as { headers: Headers }).headers.get("retry-after")).toBe("1");
  }
  await client.messages.create(asked);
  expect(
    rehearsal.requests().map(({ status, ended, costNanoUSD = 0 }) => [status, ended, costNanoUSD > 0]),
  ).toEqual([
    [429, "Fault", false],
    [429, "Fault", false],
    [200, "Complete", true],
  ]);
});

test.each([
  ["overloaded", 529, "overloaded_error"],
  ["server-error", 500, "api_error"],
])("%s is answered once with %i, then with an answer", async (name, status, type) => {
  const { client } = await start();
  const asked = saying(`[rehearse: ${name}]`);
  await expect(client.messages.create(asked)).rejects.toMatchObject({ status, type });
  expect(await client.messages.create(asked)).toMatchObject({ stop_reason: "end_turn" });
});

test("a cut stream ends in an error, is billed for what was sent, and is whole when asked again", async () => {
  const { client, rehearsal } = await start();
  const asked = saying("[rehearse: cut-stream]");
  await expect(client.messages.stream(asked).finalMessage()).rejects.toThrow();
  const whole = await client.messages.stream(asked).finalMessage();

  const [cut, complete] = rehearsal.requests();
  expect(cut).toMatchObject({ ended: "Cut", status: 200 });
  expect(cut?.usage.output).toBeGreaterThan(0);
  expect(cut?.usage.output).toBeLessThan(whole.usage.output_tokens);
  expect(complete).toMatchObject({ ended: "Complete", usage: { output: whole.usage.output_tokens } });
});

test("a hanging answer goes on until the client leaves, and is counted as left", async () => {
  const { client, rehearsal } = await start();
  const stream = client.messages.stream(saying("[rehearse: hang]"));
  await new Promise<void>((resolve) => stream.on("streamEvent", () => resolve()));
  stream.abort();
  await stream.done().catch(() => {});
  await expect.poll(() => rehearsal.requests()[0]?.ended).toBe("ClientLeft");
  expect(rehearsal.requests()[0]?.usage.input).toBeGreaterThan(0);
});

test("a huge answer is cut at max_tokens and bills no more", async () => {
  const { client } = await start();
  const answer = await client.messages
    .stream(saying("[rehearse: huge-answer]", { max_tokens: 5000 }))
    .finalMessage();
  expect(answer.stop_reason).toBe("max_tokens");
  expect(answer.usage.output_tokens).toBeLessThanOrEqual(5000);
  expect(answer.usage.output_tokens).toBeGreaterThan(4900);
});

test("an answer can keep its final usage to itself", async () => {
  const { client } = await start();
  const events = await client.messages.create({ ...saying("[rehearse: no-usage]"), stream: true });
  const seen = await Array.fromAsync(events);
  expect(seen.find((event) => event.type === "message_delta")).not.toHaveProperty("usage");
  expect(seen.at(-1)?.type).toBe("message_stop");
});

test("the count can be read over HTTP and is the same as in process", async () => {
  const { client, rehearsal } = await start();
  await client.messages.create(saying("Hello"));
  const answer = await fetch(`${rehearsal.url}/rehearsal/requests`);
  expect(await answer.json()).toEqual({ requests: rehearsal.requests() });
});
