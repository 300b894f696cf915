import { expect, test } from "vitest";
import type { Agent } from "../api/generated.ts";
import { StatusError } from "../api/status-error.ts";
import { cachingClient } from "./caching-client.ts";
import type { Kind } from "./client.ts";
import type { Informer } from "./informer.ts";
import { silentLogger } from "./logger.ts";
import { settled } from "./testing/clock.ts";
import { FakeApi } from "./testing/fake-api.ts";
import { followed } from "./testing/followed.ts";

const key = { namespace: "default", name: "a" };
const finalizers = ["bosun.dev/claim"];

/** A client over a cache that has Agent a as it was told last. */
async function cached(metadata: Partial<Agent["metadata"]> = {}) {
  const api = new FakeApi();
  const agent = api.put("a", metadata);
  const { informer, clock, stopping } = await followed(api);
  const client = cachingClient({
    client: api.client,
    clock,
    logger: silentLogger,
    signal: stopping.signal,
    informer: <K extends Kind>() => informer as unknown as Informer<K>,
  });
  /** Begins to read; `answered` has what came of it. */
  const read = () => {
    const answered: (Agent | undefined)[] = [];
    void client.get("Agent", key).then((object) => answered.push(object));
    return answered;
  };
  return { api, clock, client, agent, informer, read };
}

const answer = (code: number): StatusError => new StatusError(code, "Any", "as the server says");

test("a read waits until the cache has the own write, and asks nobody else, also where the revision has one more digit", async () => {
  const { api, client, agent, read } = await cached();
  for (let write = 1; write <= 12; write += 1) {
    const written = await client.update("Agent", agent);
    const answered = read();
    await settled();
    expect(answered).toEqual([]);
    api.tell();
    await settled();
    expect(answered).toEqual([written]);
  }
  expect(api.asked).toMatchObject({ get: 0, list: 1 });
});

test.each([
  { what: "a server in trouble", failure: answer(503), lists: 2 },
  { what: "a connection that broke", failure: new Error("reset"), lists: 2 },
  { what: "a refusal, which says that nothing was written", failure: answer(409), lists: 1 },
])(
  "after a write that was answered by $what the cache was listed $lists times before the next read",
  async ({ failure, lists }) => {
    const { api, client, agent, read } = await cached();
    api.failure = failure;
    const { promise, resolve } = Promise.withResolvers<void>();
    api.answer = promise;
    await expect(client.update("Agent", agent)).rejects.toBe(failure);
    const answered = read();
    await settled();
    expect(answered).toHaveLength(2 - lists);
    resolve();
    await settled();
    expect(answered).toMatchObject([{ metadata: { resourceVersion: lists === 1 ? "1" : "2" } }]);
    expect(api.asked).toMatchObject({ get: 0, list: lists });
  },
);

test("a read after an own deletion waits until the object is gone from the cache", async () => {
  const { api, client, read } = await cached();
  await client.delete("Agent", key);
  const answered = read();
  await settled();
  expect(answered).toEqual([]);
  api.tell();
  await settled();
  expect(answered).toEqual([undefined]);
});

test("a deleted object that another one has replaced, or that waits for its finalizers, is no longer waited for", async () => {
  const replaced = await cached();
  await replaced.client.delete("Agent", key);
  const next = replaced.api.put("a");
  replaced.api.tell();
  await settled();
  expect(await replaced.client.get("Agent", key)).toBe(next);

  const waiting = await cached({ finalizers });
  await waiting.client.delete("Agent", key);
  waiting.api.tell();
  await settled();
  expect(await waiting.client.get("Agent", key)).toMatchObject({
    metadata: { deletionTimestamp: expect.any(String) },
  });
});

test("a read after an own write that took the last finalizer off waits until the object is gone", async () => {
  const { api, client, agent, read } = await cached({
    finalizers,
    deletionTimestamp: "2026-01-01T00:00:00Z",
  });
  await client.update("Agent", { ...agent, metadata: { ...agent.metadata, finalizers: [] } });
  const answered = read();
  await settled();
  expect(answered).toEqual([]);
  // It is seen to be changed, and is there still.
  api.tell(2);
  await settled();
  expect(answered).toEqual([]);
  api.tell();
  await settled();
  expect(answered).toEqual([undefined]);
});

test("a cache that lags for 30 s is passed by without another wait, and asked again once it has caught up", async () => {
  const { api, clock, client, agent, read } = await cached();
  const written = await client.update("Agent", agent);
  const answered = read();
  await clock.advance(29_999);
  expect(answered).toEqual([]);
  await clock.advance(1);
  expect(answered).toEqual([written]);
  expect(await client.get("Agent", key)).toBe(written);
  expect(api.asked.get).toBe(2);
  api.tell();
  await settled();
  expect(await client.get("Agent", key)).toBe(written);
  expect(api.asked.get).toBe(2);
  // What lags later is waited for again.
  const again = await client.update("Agent", written);
  const later = read();
  await settled();
  expect(later).toEqual([]);
  api.tell();
  await settled();
  expect(later).toEqual([again]);
});
