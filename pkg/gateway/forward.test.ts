import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Failpoint } from "../runtime/failpoints.ts";
import { systemClock, systemIds, systemRandom } from "../system/system.ts";
import { Gateway } from "./gateway.ts";
import type { Line } from "./ledger-lines.ts";
import { BUDGET, SESSION } from "./testing/spender.ts";
import { startTestUpstream } from "./testing/upstream.ts";

test("a request that a stop meets when the ledger has just noted it as sent is not sent, and costs nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bosun-forward-"));
  const upstream = await startTestUpstream();
  onTestFinished(async () => {
    await upstream[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const fail = (error: unknown): void => {
    throw error;
  };
  let stopped: Promise<void> | undefined;
  const failpoints = {
    hit(name: Failpoint) {
      if (name === "request-sending") stopped = gateway.stop();
    },
  };
  const gateway = await Gateway.start(
    {
      ledgerDirectory: folder,
      stateDirectory: join(folder, "state"),
      upstream: { baseUrl: upstream.url, credential: { apiKey: "k" } },
      admitted: [],
    },
    { clock: systemClock, random: systemRandom, ids: systemIds, failpoints, log: fail, ledgerFailed: fail },
  );
  gateway.setBudgets([BUDGET]);
  const { url, token } = await gateway.admit(SESSION);
  const body = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
  const headers = { "x-api-key": token };
  await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => {
    // Cut, as all that runs at a stop.
  });
  await stopped;

  expect(upstream.calls).toEqual([]);
  const lines = (await readFile(join(folder, "ledger.jsonl"), "utf8")).trim().split("\n");
  const steps = lines.map((line) => (JSON.parse(line) as Line).step);
  expect(steps.slice(-3)).toEqual(["reserved", "sent", "released"]);
});
