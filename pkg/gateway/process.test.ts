import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { callControl } from "./control.ts";
import { runGateway } from "./process.ts";
import { BUDGET, SESSION } from "./testing/spender.ts";
import { helloAnswer, startTestUpstream } from "./testing/upstream.ts";

test("a gateway that has had no operator for a minute ends, but not before what is in flight is answered", async () => {
  const clock = new TestClock();
  const folder = await mkdtemp(join(tmpdir(), "bosun-abandoned-"));
  const upstream = await startTestUpstream();
  onTestFinished(async () => {
    await upstream[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  upstream.date = () => new Date(clock.now());
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  upstream.answer = async (...args) => {
    await released;
    return helloAnswer()(...args);
  };
  const socketPath = join(folder, "g.sock");
  const { promise: begun, resolve: begins } = Promise.withResolvers<void>();
  const ended = runGateway(
    {
      ledgerDirectory: folder,
      stateDirectory: join(folder, "state"),
      socketPath,
      upstream: { baseUrl: upstream.url, credential: { apiKey: "k" } },
      admitted: [],
    },
    begins,
    clock,
  );
  await begun;
  await callControl({ socketPath, name: "setBudgets", body: { budgets: [BUDGET] } });
  const way = await callControl({ socketPath, name: "admit", body: { grant: SESSION } });
  const { url, token } = way as { url: string; token: string };
  const asked = fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": token },
    body: JSON.stringify({
      model: "claude-sonnet-5-5",
      max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }],
    }),
  });
  await expect.poll(() => upstream.calls.length).toBe(1);

  await clock.advance(120_000);
  release();
  const answer = await asked;
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  await expect
    .poll(async () => Promise.race([ended.then(() => "ended"), clock.advance(1_000)]))
    .toBe("ended");
});
