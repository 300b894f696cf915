import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import type { Clock } from "../../runtime/clock.ts";
import { TestClock } from "../../runtime/testing/clock.ts";
import { call, events, open } from "../testing/http-client.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const widgets = "test.example/widgets";
const collection = "/apis/test.example/v1/namespaces/default/widgets";

describe("a watch", () => {
  let server: TestServer;
  let clock: TestClock;
  beforeEach(async () => {
    clock = new TestClock("2026-01-02T03:04:05Z");
    // Chance in the middle: a watch lasts 45 minutes when nothing is said.
    server = await startTestServer({ clock, random: { next: () => 0.5 } });
  });
  afterEach(async () => {
    expect(server.errors).toEqual([]);
    await server.close();
  });
  const create = (name: string, spec = {}): Promise<KubeObject> =>
    server.registry.create(widgets, "default", {
      apiVersion: "test.example/v1",
      kind: "Widget",
      metadata: { name },
      spec,
    });
  /** What comes until `count` events are there, or the end. */
  const watch = async (query: string, count: number, accept?: string, path = collection) => {
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const response = await open(server.socketPath, { path: `${path}?${query}`, headers });
    const stream = events(response)[Symbol.asyncIterator]();
    const seen: { type: string; object: KubeObject }[] = [];
    const done = (async () => {
      while (seen.length < count) {
        const { value, done } = await stream.next();
        if (done) return;
        seen.push(value);
      }
      response.destroy();
    })();
    return { seen, done };
  };

  test("brings a bookmark each minute with the revision to go on from, and one before its end", async () => {
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=100&resourceVersion=${server.registry.revision}`;
    const { seen, done } = await watch(query, 9);
    const created = await create("a");
    await expect.poll(() => seen.length).toBe(1);
    await clock.advance(60_000);
    await clock.advance(37_000);
    await clock.advance(1000);
    await clock.advance(2000);
    await done;
    expect(seen.map(({ type, object }) => [type, object.metadata.resourceVersion])).toEqual([
      ["ADDED", created.metadata.resourceVersion],
      ["BOOKMARK", created.metadata.resourceVersion],
      ["BOOKMARK", created.metadata.resourceVersion],
    ]);
  });

  test("lasts 30 to 60 minutes by chance when nothing is said", async () => {
    const { seen, done } = await watch(`watch=1&resourceVersion=${server.registry.revision}`, 1);
    await clock.advance(44 * 60_000);
    await create("a");
    await done;
    expect(seen).toHaveLength(1);
    const second = await watch(`watch=1&resourceVersion=${server.registry.revision}`, 1);
    await clock.advance(45 * 60_000);
    await second.done;
    expect(second.seen).toEqual([]);
  });

  test("of Tables says its columns once, and ages by the clock", async () => {
    const { revision } = server.registry;
    await create("a");
    await create("b");
    await clock.advance(180_000);
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const { seen, done } = await watch(`watch=1&resourceVersion=${revision}&includeObject=None`, 2, accept);
    await done;
    expect(seen).toMatchObject([
      {
        type: "ADDED",
        object: {
          kind: "Table",
          columnDefinitions: [{ name: "Name" }, { name: "Age" }],
          rows: [{ cells: ["a", "3m"], object: null }],
        },
      },
      { object: { columnDefinitions: null, rows: [{ cells: ["b", "3m"] }] } },
    ]);
  });

  test("of metadata alone leaves the rest out", async () => {
    await create("a");
    const accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    const { seen, done } = await watch("watch=1", 1, accept);
    await done;
    expect(seen[0]?.object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "a" } });
    expect(seen[0]?.object).not.toHaveProperty("spec");
  });

  test("by the old path of one object tells of that alone", async () => {
    const { revision } = server.registry;
    await create("a");
    await create("b");
    const path = "/apis/test.example/v1/watch/namespaces/default/widgets/b";
    const { seen, done } = await watch(`resourceVersion=${revision}`, 1, undefined, path);
    await done;
    expect(seen[0]?.object.metadata.name).toBe("b");
  });

  test("of one object's path with fields of another is refused", async () => {
    const path = "/apis/test.example/v1/watch/namespaces/default/widgets/b?fieldSelector=metadata.name%3Da";
    expect(JSON.parse((await call(server.socketPath, { path })).text)).toMatchObject({
      code: 400,
      message: "fieldSelector metadata.name doesn't match requested name",
    });
  });

  test("that begins with a list of a revision yet to come is a 200 with an ERROR event", async () => {
    const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999";
    const answer = await call(server.socketPath, { path: `${collection}?${query}` });
    expect(answer.code).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      type: "ERROR",
      object: { code: 504, details: { causes: [{ reason: "ResourceVersionTooLarge" }] } },
    });
  });

  test("of Tables without objects still marks the end of the initial ones", async () => {
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const query = "watch=1&includeObject=None&allowWatchBookmarks=true";
    const { seen, done } = await watch(query, 1, accept);
    await done;
    expect(seen).toMatchObject([
      {
        type: "BOOKMARK",
        object: {
          kind: "Table",
          rows: [{ object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } } }],
        },
      },
    ]);
  });

  test("as YAML is refused with what streams there are", async () => {
    const headers = { accept: "application/yaml" };
    const answer = await call(server.socketPath, { path: `${collection}?watch=1`, headers });
    expect(answer).toMatchObject({
      code: 406,
      text: expect.stringContaining("application/json;stream=watch"),
    });
  });

  test("that is not read holds nothing up, and the events come when it is", async () => {
    const { revision } = server.registry;
    const response = await open(server.socketPath, {
      path: `${collection}?watch=1&resourceVersion=${revision}`,
    });
    // More than what sockets take unread.
    const text = "x".repeat(100_000);
    for (let i = 0; i < 60; i++) await create(`w${i}`, { free: { text } });
    const seen: string[] = [];
    for await (const { object } of events(response)) {
      seen.push(object.metadata.name);
      if (seen.length === 60) break;
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => `w${i}`));
  });

  test("that begins with a list goes on from that list, not from the revision that was asked for", async () => {
    const { metadata } = await create("a");
    const key = { namespace: "default", name: "a" };
    await server.registry.patch(widgets, key, { type: "merge", body: { spec: { size: 2 } } });
    const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const { seen, done } = await watch(`${query}&resourceVersion=${metadata.resourceVersion}`, 3);
    await expect.poll(() => seen.length).toBe(2);
    const { revision } = server.registry;
    await create("b");
    await done;
    expect(
      seen.map(({ type, object }) => [type, object.metadata.name, object.metadata.resourceVersion]),
    ).toEqual([
      ["ADDED", "a", revision],
      ["BOOKMARK", undefined, revision],
      ["ADDED", "b", server.registry.revision],
    ]);
  });
});

test("nothing of a watch is left once its client is gone", async () => {
  const sleeping = new Set<AbortSignal>();
  const clock: Clock = {
    now: () => 0,
    elapsed: () => 0,
    sleep(_ms, signal = AbortSignal.abort()) {
      sleeping.add(signal);
      signal.addEventListener("abort", () => sleeping.delete(signal));
      return new Promise(() => {});
    },
  };
  const server = await startTestServer({ clock });
  const response = await open(server.socketPath, {
    path: `${collection}?watch=1&allowWatchBookmarks=true`,
  });
  await events(response)[Symbol.asyncIterator]().next();
  expect(sleeping.size).toBe(1);
  response.destroy();
  await expect.poll(() => sleeping.size).toBe(0);
  await server.close();
});

test("a client that does not read falls behind the history and is told so: what it misses fills no memory", async () => {
  const server = await startTestServer({ historyLimit: 4 });
  const { revision } = server.registry;
  const response = await open(server.socketPath, {
    path: `${collection}?watch=1&resourceVersion=${revision}`,
  });
  // More than what sockets take unread.
  const text = "x".repeat(100_000);
  for (let i = 0; i < 60; i++) {
    const metadata = { name: `w${i}` };
    const widget = { apiVersion: "test.example/v1", kind: "Widget", metadata, spec: { free: { text } } };
    await server.registry.create(widgets, "default", widget);
    // It is told in a later turn.
    await new Promise(setImmediate);
  }
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { object } of events(response)) seen.push(object.metadata.name);
  })();
  await expect(reading).rejects.toMatchObject({ reason: "Expired" });
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => `w${i}`));
  expect(seen.length).toBeLessThan(60);
  await server.close();
});
