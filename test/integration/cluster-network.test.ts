import http from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { KubeObject } from "../../pkg/api/meta.ts";
import type { Access } from "../../pkg/cluster/access.ts";
import { type ClusterClientOptions, clusterClient } from "../../pkg/cluster/client.ts";
import { readCluster } from "../../pkg/cluster/kubeconfig.ts";
import type { Client, Kind } from "../../pkg/runtime/client.ts";
import type { Clock } from "../../pkg/runtime/clock.ts";
import { Informer } from "../../pkg/runtime/informer.ts";
import { silentLogger } from "../../pkg/runtime/logger.ts";
import { systemClock, systemRandom } from "../../pkg/system/system.ts";
import { type FaultProxy, faultProxy } from "../support/fault-proxy.ts";
import type { Killable } from "../support/servers.ts";
import { testKindsServer } from "../support/test-kinds-server.ts";

const kinds = { Widget: { group: "test.example", version: "v1", plural: "widgets" } };
/** The kind of these tests, which Bosun's own don't have. */
const Widget = "Widget" as Kind;
const list = /^GET .*sendInitialEvents/;
const watch = /^GET .*watch=true(?!.*sendInitialEvents)/;

/** Pauses before another try are a hundredth of what they are; what is waited for, from five seconds on, has its time. */
const hurried: Clock = {
  now: () => systemClock.now(),
  elapsed: () => systemClock.elapsed(),
  sleep: (ms, signal) => systemClock.sleep(ms < 5_000 ? ms / 100 : ms, signal),
};

let server: Killable;
let direct: { access: Access; client: Client };
let proxy: FaultProxy;
let renewals: number;
let agent: http.Agent;
let client: Client;

beforeAll(async () => {
  server = await testKindsServer();
  const { access } = await readCluster({ file: server.kubeconfig });
  direct = { access, client: clientAt(access) };
});

afterAll(async () => {
  direct.access.close();
  await server.close();
});

beforeEach(async () => {
  proxy = await faultProxy(direct.access);
  renewals = 0;
  agent = new http.Agent({ keepAlive: true });
  client = clientAt(throughProxy());
});

afterEach(async () => {
  agent.destroy();
  await proxy.close();
  const { items } = await direct.client.list(Widget);
  for (const { metadata } of items)
    await direct.client.delete(Widget, { namespace: "default", name: metadata.name });
});

function clientAt(access: Access, more: Partial<ClusterClientOptions> = {}): Client {
  const deps = { access, clock: hurried, random: systemRandom, userAgent: "bosun-test" };
  return clusterClient({ ...deps, kinds, fieldManager: "bosun", ...more });
}

function throughProxy(): Access {
  return {
    server: proxy.url,
    options: async () => ({ agent, headers: {} }),
    renew: () => {
      renewals += 1;
    },
    close: () => agent.destroy(),
  };
}

const widget = (name: string): never =>
  ({ apiVersion: "test.example/v1", kind: "Widget", metadata: { name }, spec: { size: 1 } }) as never;
const resize = (name: string, size: number) =>
  direct.client.patch(Widget, { namespace: "default", name }, { spec: { size } });

/** An informer behind the proxy, and a wait for what its cache comes to hold. */
async function following<T>(work: (holds: (sizes: Record<string, number>) => Promise<void>) => Promise<T>) {
  const informer = new Informer({
    kind: Widget,
    client,
    clock: hurried,
    random: systemRandom,
    logger: silentLogger,
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  const sizes = () =>
    Object.fromEntries(
      informer.list().items.map((item) => {
        const { metadata, spec } = item as KubeObject;
        return [metadata.name, (spec as { size: number }).size];
      }),
    );
  const holds = async (wanted: Record<string, number>): Promise<void> => {
    while (JSON.stringify(sizes()) !== JSON.stringify(wanted)) await informer.moved();
  };
  try {
    return await work(holds);
  } finally {
    stop.abort();
    await running;
  }
}

test("a list that is streamed goes on as the watch, in one request", async () => {
  await direct.client.create(Widget, widget("a"));
  await following(async (holds) => {
    await holds({ a: 1 });
    await resize("a", 2);
    await holds({ a: 2 });
  });
  expect(proxy.requests).toHaveLength(1);
});

test("a server that streams no lists is read in pages, and watched from there", async () => {
  for (let n = 0; n < 3; n += 1) await direct.client.create(Widget, widget(`w${n}`));
  proxy.play(list, { is: "answer", code: 422 });
  await following(async (holds) => {
    await holds({ w0: 1, w1: 1, w2: 1 });
    await resize("w1", 7);
    await holds({ w0: 1, w1: 7, w2: 1 });
  });
  expect(proxy.requests.some((line) => line.includes("limit=500"))).toBe(true);
});

test("pages whose history is gone are read again as one whole", async () => {
  await direct.client.create(Widget, widget("a"));
  proxy.play(list, { is: "answer", code: 422 });
  const page = {
    kind: "WidgetList",
    apiVersion: "test.example/v1",
    metadata: { continue: "next" },
    items: [],
  };
  proxy.play(/limit=500/, { is: "answer", code: 200, body: page });
  proxy.play(/continue=next/, {
    is: "answer",
    code: 410,
    body: {
      kind: "Status",
      reason: "Expired",
      code: 410,
      message: "The provided continue parameter is too old",
    },
  });
  const { items } = await client.list(Widget);
  expect(items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
});

test("a watch that is cut in the middle of an event goes on after the last whole one", async () => {
  await direct.client.create(Widget, widget("a"));
  // The list is an object and its bookmark; then one event comes whole and one in half.
  proxy.play(list, { is: "cut", lines: 3 });
  await following(async (holds) => {
    await holds({ a: 1 });
    for (const size of [2, 3, 4]) await resize("a", size);
    await holds({ a: 4 });
  });
  expect(proxy.requests.filter((line) => list.test(line))).toHaveLength(1);
});

test("a list that is cut is asked for again, and is still streamed", async () => {
  await direct.client.create(Widget, widget("a"));
  proxy.play(list, { is: "cut", lines: 0 });
  await following(async (holds) => holds({ a: 1 }));
  expect(proxy.requests.filter((line) => list.test(line))).toHaveLength(2);
});

test("a streamed list whose history goes meanwhile is read in pages, and the next one is streamed again", async () => {
  await direct.client.create(Widget, widget("a"));
  proxy.play(list, { is: "answer", code: 410, body: { kind: "Status", code: 410, reason: "Expired" } });
  expect((await client.list(Widget)).items).toHaveLength(1);
  expect((await client.list(Widget)).items).toHaveLength(1);
  expect(proxy.requests.map((line) => list.test(line))).toEqual([true, false, true]);
});

test("a history that is gone is made up for by a new list", async () => {
  await direct.client.create(Widget, widget("a"));
  proxy.play(list, { is: "cut", lines: 2 });
  const expired = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
  proxy.play(watch, { is: "answer", code: 410, body: expired });
  await following(async (holds) => {
    await holds({ a: 1 });
    await resize("a", 5);
    await direct.client.create(Widget, widget("b"));
    await holds({ a: 5, b: 1 });
  });
  expect(proxy.requests.filter((line) => list.test(line))).toHaveLength(2);
});

test("events that come twice change nothing", async () => {
  await direct.client.create(Widget, widget("a"));
  proxy.play(list, { is: "twice" });
  await following(async (holds) => {
    await holds({ a: 1 });
    await resize("a", 2);
    await direct.client.create(Widget, widget("b"));
    await holds({ a: 2, b: 1 });
  });
});

test("a server in trouble is asked again until it is well", async () => {
  await direct.client.create(Widget, widget("a"));
  for (const code of [500, 503, 502]) proxy.play(list, { is: "answer", code, body: "<html>" });
  await following(async (holds) => holds({ a: 1 }));
});

test("a cache catches up after the server could not be reached", async () => {
  await direct.client.create(Widget, widget("a"));
  await following(async (holds) => {
    await holds({ a: 1 });
    proxy.cutOff(true);
    await resize("a", 2);
    await direct.client.create(Widget, widget("b"));
    await direct.client.delete(Widget, { namespace: "default", name: "a" });
    proxy.cutOff(false);
    await holds({ b: 1 });
  });
});

test("a write that is told to come later is made once it may be", async () => {
  proxy.play(/^POST/, { is: "answer", code: 429, headers: { "retry-after": "1" } }, 2);
  await client.create(Widget, widget("a"));
  expect(proxy.requests.filter((line) => line.startsWith("POST"))).toHaveLength(3);
});

test("a write without an answer is not repeated: whether it was made is unknown", async () => {
  proxy.play(/^POST/, { is: "drop", when: "after" });
  await expect(client.create(Widget, widget("a"))).rejects.toMatchObject({
    name: "TransientError",
    reason: "Unreachable",
    message: expect.stringContaining("POST /apis/test.example/v1/namespaces/default/widgets"),
  });
  expect(proxy.requests.filter((line) => line.startsWith("POST"))).toHaveLength(1);
  expect(await direct.client.get(Widget, { namespace: "default", name: "a" })).toBeDefined();
});

test("refused credentials are renewed once, and a refusal that stays is told", async () => {
  proxy.play(/^GET/, { is: "answer", code: 401 });
  expect(await client.get(Widget, { namespace: "default", name: "a" })).toBeUndefined();
  expect(renewals).toBe(1);
  proxy.play(/^GET/, { is: "answer", code: 401 }, 2);
  await expect(client.get(Widget, { namespace: "default", name: "a" })).rejects.toMatchObject({
    code: 401,
    message: expect.stringMatching(/^https?:\S+ does not accept the credentials in the kubeconfig/),
  });
});

test("a watch that falls silent ends, so that somebody asks anew", async () => {
  await direct.client.create(Widget, widget("a"));
  const { metadata } = await direct.client.list(Widget);
  await resize("a", 2);
  /** What a watch told before it ended, where a silence of `silentMs` ends one; nothing where none of it came in time. */
  const toldWithin = async (silentMs: number): Promise<string[]> => {
    proxy.play(watch, { is: "silence", lines: 1 });
    const quick = clientAt(throughProxy(), { silentMs });
    const seen: string[] = [];
    try {
      for await (const { type } of quick.watch(Widget, { resourceVersion: metadata.resourceVersion }))
        seen.push(type);
    } catch (error) {
      expect(error).toMatchObject({ reason: "Unreachable" });
    }
    return seen;
  };
  // A busy machine is itself silent for longer than the shortest of these.
  for (let silentMs = 50; ; silentMs *= 2) {
    const seen = await toldWithin(silentMs);
    if (seen.length === 0) continue;
    expect(seen).toEqual(["MODIFIED"]);
    break;
  }
});

test("what the server warns of beside an answer is told: kinds of an older version drop fields without an error", async () => {
  const told: string[] = [];
  const warned = clientAt(direct.access, { warned: (text) => void told.push(text) });
  const object = { ...(widget("a") as object), status: {}, spec: { size: 1, sizee: 2, "a,b": 1 } } as never;
  await warned.create(Widget, object);
  expect(told.toSorted()).toEqual(['unknown field "spec.a,b"', 'unknown field "spec.sizee"']);
});

test("what the server forbids is told in its words, whoever asked", async () => {
  const message = 'widgets.test.example is forbidden: User "ada" cannot list resource "widgets"';
  proxy.play(/^GET/, {
    is: "answer",
    code: 403,
    body: { kind: "Status", code: 403, reason: "Forbidden", message },
  });
  const told: string[] = [];
  const refused = clientAt(throughProxy(), { forbidden: (text) => void told.push(text) });
  await expect(refused.get(Widget, { namespace: "default", name: "a" })).rejects.toMatchObject({ code: 403 });
  expect(told).toEqual([message]);
});
