import { mkdir, mkdtemp, rm, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import type { Gateway } from "./gateway.ts";
import { startTestGateway } from "./testing/gateway.ts";
import { BUDGET, SESSION } from "./testing/spender.ts";
import { helloAnswer, startTestUpstream, type TestUpstream } from "./testing/upstream.ts";

const clock = new TestClock();
let folder: string;
let upstream: TestUpstream;
let gateway: Gateway;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-lease-"));
  upstream = await startTestUpstream();
  upstream.date = () => new Date(clock.now());
  gateway = await startTestGateway({ folder, upstream, clock });
});

afterEach(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function ask(): Promise<number> {
  const { url, token } = await gateway.admit(SESSION);
  const body = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
  const headers = { "x-api-key": token };
  const response = await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  await response.arrayBuffer();
  return response.status;
}

test("without a renewal for five seconds nothing is granted, what runs goes on, and a renewal lets the line move", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  upstream.answer = async (...args) => {
    await released;
    return helloAnswer()(...args);
  };
  gateway.setBudgets([BUDGET]);
  await clock.advance(4_999);
  const running = ask();
  await expect.poll(() => upstream.calls.length).toBe(1);

  await clock.advance(1);
  const waiting = ask();
  await expect.poll(() => gateway.waiting).toBe(1);
  // What is reserved may cost nothing yet.
  expect(gateway.cost({})).toBe(0);
  release();
  expect(await running).toBe(200);
  expect(gateway.cost({})).toBe(400_000);
  expect(gateway.waiting).toBe(1);

  gateway.renew();
  expect(await waiting).toBe(200);
  expect(upstream.calls).toHaveLength(2);
});

test("Budgets of which one has an unknown time zone are refused, and those before stay in force", async () => {
  gateway.setBudgets([BUDGET]);
  const unknown = { ...BUDGET, name: "other", timeZone: "Mars/Olympus" };
  expect(() => gateway.setBudgets([BUDGET, unknown])).toThrow(RangeError);
  expect(gateway.account("other")).toBeUndefined();
  expect(await ask()).toBe(200);
});

test("a disk that can not be written for a moment keeps no session out for longer: its first failure did for good", async () => {
  gateway.setBudgets([BUDGET]);
  // In the way of the file that is written first.
  const inTheWay = join(folder, "state", ".bosun-tmp-sessions.json");
  await mkdir(inTheWay);
  await expect(gateway.admit(SESSION)).rejects.toThrow();
  await expect(gateway.dismiss("another")).rejects.toThrow();
  await rmdir(inTheWay);
  expect(await ask()).toBe(200);
});

test("who is admitted as before is not written down anew, as each session is every few seconds", async () => {
  const file = join(folder, "state", "sessions.json");
  const known = async () => (await stat(file)).ino;
  const [first, second] = [SESSION, { ...SESSION, session: "another" }];
  for (const grant of [first, second]) await gateway.admit(grant);
  const before = await known();
  const { token } = await gateway.admit(first);
  expect(await known()).toBe(before);
  await gateway.dismiss("a third");
  expect(await known()).toBe(before);
  expect((await gateway.admit({ ...first, attempt: "2" })).token).not.toBe(token);
  expect(await known()).not.toBe(before);
});
