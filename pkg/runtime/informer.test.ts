import { expect, test } from "vitest";
import type { Agent } from "../api/generated.ts";
import { StatusError } from "../api/status-error.ts";
import { aborted } from "./aborted.ts";
import type { Client } from "./client.ts";
import { Informer } from "./informer.ts";
import { silentLogger } from "./logger.ts";
import { settled, TestClock } from "./testing/clock.ts";

test("an informer that is stopped right after its first list ends: it watched on unheard, and its operator hung", async () => {
  const agent = { metadata: { namespace: "default", name: "agent-1", resourceVersion: "1" } } as Agent;
  const client = {
    list: async () => ({ metadata: { resourceVersion: "1" }, items: [agent] }),
    async *watch(_kind: string, { signal }: { signal: AbortSignal }) {
      await aborted(signal);
      yield* [];
    },
  } as unknown as Client;
  const informer = new Informer({
    kind: "Agent",
    client,
    clock: new TestClock(),
    random: { next: () => 0.5 },
    logger: silentLogger,
  });
  const stopping = new AbortController();
  informer.onDelta(() => stopping.abort());
  await informer.run(stopping.signal);
  expect(informer.get({ namespace: "default", name: "agent-1" })).toBe(agent);
}, 5_000);

test("a history that is gone is listed anew at once, however often the server failed before: it cost half a minute", async () => {
  const clock = new TestClock();
  const cut = new Error("cut off");
  const gone = new StatusError(410, "Expired", "too old resource version");
  // Eight failures make the pause as long as it gets. What comes after each list again is a failure like any other.
  const watches = [...Array(8).fill(cut), gone, gone];
  const listedMs: number[] = [];
  const goneMs: number[] = [];
  const client = {
    async list() {
      listedMs.push(clock.elapsed());
      return { metadata: { resourceVersion: String(listedMs.length) }, items: [] };
    },
    async *watch(_kind: string, { signal }: { signal: AbortSignal }) {
      const failure = watches.shift();
      if (failure === gone) goneMs.push(clock.elapsed());
      if (failure !== undefined) throw failure;
      await aborted(signal);
      yield* [];
    },
  } as unknown as Client;
  const random = { next: () => 0.5 };
  const informer = new Informer({ kind: "Agent", client, clock, random, logger: silentLogger });
  const stopping = new AbortController();
  const running = informer.run(stopping.signal);
  await settled();
  await clock.advance(300_000);
  const [at = 0] = goneMs;
  expect(at).toBeGreaterThan(60_000);
  expect({ listedMs, goneMs }).toEqual({ listedMs: [0, at, at + 800], goneMs: [at, at] });
  stopping.abort();
  await running;
});
