import fc from "fast-check";
import { expect, test } from "vitest";
import type { Agent } from "../api/generated.ts";
import { StatusError } from "../api/status-error.ts";
import { aborted } from "./aborted.ts";
import type { Client } from "./client.ts";
import { type Delta, Informer } from "./informer.ts";
import { silentLogger } from "./logger.ts";
import { settled, TestClock } from "./testing/clock.ts";
import { FakeApi } from "./testing/fake-api.ts";
import { followed } from "./testing/followed.ts";

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
});

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

test("what came before the first list is told in the order in which it was written, not by name", async () => {
  const api = new FakeApi();
  for (const name of ["b", "c", "a"]) api.put(name);
  expect((await followed(api)).told).toEqual(["ADDED b", "ADDED c", "ADDED a"]);
});

test("a relist shows and tells at once what no watch has told, also one that is asked for while a list is read", async () => {
  const api = new FakeApi();
  api.put("a");
  const { informer, told } = await followed(api);
  api.put("a");
  api.lose();
  informer.relist();
  expect(informer.current).toBe(false);
  await settled();
  expect([informer.current, informer.lastRevision, told]).toEqual([true, "2", ["ADDED a", "MODIFIED a"]]);

  const { promise, resolve } = Promise.withResolvers<void>();
  api.answer = promise;
  informer.relist();
  await settled();
  api.put("b");
  api.lose();
  informer.relist();
  resolve();
  await settled();
  expect([informer.current, informer.lastRevision, told.at(-1)]).toEqual([true, "3", "ADDED b"]);
});

test("a history that is gone again, with an event in between, is listed anew at once each time", async () => {
  const api = new FakeApi();
  const { clock, informer } = await followed(api);
  for (let time = 1; time <= 3; time += 1) {
    api.put("a");
    api.tell();
    await settled();
    api.put("a");
    api.forget();
    await settled();
    expect(informer.lastRevision).toBe(String(api.revision));
  }
  expect(clock.elapsed()).toBe(0);
});

test("a server that ends each watch at once is not asked in a loop", async () => {
  const api = new FakeApi();
  const { clock } = await followed(api);
  for (let time = 1; time <= 5; time += 1) {
    api.end();
    await settled();
    expect(api.asked.watch).toBe(time);
    await clock.advance(800);
  }
});

test("a server that was set back to an older copy is followed from there", async () => {
  const api = new FakeApi();
  const before = api.put("a");
  const { clock, informer } = await followed(api);
  for (let time = 0; time < 5; time += 1) api.put("a");
  api.tell();
  await settled();
  api.restore(1, [before]);
  informer.relist();
  await clock.advance(60_000);
  expect(informer.lastRevision).toBe("1");
  api.put("a");
  api.tell();
  await settled();
  expect(informer.lastRevision).toBe("2");
});

test("a listener that throws keeps nothing from the others", async () => {
  const api = new FakeApi();
  const { informer } = await followed(api);
  informer.onDelta(() => {
    throw new Error("broken");
  });
  const heard: string[] = [];
  informer.onDelta(({ object }) => heard.push(object.metadata.name));
  api.put("a");
  api.tell();
  await settled();
  expect(heard).toEqual(["a"]);
});

test("whatever happens to objects, watches and history, cache and listeners come to know what is, each change once", async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constantFrom("put" as const, "remove" as const),
      name: fc.constantFrom("a", "b", "c"),
    }),
    fc.record({
      do: fc.constantFrom(
        "tell",
        "lose",
        "cut",
        "end",
        "forget",
        "relist",
        "settle",
        "pass",
        "list" as const,
      ),
      name: fc.constant(""),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const api = new FakeApi();
      const { informer, clock, stopping } = await followed(api);
      const mirror = new Map<string, Agent>();
      informer.onDelta(({ type, object, previous }: Delta<Agent>) => {
        const { name } = object.metadata;
        expect(previous).toBe(mirror.get(name));
        expect(type).toBe(previous === undefined ? "ADDED" : type === "DELETED" ? "DELETED" : "MODIFIED");
        if (type !== "DELETED")
          expect(object.metadata.resourceVersion).not.toBe(previous?.metadata.resourceVersion);
        if (type === "DELETED") mirror.delete(name);
        else mirror.set(name, object);
      });
      const namesOf = (objects: Iterable<Agent>) => [...objects].map(({ metadata }) => metadata.name);
      for (const each of steps) {
        if (each.do === "put") api.put(each.name);
        if (each.do === "remove") api.remove(each.name);
        if (each.do === "tell") api.tell();
        if (each.do === "lose") {
          api.lose();
          // Somebody knows, as by a write that got no clear answer.
          informer.relist();
        }
        if (each.do === "cut") api.end(new Error("cut off"));
        if (each.do === "end") api.end();
        if (each.do === "forget") api.forget();
        if (each.do === "relist") informer.relist();
        if (each.do === "settle") await settled();
        if (each.do === "pass") await clock.advance(1_000);
        expect(namesOf(informer.list().items)).toEqual(namesOf(mirror.values()).sort());
        expect(informer.list({ namespace: "elsewhere" }).items).toEqual([]);
      }
      api.tell();
      await settled();
      await clock.advance(120_000);
      expect(informer.list()).toEqual({
        metadata: { resourceVersion: String(api.revision) },
        items: [...api.objects.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
      });
      expect(new Map([...mirror].sort())).toEqual(new Map([...api.objects].sort()));
      stopping.abort();
    }),
    { numRuns: 300 },
  );
});
