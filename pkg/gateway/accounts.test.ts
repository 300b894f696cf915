import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import type { Gateway } from "./gateway.ts";
import type { SessionGrant } from "./money.ts";
import { startTestGateway } from "./testing/gateway.ts";
import { BUDGET, SESSION } from "./testing/spender.ts";
import { helloAnswer, startTestUpstream, type TestUpstream } from "./testing/upstream.ts";

const DAY_MS = 86_400_000;
const TOKENS = { ...BUDGET, daily: { usd: 500, tokens: 1_000_000 } };

/** A wall clock that can be set, beside the time that passes. */
class SetClock extends TestClock {
  setBy = 0;
  override now(): number {
    return super.now() + this.setBy;
  }
}

let clock: SetClock;
let folder: string;
let upstream: TestUpstream;
let gateway: Gateway;

beforeEach(async () => {
  clock = new SetClock("2026-11-23T12:00:00Z");
  folder = await mkdtemp(join(tmpdir(), "bosun-accounts-"));
  upstream = await startTestUpstream();
  upstream.date = () => new Date(clock.now());
  gateway = await start();
});

afterEach(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function start(): Promise<Gateway> {
  const started = await startTestGateway({ folder, upstream, clock });
  started.setBudgets([TOKENS]);
  return started;
}

/** One request that may use 11,000 tokens, for 0.03 USD. */
async function ask(session: Partial<SessionGrant> = {}): Promise<Response> {
  gateway.renew();
  const { url, token } = await gateway.admit({ ...SESSION, ...session });
  const body = { model: "claude-sonnet-5-5", max_tokens: 1_000, messages: [{ role: "user", content: "Hi" }] };
  const headers = { "x-api-key": token };
  return await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Asks, and is told that it used so many: 100 of input and the others of output. */
async function spend(outputTokens: number, session: Partial<SessionGrant> = {}): Promise<void> {
  upstream.answer = helloAnswer({ input_tokens: 100, output_tokens: outputTokens });
  await ask(session);
}

test("there is news with another hundredth of a limit, a window that turns, a violated bound and a person's word", async () => {
  const heard = [gateway.news()];
  const isNews = (): boolean => {
    const word = gateway.news();
    return word !== heard.at(-1) && heard.push(word) > 0;
  };
  for (let i = 0; i < 9; i++) await spend(1_000);
  expect(isNews()).toBe(false);
  await spend(1_000);
  expect(isNews()).toBe(true);

  await clock.advance(DAY_MS);
  expect(isNews()).toBe(true);
  // Also where nothing was spent in the one before.
  await clock.advance(DAY_MS);
  expect(isNews()).toBe(true);
  await spend(5_000);
  expect(gateway.account("all")).toMatchObject({ boundViolated: true });
  expect(isNews()).toBe(true);
  await gateway.settle(gateway.requests(1)[0]?.id ?? "", 1_000);
  expect(isNews()).toBe(true);
});

test("each step of a request changes an account: its reservation, and its end", async () => {
  const seen = [gateway.changes];
  const hello = helloAnswer();
  gateway.renew();
  const { url, token } = await gateway.admit(SESSION);
  upstream.answer = (...args) => {
    seen.push(gateway.changes);
    return hello(...args);
  };
  const body = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
  const headers = { "x-api-key": token };
  const response = await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  await response.arrayBuffer();
  const [before = 0, sent = 0] = seen;
  expect(sent).toBeGreaterThan(before);
  expect(gateway.changes).toBeGreaterThan(sent);
});

test("an account has what was spent in its windows, which request broke its bound and how often a person spoke", async () => {
  await spend(5_000);
  const [request] = gateway.requests(2);
  const spent = { spent: 100 * 2_000 + 5_000 * 10_000, spentTokens: 5_100, requests: 1 };
  const day = { window: "2026-11-23", startMs: Date.parse("2026-11-23"), endMs: Date.parse("2026-11-24") };
  expect(gateway.account("all")).toEqual({
    budget: "all",
    daily: { ...day, ...spent, reserved: 0, reservedTokens: 0, unsettled: 0 },
    monthly: expect.objectContaining({ window: "2026-11", ...spent }),
    boundViolated: true,
    violatedRequest: request?.id,
  });
  await gateway.settle(request?.id ?? "", 7);
  const settled = gateway.account("all");
  expect(settled).toMatchObject({ boundViolated: false, corrections: 1, daily: { spent: 7 } });
  expect(settled).not.toHaveProperty("violatedRequest");
  expect(gateway.account("other")).toBeUndefined();
  expect(gateway.standing(["x", "y"])).toEqual({
    accounts: [settled],
    spent: [
      { cost: 7, tokens: 5_100 },
      { cost: 0, tokens: 0 },
    ],
  });
});

test("an account is of the window that money is counted in, whatever a clock shows that nobody has confirmed", async () => {
  await spend(1_000);
  clock.setBy = 40 * DAY_MS;
  expect(gateway.account("all")).toMatchObject({
    daily: { window: "2026-11-23", requests: 1 },
    monthly: { window: "2026-11", requests: 1 },
  });
  // Before the upstream's answer comes.
  clock.setBy = 0;
});

test("the account of a window that is over is the one of its own selector and time, and empty where nothing was reserved", async () => {
  await spend(1_000);
  await clock.advance(DAY_MS);
  gateway.setBudgets([{ ...TOKENS, selector: { team: "red" } }]);
  const spent = 100 * 2_000 + 1_000 * 10_000;
  expect(gateway.closedWindow("all", "2026-11-23")).toMatchObject({
    window: "2026-11-23",
    spent,
    requests: 1,
  });
  expect(gateway.closedWindow("all", "2026-11-22")).toMatchObject({ window: "2026-11-22", spent: 0 });
  expect(gateway.closedWindow("other", "2026-11-23")).toBeUndefined();
});

test("the account of a window that is over has what its own Budget pays for, whoever has a window of that name", async () => {
  const red = { ...TOKENS, name: "red", uid: "v", selector: { team: "red" } };
  gateway.setBudgets([TOKENS, red]);
  await spend(1_000);
  await spend(1_000, { session: "t", labels: { team: "red" } });
  await clock.advance(DAY_MS);
  const requests = ["all", "red"].map((name) => gateway.closedWindow(name, "2026-11-23")?.requests);
  expect(requests).toEqual([2, 1]);
});

test("what a person says of a request lets go at once who waits for the money", async () => {
  gateway.setBudgets([{ ...BUDGET, daily: { usd: 0.08 } }]);
  upstream.answer = (_call, _response, request) => void request.socket.destroy();
  await ask();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  upstream.answer = async (...args) => {
    await released;
    return helloAnswer()(...args);
  };
  const running = ask({ session: "t" });
  await expect.poll(() => upstream.calls.length).toBe(2);
  const waiting = ask({ session: "u" });
  await expect.poll(() => gateway.waiting).toBe(1);
  await gateway.settle(gateway.requests(2)[1]?.id ?? "", 0);
  await expect.poll(() => upstream.calls.length).toBe(3);
  release();
  expect((await Promise.all([running, waiting])).map(({ status }) => status)).toEqual([200, 200]);
});

test("a secret of which a crash left a part is made anew: tokens made from it would be easy to guess", async () => {
  const { token } = await gateway.admit(SESSION);
  const secret = join(folder, "state", "gateway-secret");
  const whole = await readFile(secret, "utf8");
  for (const part of ["", whole.slice(0, 3), whole.slice(0, -1), whole]) {
    await gateway.stop();
    await writeFile(secret, part);
    gateway = await start();
    const isKept = part === whole;
    expect((await readFile(secret, "utf8")) === part).toBe(isKept);
    expect((await gateway.admit(SESSION)).token === token).toBe(isKept);
    expect((await ask()).status).toBe(200);
  }
});

test("a person settles what has ended, with an amount; anything else is refused, and nothing is changed", async () => {
  await spend(1_000);
  const id = gateway.requests(1)[0]?.id ?? "";
  for (const cost of [-1, 0.5, Number.NaN])
    await expect(gateway.settle(id, cost)).rejects.toThrow(/whole number of nano-dollars/);
  await expect(gateway.settle("r-7", 1)).rejects.toThrow(/no request r-7/);
  expect(gateway.account("all")).not.toHaveProperty("corrections");
  await gateway.settle(id, 0);
  expect(gateway.cost({ session: "s" })).toBe(0);
});
