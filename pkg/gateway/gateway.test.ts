import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { moneyContract } from "../../test/contracts/money.contract.ts";
import { type LatchWatch, watchLatch } from "../system/latch-watch.ts";
import { startTimeOf } from "../system/process-identity.ts";
import { processTable } from "../system/process-table.ts";
import { systemClock } from "../system/system.ts";
import { endsWith, workspaceMark } from "../system/workspace-mark.ts";
import { callControl } from "./control.ts";
import type { Line } from "./ledger-lines.ts";
import type { SessionGrant } from "./money.ts";
import { type GatewayHandle, openGateway } from "./money-client.ts";
import type { ProcessConfig } from "./process.ts";
import { readProcessRecord } from "./process-record.ts";
import { type PreparedGateway, prepareGateway } from "./start-process.ts";
import {
  helloAnswer,
  helloEvents,
  json,
  startTestUpstream,
  type TestUpstream,
  writeEvent,
} from "./testing/upstream.ts";

let folder: string;
let upstream: TestUpstream;
let config: ProcessConfig;
const opened: GatewayHandle[] = [];

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
/** 100 tokens in at 2 USD a million, 20 out at 10 USD. */
const HELLO_COST = 100 * 2_000 + 20 * 10_000;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-gateway-"));
  upstream = await startTestUpstream();
  config = {
    ledgerDirectory: join(folder, "ledger"),
    stateDirectory: join(folder, "state"),
    socketPath: join(folder, "g.sock"),
    upstream: { baseUrl: upstream.url, credential: { apiKey: "the-real-key" } },
    admitted: [],
  };
});

afterEach(async () => {
  for (const gateway of opened.splice(0)) await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function start(budgets = [BUDGET]): Promise<GatewayHandle> {
  const gateway = await openGateway(config);
  opened.push(gateway);
  await gateway.setBudgets(budgets);
  return gateway;
}

/** One that the operator sees and the gateway, as when it hangs, does not. */
function latchOfTheOperator(): LatchWatch {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  return watchLatch(join(folder, "stop of the operator"), systemClock, ending.signal);
}

async function client(gateway: GatewayHandle, session: Partial<SessionGrant> = {}): Promise<Anthropic> {
  const { url, token } = await gateway.admit({ ...SESSION, ...session });
  return new Anthropic({ baseURL: url, apiKey: token, maxRetries: 0 });
}

async function ledger(): Promise<Line[]> {
  const lines = (await readFile(join(folder, "ledger", "ledger.jsonl"), "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** The steps of requests, in order. */
async function steps(): Promise<string[]> {
  return (await ledger()).map(({ step }) => step).filter((step) => step !== "opened" && step !== "granted");
}

async function lastOf<S extends Line["step"]>(step: S): Promise<Extract<Line, { step: S }>> {
  const line = (await ledger()).findLast((one) => one.step === step);
  if (line === undefined) throw new Error(`The ledger has no ${step}.`);
  return line as Extract<Line, { step: S }>;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { interval: 20 }).toBe(true);
}

moneyContract("the gateway's process", async () => ({ money: await start([]) }));

test("a message is reserved, sent and settled with what it used, streamed or not", async () => {
  const gateway = await start();
  const anthropic = await client(gateway);

  const message = await anthropic.messages.create(HELLO);
  expect(message.content).toEqual([{ type: "text", text: "Hello" }]);
  const streamed = await anthropic.messages.stream(HELLO).finalMessage();
  expect(streamed.usage.output_tokens).toBe(20);

  expect(await steps()).toEqual(["reserved", "sent", "settled", "reserved", "sent", "settled"]);
  expect(await gateway.cost({ project: "101-retry" })).toBe(2 * HELLO_COST);
  expect(await gateway.account("all")).toMatchObject({
    daily: { requests: 2, reserved: 0, spentTokens: 240 },
  });
  expect(upstream.calls.map(({ headers }) => headers.authorization)).toEqual(
    Array(2).fill("Bearer the-real-key"),
  );
  expect((await stat(join(folder, "ledger", "ledger.jsonl"))).mode & 0o777).toBe(0o600);
  expect((await stat(config.socketPath)).mode & 0o777).toBe(0o600);
});

test("the token is taken in either header, and the key goes where the token was", async () => {
  const gateway = await start();
  const { url, token } = await gateway.admit(SESSION);
  const post = (headers: NonNullable<RequestInit["headers"]>): Promise<Response> =>
    fetch(`${url}/v1/messages?beta=true`, { method: "POST", headers, body: JSON.stringify(HELLO) });

  const old = await post({ "x-api-key": token, "anthropic-version": "2023-06-01" });
  expect(old.status).toBe(200);
  expect(upstream.calls[0]).toMatchObject({ path: "/v1/messages?beta=true" });
  expect(upstream.calls[0]?.headers).toMatchObject({
    "x-api-key": "the-real-key",
    "anthropic-version": "2023-06-01",
  });
  expect(upstream.calls[0]?.headers.authorization).toBeUndefined();

  const strangers: NonNullable<RequestInit["headers"]>[] = [
    {},
    { "x-api-key": "the-real-key" },
    { authorization: "Bearer wrong" },
  ];
  for (const headers of strangers) {
    expect((await post(headers)).status).toBe(401);
  }
  await gateway.dismiss(SESSION.session);
  expect((await post({ "x-api-key": token })).status).toBe(401);
  expect(upstream.calls).toHaveLength(1);
});

test("tokens are counted for free, and what can't be bounded is refused by name", async () => {
  const gateway = await start();
  const anthropic = await client(gateway);
  const { model, messages } = HELLO;

  expect(await anthropic.messages.countTokens({ model, messages })).toMatchObject({ input_tokens: 7 });
  await expect(
    anthropic.messages.create({ ...HELLO, tools: [{ type: "web_search_20250305", name: "web_search" }] }),
  ).rejects.toMatchObject({ status: 400, message: expect.stringContaining("web_search_20250305") });
  await expect(anthropic.messages.create({ ...HELLO, model: "claude-unheard-of" })).rejects.toMatchObject({
    status: 400,
    message: expect.stringMatching(/claude-unheard-of has no price.*claude-sonnet-5-5/),
  });
  const thinking = { type: "enabled" as const, budget_tokens: 1024 };
  const few = await client(gateway, { maxOutputTokens: 1024 });
  await expect(few.messages.create({ ...HELLO, max_tokens: 4000, thinking })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining("budget_tokens"),
  });
  expect(await steps()).toEqual([]);
  expect(upstream.calls).toHaveLength(1);
});

test("max_tokens is lowered to what the session may use, never raised", async () => {
  const gateway = await start();
  const anthropic = await client(gateway, { maxOutputTokens: 500 });
  await anthropic.messages.create(HELLO);
  await anthropic.messages.create({ ...HELLO, max_tokens: 200 });
  expect(upstream.calls.map(({ body }) => [body.max_tokens, body.service_tier])).toEqual([
    [500, "standard_only"],
    [200, "standard_only"],
  ]);
});

test("a request that could never fit is refused with 402 and not sent; without a Budget it says NoBudget", async () => {
  const gateway = await start([{ ...BUDGET, daily: { usd: 0.001 }, monthly: { usd: 5 } }]);
  const anthropic = await client(gateway);
  const saysLimits = (...wanted: object[]) =>
    expect.toSatisfy((headers: Headers) => {
      expect(JSON.parse(headers.get("x-bosun-limits") ?? "")).toEqual(wanted);
      return headers.get("x-should-retry") === "false";
    });
  const { daily } = (await gateway.account("all")) ?? {};
  await expect(anthropic.messages.create(HELLO)).rejects.toMatchObject({
    status: 402,
    type: "billing_error",
    message: expect.stringMatching(/needs about 0\.03\d\d USD, 0\.0010 USD left until/),
    headers: saysLimits({ budget: "all", period: "daily", window: daily?.window, cost: 1_000_000 }),
  });
  await gateway.setBudgets([{ ...BUDGET, selector: { team: "blue" } } as typeof BUDGET]);
  await expect(anthropic.messages.create(HELLO)).rejects.toMatchObject({
    status: 402,
    message: expect.stringContaining("NoBudget"),
    headers: saysLimits(),
  });
  expect(upstream.calls).toHaveLength(0);
});

test("what does not fit beside another request waits for it, and then goes", async () => {
  // Room for one bound of about 0.03 USD, not for two.
  const gateway = await start([{ ...BUDGET, daily: { usd: 0.05 } }]);
  const first = await client(gateway, { session: "s1" });
  const second = await client(gateway, { session: "s2" });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  upstream.answer = async (...args) => {
    await released;
    return helloAnswer()(...args);
  };
  const answers = [first.messages.create(HELLO), second.messages.create(HELLO)];
  await until(() => upstream.calls.length === 1);
  expect(await gateway.account("all")).toMatchObject({ daily: { requests: 1 } });
  release();
  await Promise.all(answers);
  expect(await steps()).toEqual(["reserved", "sent", "settled", "reserved", "sent", "settled"]);
});

test("a cut stream is charged with its input and all of max_tokens, and the client sees the cut", async () => {
  const gateway = await start();
  upstream.answer = (_call, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of helloEvents().slice(0, 3)) writeEvent(response, event);
    response.write("event: content", () => response.destroy());
  };
  await expect((await client(gateway)).messages.stream(HELLO).finalMessage()).rejects.toThrow();
  await until(async () => (await steps()).includes("unsettled"));
  expect(await lastOf("unsettled")).toMatchObject({ cost: 100 * 2_000 + 1000 * 10_000, tokens: 1100 });
  expect(await gateway.account("all")).toMatchObject({ daily: { unsettled: 1, reserved: 0 } });
});

test("a request that was sent and got no status is charged whole, and never repeated", async () => {
  const gateway = await start();
  upstream.answer = (_call, _response, request) => void request.socket.destroy();
  await expect((await client(gateway)).messages.create(HELLO)).rejects.toMatchObject({
    headers: expect.toSatisfy((headers: Headers) => headers.get("x-should-retry") === "false"),
  });
  expect(upstream.calls).toHaveLength(1);
  expect(await steps()).toEqual(["reserved", "sent", "unsettled"]);
  expect((await lastOf("unsettled")).cost).toBe((await lastOf("reserved")).cost);
});

test("without a connection nothing is charged", async () => {
  const gateway = await start();
  await upstream[Symbol.asyncDispose]();
  await expect((await client(gateway)).messages.create(HELLO)).rejects.toMatchObject({ status: 502 });
  expect(await steps()).toEqual(["reserved", "released"]);
  expect(await gateway.account("all")).toMatchObject({ daily: { spent: 0, reserved: 0, requests: 0 } });
});

test.each([400, 500, 529])(
  "an answer with status %i costs nothing and reaches the client as it is",
  async (status) => {
    const gateway = await start();
    upstream.answer = (_call, response) =>
      json(
        response,
        status,
        { type: "error", error: { type: "api_error", message: "as it is" } },
        { "request-id": "req_7" },
      );
    await expect((await client(gateway)).messages.create(HELLO)).rejects.toMatchObject({
      status,
      requestID: "req_7",
    });
    expect(await lastOf("settled")).toMatchObject({ status, cost: 0, tokens: 0, upstreamId: "req_7" });
  },
);

test("a 429 of one agent holds the others back for as long as it says", async () => {
  const gateway = await start();
  const sentMs: number[] = [];
  upstream.answer = (call, response, request) => {
    sentMs.push(performance.now());
    if (sentMs.length > 1) return helloAnswer()(call, response, request);
    json(
      response,
      429,
      { type: "error", error: { type: "rate_limit_error", message: "slow" } },
      { "retry-after": "1" },
    );
  };
  await expect((await client(gateway)).messages.create(HELLO)).rejects.toMatchObject({ status: 429 });
  const other = await client(gateway, { session: "s2", agent: "agent-2" });
  await other.messages.create(HELLO);
  const [first = 0, second = 0] = sentMs;
  expect(second - first).toBeGreaterThan(950);
});

test("when the client leaves, the answer is read to its end and settled with what it used", async () => {
  const gateway = await start();
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  upstream.answer = async (_call, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const events = helloEvents();
    for (const event of events.slice(0, 3)) writeEvent(response, event);
    await left;
    for (const event of events.slice(3)) writeEvent(response, event);
    response.end();
  };
  const stream = (await client(gateway)).messages.stream(HELLO);
  stream.on("text", () => stream.abort());
  await expect(stream.done()).rejects.toThrow();
  leave();
  await until(async () => (await steps()).includes("settled"));
  expect(await gateway.cost({})).toBe(HELLO_COST);
});

test("without an upstream that agrees with the clock no window opens, and who asks is told why", async () => {
  upstream.date = () => new Date(Date.now() - 86_400_000);
  const gateway = await start();
  const anthropic = await client(gateway);
  await until(async () => (await gateway.account("all"))?.clock !== undefined);
  await expect(anthropic.messages.create(HELLO)).rejects.toMatchObject({
    status: 502,
    message: expect.stringMatching(/ClockUnconfirmed: no upstream has confirmed .* the upstream said /),
    headers: expect.toSatisfy((headers: Headers) => headers.get("x-bosun-reason") === "ClockUnconfirmed"),
  });
  expect(upstream.calls).toHaveLength(0);

  upstream.date = () => new Date();
  // Any answer will do, also of what is forwarded for nothing.
  await anthropic.messages.countTokens({ model: HELLO.model, messages: HELLO.messages });
  await anthropic.messages.create(HELLO);
  expect((await gateway.account("all"))?.clock).toBeUndefined();
});

test("usage above its bound stops all spending until a person says what it cost", async () => {
  const gateway = await start();
  const anthropic = await client(gateway);
  upstream.answer = helloAnswer({ input_tokens: 900_000, output_tokens: 20 });
  await anthropic.messages.create(HELLO);
  await expect(anthropic.messages.create(HELLO)).rejects.toMatchObject({
    status: 402,
    message: expect.stringContaining("BoundViolated"),
  });
  expect(await gateway.account("all")).toMatchObject({ boundViolated: true });

  upstream.answer = helloAnswer();
  const { id } = await lastOf("violated");
  await gateway.settle(id, 5_000);
  await anthropic.messages.create(HELLO);
  expect(await gateway.cost({})).toBe(5_000 + HELLO_COST);
  await expect(gateway.settle("nobody", 1)).rejects.toThrow("The ledger has no request nobody");
});

test("a client that leaves the line leaves no reservation, and whoever watches is woken by what others spend", async () => {
  const gateway = await start([{ ...BUDGET, daily: { usd: 0.05 } }]);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  upstream.answer = async (...args) => {
    await released;
    return helloAnswer()(...args);
  };
  let wakes = 0;
  const watching = new AbortController();
  const count = (): void => {
    wakes += 1;
  };
  gateway.subscribe(count, { everyMs: () => 0, signal: watching.signal });
  const running = (await client(gateway)).messages.create(HELLO);
  await until(() => upstream.calls.length === 1);

  const leaving = new AbortController();
  const waiting = (await client(gateway, { session: "s2" })).messages.create(HELLO, {
    signal: leaving.signal,
  });
  const left = waiting.catch((error: Error) => error.constructor.name);
  leaving.abort();
  expect(await left).toBe("APIUserAbortError");
  release();
  await running;
  expect(await steps()).toEqual(["reserved", "sent", "settled"]);
  const before = wakes;
  await until(() => wakes > before);
  watching.abort();
});

/** A client that renews the lease, and hears the news with that, when it is told to; and how often it has woken. */
async function renewingWhenTold(everyMs: number) {
  let renew = (): void => undefined; // Nobody waits yet.
  let rests = Promise.withResolvers<void>();
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (ms !== 1_000) return systemClock.sleep(ms, signal);
    return new Promise((resolve) => {
      renew = resolve;
      rests.resolve();
    });
  };
  const renewed = async (): Promise<void> => {
    rests = Promise.withResolvers();
    renew();
    await rests.promise;
  };
  const gateway = await openGateway(config, { clock: { ...systemClock, sleep } });
  opened.push(gateway);
  const watching = new AbortController();
  onTestFinished(() => watching.abort());
  const seen = { wakes: 0 };
  const count = (): void => {
    seen.wakes += 1;
  };
  gateway.subscribe(count, { everyMs: () => everyMs, signal: watching.signal });
  await gateway.setBudgets([BUDGET]);
  await rests.promise;
  return { gateway, renewed, seen, leave: () => watching.abort() };
}

test("each request is told in time, and at once what somebody acts upon, until nobody wants to be told", async () => {
  const { gateway, renewed, seen, leave } = await renewingWhenTold(3_600_000);
  const spend = async (): Promise<number> => {
    await (await client(gateway)).messages.create(HELLO);
    await renewed();
    return seen.wakes;
  };
  const first = await spend();
  expect([await spend(), await spend()]).toEqual([first, first]);
  await gateway.settle((await lastOf("settled")).id, 1);
  await renewed();
  expect(seen.wakes).toBe(first + 1);
  leave();
  await gateway.settle((await lastOf("settled")).id, 2);
  await renewed();
  expect(seen.wakes).toBe(first + 1);
});

test("what a gateway that was killed had charged is told by the next: it had counted as many changes", async () => {
  const { gateway, renewed, seen } = await renewingWhenTold(0);
  await renewed();
  upstream.answer = () => {}; // Never.
  const asked = (await client(gateway)).messages.create(HELLO).catch(() => "cut");
  await until(() => upstream.calls.length === 1);
  const before = seen.wakes;
  process.kill(gateway.pid, "SIGKILL");
  expect(await asked).toBe("cut");
  await renewed();
  expect((await gateway.account("all"))?.daily.spent).toBeGreaterThan(0);
  expect(seen.wakes).toBeGreaterThan(before);
});

test("a restarted operator adopts the gateway, and tokens hold on", async () => {
  const first = await start();
  const anthropic = await client(first);
  await first.close();
  const second = await start();
  expect(second.pid).toBe(first.pid);
  await anthropic.messages.create(HELLO);
});

test("what gateways print is begun anew when it is long: it grew for ever", async () => {
  const log = join(folder, "ledger", "gateway.log");
  await mkdir(join(folder, "ledger"));
  await writeFile(log, "long ago\n".repeat(1_200_000));
  await start();
  expect(await readFile(log, "utf8")).toBe("");
  expect((await stat(`${log}.1`)).size).toBe(10_800_000);
});

test("an operator whose successor has adopted the gateway steers it no more, nor puts another in its place", async () => {
  const start = async (more: Partial<ProcessConfig>): Promise<GatewayHandle> => {
    const gateway = await openGateway({ ...config, ...more });
    opened.unshift(gateway);
    return gateway;
  };
  const stale = await start({ term: 1 });
  await stale.setBudgets([BUDGET]);
  const { token } = await stale.admit(SESSION);
  const next = await start({ term: 2 });
  await next.setBudgets([BUDGET]);

  const refused = /Another operator has taken over this gateway/;
  await expect(stale.admit({ ...SESSION, session: "s2" })).rejects.toThrow(refused);
  await expect(stale.dismiss(SESSION.session)).rejects.toThrow(refused);
  await expect(stale.setBudgets([])).rejects.toThrow(refused);
  await expect(stale.setAdmitted([])).rejects.toThrow(refused);
  await expect(stale.stop()).rejects.toThrow(refused);
  opened.splice(opened.indexOf(stale), 1);
  // With another upstream it would have to stop the gateway that runs first.
  const other = { upstream: { ...config.upstream, credential: { apiKey: "another" } } };
  for (const more of [{}, other])
    await expect(openGateway({ ...config, ...more, term: 1 })).rejects.toMatchObject({ reason: "TakenOver" });
  expect(await next.admit(SESSION)).toMatchObject({ token });
  expect(await startTimeOf(next.pid)).toBeDefined();
});

test("the token of a host holds no longer once another attempt at the same run is admitted", async () => {
  const gateway = await start();
  const before = await client(gateway, { attempt: "first" });
  await before.messages.create(HELLO);
  const after = await client(gateway, { attempt: "second" });
  await expect(before.messages.create(HELLO)).rejects.toMatchObject({ status: 401 });
  await after.messages.create(HELLO);
  await gateway.dismiss(SESSION.session);
  await expect(after.messages.create(HELLO)).rejects.toMatchObject({ status: 401 });
});

test.runIf(process.platform === "linux")(
  "no key is in the environment or the command line of the gateway's process, whatever its operator was started with",
  async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("ANTHROPIC_API_KEY", "the-real-key");
    vi.stubEnv("ANTHROPIC_AUTH_TOKEN", "the-real-token");
    const gateway = await start();
    for (const file of ["environ", "cmdline"])
      expect(await readFile(`/proc/${gateway.pid}/${file}`, "utf8")).not.toContain("the-real");
  },
);

test("a gateway with another credential is replaced, not adopted", async () => {
  const first = await start();
  await first.close();
  config = { ...config, upstream: { baseUrl: upstream.url, credential: { authToken: "another" } } };
  const second = await start();
  expect(second.pid).not.toBe(first.pid);
  await (await client(second)).messages.create(HELLO);
  expect(upstream.calls[0]?.headers.authorization).toBe("Bearer another");
});

test("while the emergency stop is in force no gateway lives or is started; afterwards it is back as it was", async () => {
  const latch = latchOfTheOperator();
  const replaced: string[] = [];
  const gateway = await openGateway(config, { latch, onReplaced: (message) => replaced.push(message) });
  opened.push(gateway);
  await gateway.setBudgets([BUDGET]);
  const anthropic = await client(gateway);
  upstream.answer = () => {}; // Takes its time.
  const running = anthropic.messages.create(HELLO).catch((error: Error) => error.constructor.name);
  await until(() => upstream.calls.length === 1);
  const { pid } = gateway;

  await writeFile(latch.path, "");
  expect(await running).toBe("APIConnectionError");
  // Its connections end a moment before it does.
  await until(async () => (await startTimeOf(pid)) === undefined);
  expect(await gateway.account("all")).toBeUndefined();
  await expect(gateway.admit(SESSION)).rejects.toMatchObject({ reason: "Stopped" });
  expect(gateway.pid).toBe(0);

  upstream.answer = helloAnswer();
  await rm(latch.path);
  await until(async () => (await gateway.account("all")) !== undefined);
  await anthropic.messages.create(HELLO);
  expect(await steps()).toEqual(["reserved", "sent", "unsettled", "reserved", "sent", "settled"]);

  // The next stop ends the next one.
  const next = gateway.pid;
  await writeFile(latch.path, "");
  await until(async () => (await startTimeOf(next)) === undefined);
  expect(replaced).toEqual([]);
});

test("a gateway that hangs or dies is replaced, and a person is told: it was said nowhere", async () => {
  const first = await start();
  const { pid } = first;
  await first.close();
  // It lives, and nobody can ask it any more.
  await rm(config.socketPath);
  let elapsedMs = 0;
  let eachMs = 1_000;
  const hurried = {
    ...systemClock,
    elapsed: () => {
      elapsedMs += eachMs;
      return elapsedMs;
    },
  };
  const replaced: string[] = [];
  const gateway = await openGateway(config, {
    clock: hurried,
    onReplaced: (message) => replaced.push(message),
  });
  opened.push(gateway);
  await gateway.setBudgets([BUDGET]);
  const second = gateway.pid;
  // From here on time stands still: nobody is taken for silent who takes long to be gone.
  eachMs = 0;
  process.kill(second, "SIGKILL");
  await until(async () => (await gateway.account("all")) !== undefined && gateway.pid !== second);
  expect(replaced).toEqual([
    `The gateway (process ${pid}) gave no answer, and was ended. Another is in its place; what was in flight is asked again.`,
    `The gateway (process ${second}) ended by itself. Another is in its place; what was in flight is asked again.`,
  ]);
});

test("what the workspace has admitted since holds in a gateway that takes a dead one's place", async () => {
  const gateway = await start();
  await gateway.setAdmitted([{ field: "inference_geo", priceFactor: 2 }]);
  const { pid } = gateway;
  process.kill(pid, "SIGKILL");
  await until(async () => (await gateway.account("all")) !== undefined && gateway.pid !== pid);
  const dearer = { inference_geo: "us" };
  await (await client(gateway)).messages.create({ ...HELLO, ...dearer });
  expect((await lastOf("settled")).cost).toBe(2 * HELLO_COST);
});

test("a used up account is asked no more, over a restart of the gateway too, and everybody is told until when", async () => {
  const reset = Math.ceil(Date.now() / 1000) + 3600;
  upstream.answer = (_call, response) =>
    json(
      response,
      429,
      { type: "error", error: { type: "rate_limit_error", message: "Used up." } },
      {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-5h-status": "rejected",
        "anthropic-ratelimit-unified-5h-reset": String(reset),
      },
    );
  const first = await start();
  const refused = {
    status: 429,
    headers: expect.toSatisfy(
      (headers: Headers) =>
        headers.get("x-bosun-reason") === "UsageLimited" && headers.get("x-should-retry") === "false",
    ),
  };
  const one = await client(first);
  await expect(one.messages.create(HELLO)).rejects.toMatchObject(refused);
  expect(upstream.calls).toHaveLength(1);
  const other = await client(first, { session: "s2", agent: "agent-2" });
  await expect(other.messages.create(HELLO)).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining(new Date(reset * 1000).toISOString().slice(0, 16)),
  });
  const [limit] = (await first.usageLimits()) ?? [];
  expect(Math.abs((limit?.untilMs ?? 0) - reset * 1000)).toBeLessThan(2_000);
  await first.stop();

  const second = await start();
  const [same] = (await second.usageLimits()) ?? [];
  expect(same?.untilMs).toBe(limit?.untilMs);
  expect(same?.leftMs).toBeLessThanOrEqual(limit?.leftMs ?? 0);
  const again = await client(second);
  await expect(again.messages.create(HELLO)).rejects.toMatchObject(refused);
  expect(upstream.calls).toHaveLength(1);
  expect(await second.cost({})).toBe(0);
});

test("an operator that starts during an emergency stop comes up without a gateway, and ends one that lives", async () => {
  const first = await start();
  const { pid } = first;
  await first.close();
  const latch = latchOfTheOperator();
  await writeFile(latch.path, "");
  const second = await openGateway(config, { latch });
  opened.push(second);
  await until(async () => (await startTimeOf(pid)) === undefined);
  await expect(second.setBudgets([BUDGET])).rejects.toMatchObject({ reason: "Stopped" });

  await rm(latch.path);
  await until(() => second.pid !== 0);
  await until(async () => (await second.account("all"))?.daily.reserved === 0);
});

test("a stop ends a gateway that hangs while its operator waits for an answer of it: it had to wait, too", async () => {
  const { pid } = await start();
  process.kill(pid, "SIGSTOP");
  const latch = latchOfTheOperator();
  const opening = openGateway(config, { latch });
  await writeFile(latch.path, "");
  await until(async () => (await startTimeOf(pid)) === undefined);
  opened.push(await opening);
});

test("an operator that starts during an emergency stop waits for no look to end a gateway that lives", async () => {
  const { pid } = await start();
  const blind: LatchWatch = { path: join(folder, "stop"), isEngaged: () => true, follow: () => undefined };
  opened.push(await openGateway(config, { latch: blind }));
  await until(async () => (await startTimeOf(pid)) === undefined);
});

test("an operator that starts during an emergency stop steers no gateway, not even one that it can't end", async () => {
  await start();
  // By this it would have been found and ended.
  await rm(join(config.stateDirectory, "gateway.json"));
  const latch = latchOfTheOperator();
  await writeFile(latch.path, "");
  const second = await openGateway(config, { latch });
  await expect(second.setBudgets([BUDGET])).rejects.toMatchObject({ reason: "Stopped" });
  await second.close();
});

test("the file of the stop latch alone keeps a gateway from being started", async () => {
  config = { ...config, stopLatch: join(folder, "stop") };
  await writeFile(join(folder, "stop"), "");
  const gateway = await openGateway(config);
  opened.push(gateway);
  expect(gateway.pid).toBe(0);
  await expect(gateway.setBudgets([BUDGET])).rejects.toMatchObject({ reason: "Stopped" });
});

test("an operator that is stopped while its gateway begins comes up without one, and has one afterwards", async () => {
  const stopLatch = join(folder, "stop");
  config = { ...config, stopLatch };
  const opening = openGateway(config);
  await writeFile(stopLatch, "");
  const gateway = await opening;
  opened.push(gateway);
  await expect(gateway.setBudgets([BUDGET])).rejects.toMatchObject({ reason: "Stopped" });
  await rm(stopLatch);
  await until(async () => (await gateway.account("all"))?.daily.reserved === 0);
});

test("a gateway that nobody tells anything ends once the stop latch is there, and before it who can't look", async () => {
  const stopLatch = join(folder, "stop");
  config = { ...config, stopLatch };
  const gateway = await start();
  const { pid } = gateway;
  await gateway.close();
  const env = { ...process.env, ...workspaceMark(stopLatch) };
  const blind = spawn("sleep", ["600"], { env, stdio: "ignore" });
  onTestFinished(() => void blind.kill("SIGKILL"));
  const ended = once(blind, "exit");
  await once(blind, "spawn");
  await writeFile(stopLatch, "");
  expect(await ended).toEqual([null, "SIGKILL"]);
  await until(async () => (await startTimeOf(pid)) === undefined);
});

test("what a gateway had suspended to end it, when its operator killed it at a stop, is ended: nobody else would", async () => {
  const stopLatch = join(folder, "stop");
  config = { ...config, stopLatch };
  const latch = latchOfTheOperator();
  const gateway = await openGateway(config, { latch });
  opened.push(gateway);
  const env = { ...process.env, ...workspaceMark(stopLatch) };
  const suspended = spawn("sleep", ["600"], { env, stdio: "ignore" });
  onTestFinished(() => void suspended.kill("SIGKILL"));
  const ended = once(suspended, "exit");
  await once(suspended, "spawn");
  suspended.kill("SIGSTOP");
  await writeFile(latch.path, "");
  expect(await ended).toEqual([null, "SIGKILL"]);
});

test("a gateway that heeds the stop latch ends by itself when it is told to, and leaves nothing that keeps it", async () => {
  config = { ...config, stopLatch: join(folder, "stop") };
  const gateway = await start();
  const { pid } = gateway;
  await gateway.close();
  await callControl({ socketPath: config.socketPath, name: "stop", body: { term: 0 } });
  await until(async () => (await startTimeOf(pid)) === undefined);
});

describe("a gateway that was prepared", () => {
  let stopLatch: string;
  let prepared: PreparedGateway;

  beforeEach(async () => {
    stopLatch = join(folder, "stop");
    config = { ...config, stopLatch };
    prepared = prepareGateway(config);
    await until(() => processes().length === 1);
  });

  test("is the one that answers, and takes nobody's place later", async () => {
    const [pid] = processes();
    const gateway = await openGateway(config, { prepared });
    opened.push(gateway);
    expect(gateway.pid).toBe(pid);
    process.kill(gateway.pid, "SIGKILL");
    await gateway.setBudgets([BUDGET]);
    expect(gateway.pid).not.toBe(pid);
    expect(processes()).toEqual([gateway.pid]);
  });

  test("ends where one runs already", async () => {
    const first = await start();
    const second = await openGateway(config, { prepared });
    opened.push(second);
    expect(second.pid).toBe(first.pid);
    await until(() => processes().length === 1);
    expect(processes()).toEqual([first.pid]);
  });

  test("ends when nobody needs it", async () => {
    prepared.close();
    await until(() => processes().length === 0);
    expect(await prepared.take()).toBeUndefined();
  });

  test("ends when the stop latch is there, before anyone tells it anything", async () => {
    await writeFile(stopLatch, "");
    await until(() => processes().length === 0);
    const gateway = await openGateway(config, { prepared });
    opened.push(gateway);
    expect(gateway.pid).toBe(0);
  });

  test("does nothing while an emergency stop is in force that it does not see", async () => {
    const latch = latchOfTheOperator();
    await writeFile(latch.path, "");
    const gateway = await openGateway(config, { prepared, latch });
    opened.push(gateway);
    await until(() => processes().length === 0);
    expect(existsSync(config.socketPath)).toBe(false);
  });

  test("is told nothing where a stop comes in the moment in which it is to be told", async () => {
    const latch = latchOfTheOperator();
    const take = async () => {
      const child = await prepared.take();
      await writeFile(latch.path, "");
      return child;
    };
    const gateway = await openGateway(config, { prepared: { ...prepared, take }, latch });
    opened.push(gateway);
    await until(() => processes().length === 0);
    expect(await readProcessRecord(config.stateDirectory)).toBeUndefined();
  });

  /** Those of the workspace. */
  function processes(): readonly number[] {
    return processTable()
      .filter(endsWith(stopLatch))
      .map(({ pid }) => pid);
  }
});

test("a gateway that can't start is not tried again and again: each time the wait is longer", async () => {
  let elapsedMs = 0;
  const replaced: string[] = [];
  const gateway = await openGateway(config, {
    clock: { ...systemClock, elapsed: () => elapsedMs },
    onReplaced: (message) => replaced.push(message),
  });
  opened.push(gateway);
  await gateway.setBudgets([BUDGET]);
  const { pid } = gateway;
  const path = join(folder, "ledger", "ledger.jsonl");
  const whole = await readFile(path, "utf8");
  await writeFile(path, `nonsense\n${whole}`);
  process.kill(pid, "SIGKILL");
  await until(async () => (await startTimeOf(pid)) === undefined);
  expect(await gateway.account("all")).toBeUndefined();

  await writeFile(path, whole);
  expect(await gateway.account("all")).toBeUndefined();
  elapsedMs += 60_000;
  expect(replaced).toEqual([]);
  await until(async () => (await gateway.account("all")) !== undefined);
  expect(replaced).toEqual([expect.stringContaining(`(process ${pid}) ended by itself`)]);
});

test.each([
  { point: "request-reserved", wantCalls: 0, wantSteps: ["reserved", "released"] },
  { point: "request-connected", wantCalls: 0, wantSteps: ["reserved", "released"] },
  { point: "request-sending", wantCalls: 0, wantSteps: ["reserved", "sent", "unsettled"] },
  { point: "request-answered", wantCalls: 1, wantSteps: ["reserved", "sent", "unsettled"] },
  { point: "request-sent", wantCalls: 1, wantSteps: ["reserved", "sent", "unsettled"] },
  { point: "request-settled", wantCalls: 1, wantSteps: ["reserved", "sent", "settled"] },
])(
  "killed at $point, the gateway comes back with each request in the ledger once",
  async ({ point, wantCalls, wantSteps }) => {
    process.env.BOSUN_FAILPOINT = point;
    let gateway: GatewayHandle;
    try {
      gateway = await start();
    } finally {
      delete process.env.BOSUN_FAILPOINT;
    }
    const { pid } = gateway;
    const anthropic = await client(gateway);
    await expect(anthropic.messages.create(HELLO)).rejects.toThrow();
    await until(async () => (await startTimeOf(pid)) === undefined);

    // The next question finds nobody and starts a new process: same port, same token, Budgets in force.
    expect(await gateway.account("all")).toMatchObject({ daily: { reserved: 0 } });
    expect(gateway.pid).not.toBe(pid);
    await until(() => upstream.calls.length === wantCalls);
    expect(await steps()).toEqual(wantSteps);
    await anthropic.messages.create(HELLO);
    expect(await steps()).toEqual([...wantSteps, "reserved", "sent", "settled"]);
  },
);

test("killed as soon as a streamed answer is settled, the gateway has not shown its end yet", async () => {
  process.env.BOSUN_FAILPOINT = "request-settled";
  const gateway = await start().finally(() => delete process.env.BOSUN_FAILPOINT);
  const { url, token } = await gateway.admit(SESSION);
  const body = JSON.stringify({ ...HELLO, stream: true });
  let seen = "";
  const read = async (): Promise<void> => {
    const headers = { "x-api-key": token };
    const { body: answer } = await fetch(`${url}/v1/messages`, { method: "POST", headers, body });
    for await (const bytes of answer ?? []) seen += Buffer.from(bytes).toString("utf8");
  };
  await expect(read()).rejects.toThrow();
  expect(seen).not.toContain("message_stop");
  expect((await steps()).at(-1)).toBe("settled");
});

test("killed with answers under way, the gateway charges each of them whole", async () => {
  const gateway = await start();
  upstream.answer = (_call, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of helloEvents().slice(0, 3)) writeEvent(response, event);
  };
  const clients = await Promise.all(["a", "b", "c"].map((session) => client(gateway, { session })));
  const ended = clients.map((one) =>
    one.messages
      .stream(HELLO)
      .done()
      .catch(() => "cut"),
  );
  await until(() => upstream.calls.length === 3);
  process.kill(gateway.pid, "SIGKILL");
  expect(await Promise.all(ended)).toEqual(["cut", "cut", "cut"]);

  await until(async () => (await gateway.account("all"))?.daily.unsettled === 3);
  const reserved = (await ledger()).filter((line) => line.step === "reserved");
  expect(await gateway.cost({})).toBe(reserved.reduce((sum, { cost }) => sum + cost, 0));
});

test("a ledger that is missing, shorter or damaged stops everything, and says so", async () => {
  const path = join(config.ledgerDirectory, "ledger.jsonl");
  const gateway = await start();
  await (await client(gateway)).messages.create(HELLO);
  await gateway.stop();
  const whole = await readFile(path, "utf8");

  const damages: [string, string | undefined][] = [
    ["is missing", undefined],
    ["was cut", `${whole.split("\n").slice(0, 2).join("\n")}\n`],
    ["Its checksum does not fit", whole.replace(/"cost":400000/, '"cost":1')],
    ["line 4 is damaged", whole.replace('"step":"reserved"', '"step":"reser')],
  ];
  for (const [message, content] of damages) {
    await rm(path, { force: true });
    if (content !== undefined) await appendFile(path, content);
    await expect(start()).rejects.toMatchObject({
      reason: "LedgerUnusable",
      message: expect.stringContaining(message),
    });
  }
  await rm(path, { force: true });
  await appendFile(path, `${whole}{"seq":99,"step":"res`);
  const again = await start();
  expect(await again.cost({})).toBe(HELLO_COST);
});

test("a ledger that is damaged while no gateway has it is told of at once, and so is that it was restored", async () => {
  const path = join(config.ledgerDirectory, "ledger.jsonl");
  const gateway = await start();
  let wakes = 0;
  const watching = new AbortController();
  const count = (): void => {
    wakes += 1;
  };
  gateway.subscribe(count, { everyMs: () => 3_600_000, signal: watching.signal });
  await until(() => wakes > 0);
  expect(gateway.whyUnknown()).toBeUndefined();
  // Nobody starts another one before it is damaged.
  process.kill(gateway.pid, "SIGSTOP");
  const whole = await readFile(path, "utf8");
  await writeFile(path, whole.replace('"version":1', '"version":3'));
  const before = wakes;
  process.kill(gateway.pid, "SIGKILL");
  await until(() => gateway.whyUnknown() !== undefined && wakes > before);
  expect(gateway.whyUnknown()).toMatch(/ledger\.jsonl, line 1 is damaged: .*bosun budget rebuild/);
  const meanwhile = wakes;
  await writeFile(path, whole);
  await until(() => gateway.whyUnknown() === undefined && wakes > meanwhile);
  expect((await gateway.account("all"))?.daily.spent).toBe(0);
  watching.abort();
});

test.each([
  { by: "its operator", stop: (gateway: GatewayHandle) => gateway.stop() },
  {
    by: "SIGTERM",
    stop: async ({ pid }: GatewayHandle) => {
      process.kill(pid, "SIGTERM");
      await until(async () => (await startTimeOf(pid)) === undefined);
    },
  },
])("stopped by $by it cuts what runs, settles it by the rules and leaves no process", async ({ stop }) => {
  const gateway = await start();
  const { pid } = gateway;
  upstream.answer = (_call, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of helloEvents().slice(0, 3)) writeEvent(response, event);
  };
  const stream = (await client(gateway)).messages.stream(HELLO);
  const ended = stream.done().catch(() => "cut");
  await new Promise((resolve) => stream.once("text", resolve));
  await stop(gateway);
  expect(await ended).toBe("cut");
  expect(await startTimeOf(pid)).toBeUndefined();
  expect(await lastOf("unsettled")).toMatchObject({ tokens: 1100 });
});
