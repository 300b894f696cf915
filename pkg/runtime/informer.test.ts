import { expect, test } from "vitest";
import type { Agent } from "../api/generated.ts";
import { aborted } from "./aborted.ts";
import type { Client } from "./client.ts";
import { Informer } from "./informer.ts";
import { silentLogger } from "./logger.ts";
import { TestClock } from "./testing/clock.ts";

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
