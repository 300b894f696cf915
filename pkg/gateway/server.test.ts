import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { Gateway } from "./gateway.ts";
import { startTestGateway } from "./testing/gateway.ts";
import { BUDGET, SESSION } from "./testing/spender.ts";
import { startTestUpstream, type TestUpstream } from "./testing/upstream.ts";

let folder: string;
let upstream: TestUpstream;
let gateway: Gateway;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bosun-server-"));
  upstream = await startTestUpstream();
  gateway = await startTestGateway({ folder, upstream });
  gateway.setBudgets([BUDGET]);
});

afterEach(async () => {
  await gateway.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function ask(token: string, headers: Record<string, string> = {}): Promise<Response> {
  const body = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
  return await fetch(`http://127.0.0.1:${gateway.port}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": token, ...headers },
    body: JSON.stringify(body),
  });
}

const dear = "context-1m-2025-08-07";

test.each([dear, `${dear},other-1`, `other-1,${dear}`, `other-1, ${dear}`, `${dear}, ${dear}`])(
  "a beta that makes long prompts dearer is refused where it is asked for as '%s', or paid for as it was admitted: it cost no more",
  async (betas) => {
    const { token } = await gateway.admit(SESSION);
    expect((await ask(token, { "anthropic-beta": betas })).status).toBe(400);
    expect(upstream.calls).toEqual([]);
    await ask(token, { "anthropic-beta": "other-1" });
    const [plain] = gateway.requests(1);
    gateway.setAdmitted([{ field: dear, priceFactor: 2 }]);
    // Of another session, so that nothing is known of its tokens.
    const other = await gateway.admit({ ...SESSION, session: "t" });
    expect((await ask(other.token, { "anthropic-beta": betas })).status).toBe(200);
    const [admitted] = gateway.requests(1);
    expect(plain?.cost).toBe(400_000);
    expect([admitted?.cost, admitted?.bound.cost]).toEqual([800_000, 2 * (plain?.bound.cost ?? 0)]);
  },
);

test("the token of a run holds no longer once a later run of the session is admitted", async () => {
  const earlier = await gateway.admit(SESSION);
  const later = await gateway.admit({ ...SESSION, run: 2 });
  expect((await ask(earlier.token)).status).toBe(401);
  expect((await ask(later.token)).status).toBe(200);
});

test.each([0, 1, 8 * 1024 * 1024])(
  "a body of %i bytes more than are read is refused with 413: its sender saw a broken connection, and sent it again",
  async (more) => {
    const { token } = await gateway.admit(SESSION);
    const [before, after] = ['{"model":"claude-sonnet-5-5","max_tokens":100,"messages":[]', "}"];
    const most = 32 * 1024 * 1024;
    const body = `${before}${" ".repeat(most + more - before.length - after.length)}${after}`;
    const response = await fetch(`http://127.0.0.1:${gateway.port}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": token },
      body,
    });
    const type = more === 0 ? "invalid_request_error" : "request_too_large";
    expect(response.status).toBe(more === 0 ? 400 : 413);
    expect(await response.json()).toMatchObject({ error: { type } });
    expect((await ask(token)).status).toBe(200);
  },
  120_000,
);

test.each([
  { status: 413, type: "request_too_large" },
  { status: 401, type: "authentication_error", token: "nobody's" },
  { status: 404, type: "not_found_error", path: "/v1/models" },
  { status: 400, type: "invalid_request_error", more: "content-encoding: gzip\r\n" },
])(
  "a body that has no end is refused with $status, and its sender cut off: it was read for ever",
  async ({ status, type, token: own, path = "/v1/messages", more = "" }) => {
    const { token } = await gateway.admit(SESSION);
    const socket = connect(gateway.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const key = `x-api-key: ${own ?? token}\r\n`;
    socket.write(`POST ${path} HTTP/1.1\r\nhost: gateway\r\n${key}${more}content-length: ${1e12}\r\n\r\n`);
    socket.write(" ".repeat(2 * 32 * 1024 * 1024 + 1));
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(`"type":"${type}"`);
  },
);
