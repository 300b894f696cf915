import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { TestClock } from "../runtime/testing/clock.ts";
import { startTimeOf } from "../system/process-identity.ts";
import { callControl } from "./control.ts";
import { runGateway } from "./process.ts";
import { writeProcessRecord } from "./process-record.ts";
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

test.each([
  { who: "one that lives", begins: false },
  { who: "one whose number another process has by now", begins: true },
])("where the record of the last gateway names $who, the next one begins: $begins", async ({ begins }) => {
  const folder = await mkdtemp(join(tmpdir(), "bosun-numbers-"));
  const upstream = await startTestUpstream();
  onTestFinished(async () => {
    await upstream[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const living = spawn("sleep", ["60"]);
  onTestFinished(() => void living.kill());
  const { pid = 0 } = living;
  const startTime = begins ? "long ago" : ((await startTimeOf(pid)) ?? "");
  const [stateDirectory, socketPath] = [join(folder, "state"), join(folder, "g.sock")];
  await mkdir(stateDirectory);
  await writeProcessRecord(stateDirectory, { pid, startTime, port: 0, socketPath });
  const credential = { apiKey: "k" };
  const config = {
    ...{ ledgerDirectory: folder, stateDirectory, socketPath, admitted: [] },
    upstream: { baseUrl: upstream.url, credential },
  };
  const { promise: begun, resolve: ready } = Promise.withResolvers<void>();
  const ended = runGateway(config, ready);
  if (!begins) return expect(ended).rejects.toThrow(`already runs as process ${pid}`);
  await Promise.race([begun, ended]);
  await callControl({ socketPath, name: "stop" });
  await ended;
});
