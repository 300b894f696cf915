import { expect, test } from "vitest";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { StatusError } from "../../pkg/api/status-error.ts";
import type { CachingClient } from "../../pkg/runtime/caching-client.ts";
import type { Client, Kind } from "../../pkg/runtime/client.ts";
import type { Controller } from "../../pkg/runtime/controller.ts";
import { inSeconds, settled } from "../../pkg/runtime/controller.ts";
import { TerminalError, TransientError, WaitingError } from "../../pkg/runtime/errors.ts";
import { eventRecorder } from "../../pkg/runtime/events.ts";
import type { Fields, Logger } from "../../pkg/runtime/logger.ts";
import { silentLogger } from "../../pkg/runtime/logger.ts";
import { Manager } from "../../pkg/runtime/manager.ts";
import { Scheduler } from "./kernel/scheduler.ts";
import { noFaults, simClient } from "./kernel/sim-client.ts";
import { toyApi } from "./kernel/toy-api.ts";

const hour = 3_600_000;
const p1 = { namespace: "default", name: "p1" };

/** A world with one operator, and what its controllers do noted by the second. */
async function world(options: { seed?: number; through?: (client: Client) => Client; logger?: Logger } = {}) {
  const { seed = 1, through = (client) => client, logger = silentLogger } = options;
  const scheduler = new Scheduler({ seed });
  const api = await toyApi(scheduler.world);
  const life = scheduler.incarnation("operator");
  const chance = scheduler.prng("faults");
  const client = simClient({ client: through(api), incarnation: life, chance, faults: noFaults });
  const seen: string[] = [];
  return {
    scheduler,
    api,
    life,
    client,
    seen,
    note: (what: string) => seen.push(`${what}@${life.clock.elapsed() / 1000}`),
    manage(controllers: (client: CachingClient) => readonly Controller[], resyncMs?: number): Manager {
      const { clock, random } = life;
      const resync = resyncMs === undefined ? {} : { resyncMs };
      return new Manager({ client, clock, random, logger, controllers, ...resync });
    },
    seconds: (seconds: number) => scheduler.run({ untilMs: seconds * 1000, stepsMax: 20_000 }),
  };
}

const draft = (kind: Kind, name: string) =>
  ({ apiVersion: "bosun.dev/v1alpha1", kind, metadata: { name } }) as never;

const projectController = (reconcile: Controller["reconcile"]): Controller => ({
  name: "project",
  watches: [{ kind: "Project" }],
  reconcile,
});

test("a change of what a watch does not look at wakes nobody", async () => {
  const { manage, seconds, api, note, seen } = await world();
  const controller = projectController(async ({ name }) => {
    note(name);
    return settled;
  });
  const by = ({ spec }: KubeObject): unknown => (spec as { counts?: number } | undefined)?.counts ?? 0;
  void manage(() => [{ ...controller, watches: [{ kind: "Project", by }] }]).start();
  await seconds(1);
  await api.create("Project", draft("Project", "p1"));
  await seconds(2);
  await api.patch("Project", p1, { spec: { other: 1 } });
  await seconds(3);
  expect(seen).toHaveLength(1);
  await api.patch("Project", p1, { spec: { counts: 1 } });
  await seconds(4);
  expect(seen).toHaveLength(2);
});

test("an object of which nothing counts is there, comes and goes without waking anybody", async () => {
  const { manage, seconds, api, note, seen } = await world();
  const controller = projectController(async ({ name }) => {
    note(name);
    return settled;
  });
  const by = ({ spec }: KubeObject): unknown => (spec as { counts?: number } | undefined)?.counts;
  await api.create("Project", draft("Project", "p1"));
  void manage(() => [{ ...controller, watches: [{ kind: "Project", by }] }]).start();
  await seconds(1);
  await api.create("Project", draft("Project", "p2"));
  await seconds(2);
  await api.delete("Project", { namespace: "default", name: "p2" });
  await seconds(3);
  expect(seen).toHaveLength(0);
  await api.patch("Project", p1, { spec: { counts: 1 } });
  await seconds(4);
  expect(seen).toHaveLength(1);
  await api.delete("Project", p1);
  await seconds(5);
  expect(seen).toHaveLength(2);
});

test("a map is told whether it is asked about what an object is or what it was", async () => {
  const { manage, seconds, api, note, seen } = await world();
  const controller = projectController(async ({ name }) => {
    note(name);
    return settled;
  });
  const map = (object: KubeObject, as: "is" | "was") => [{ ...p1, name: `${as}-${countsOf(object)}` }];
  void manage(() => [{ ...controller, watches: [{ kind: "Project", map }] }]).start();
  await seconds(1);
  await api.create("Project", draft("Project", "p1"));
  await seconds(2);
  await api.patch("Project", p1, { spec: { counts: 1 } });
  await seconds(3);
  expect(seen.map((at) => at.split("@")[0])).toEqual(["is-0", "is-1", "was-0"]);
});

const countsOf = ({ spec }: KubeObject): number => (spec as { counts?: number } | undefined)?.counts ?? 0;

test("wake-ups of a watch that may wait become one look", async () => {
  const { manage, seconds, api, note, seen } = await world();
  const controller = projectController(async ({ name }) => {
    note(name);
    return settled;
  });
  void manage(() => [{ ...controller, watches: [{ kind: "Project", delayMs: 20_000 }] }]).start();
  await seconds(1);
  await api.create("Project", draft("Project", "p1"));
  for (let count = 0; count < 5; count += 1) {
    await seconds(2 + count);
    await api.patch("Project", p1, { spec: { count } });
  }
  await seconds(60);
  expect(seen).toEqual(["p1@21"]);
});

test("a read that waits for its cache ends when its operator crashes", async () => {
  const { manage, seconds, life, scheduler, api } = await world();
  const manager = manage((client) => [
    projectController(async (key) => {
      await client.patch("Project", key, { spec: { seen: true } });
      await client.get("Project", key);
      return settled;
    }),
  ]);
  void manager.start();
  await seconds(1);
  await api.create("Project", draft("Project", "p1"));
  const crash = (): void => {
    if (scheduler.trace.last.at(-1)?.label.includes("patch Project") === true) life.revoke();
  };
  expect(await scheduler.run({ untilMs: 60_000, stepsMax: 20_000, afterEachStep: crash })).not.toBe("steps");
});

test("the class of an error alone decides when a key comes back", async () => {
  const { manage, seconds, api, note, seen } = await world();
  const errors: Record<string, Error> = {
    waiting: new WaitingError("Queued", "Waits for a free slot.", 30),
    terminal: new TerminalError("InvalidCommand", "The command must not be empty."),
    transient: new TransientError("Busy", "The file is busy."),
    // A role that was taken away may be given again.
    forbidden: new StatusError(403, "Forbidden", "projects is forbidden"),
    // A kind that is not served: no Status, but a page.
    unserved: new StatusError(404, "Unknown", "404 page not found"),
    bug: new TypeError("x is not a function"),
  };
  for (const name of Object.keys(errors)) await api.create("Project", draft("Project", name));
  const manager = manage(() => [
    projectController(async ({ name }) => {
      note(name);
      const error = errors[name];
      delete errors[name];
      if (error !== undefined) throw error;
      return settled;
    }),
  ]);
  void manager.start();
  await seconds(3600);
  expect(seen.toSorted()).toEqual([
    "bug@0",
    "bug@0.005",
    "forbidden@0",
    "forbidden@0.005",
    "terminal@0",
    "transient@0",
    "transient@0.005",
    "unserved@0",
    "unserved@0.005",
    "waiting@0",
    "waiting@30",
  ]);
  expect(manager.counters().project).toMatchObject({
    reconciles: { settled: 5, requeued: 0, waiting: 1, terminal: 1, transient: 3, failed: 1 },
    retries: 4,
    depth: 0,
    active: 0,
  });
});

test("after an error that only a change of the spec ends the next failure counts as the first", async () => {
  const { manage, seconds, api, note, seen } = await world();
  const busy = new TransientError("Busy", "The file is busy.");
  const errors = [busy, busy, new TerminalError("InvalidCommand", "The command must not be empty."), busy];
  await api.create("Project", draft("Project", "p1"));
  void manage(() => [
    projectController(async () => {
      note("look");
      const error = errors.shift();
      if (error !== undefined) throw error;
      return settled;
    }),
  ]).start();
  await seconds(10);
  await api.patch("Project", { namespace: "default", name: "p1" }, { spec: { title: "two" } });
  await seconds(20);
  expect(seen).toEqual(["look@0", "look@0.005", "look@0.015", "look@10", "look@10.005"]);
});

test("a reconcile that asks to come back does so, and a change in between makes it no busier", async () => {
  const { manage, seconds, api, note, seen, scheduler } = await world();
  await api.create("Project", draft("Project", "p1"));
  void manage(() => [
    projectController(async () => {
      note("look");
      return inSeconds(60);
    }),
  ]).start();
  void scheduler.world.clock.sleep(30_000).then(() => api.patch("Project", p1, { spec: { a: 1 } }));
  await seconds(200);
  expect(seen).toEqual(["look@0", "look@30", "look@90", "look@150"]);
});

test("a map that throws, at once or later, is counted and ends nothing", async () => {
  const { manage, seconds, api, note, seen } = await world();
  const broken = (): never => {
    throw new Error("broken map");
  };
  const manager = manage(() => [
    {
      name: "review",
      watches: [
        { kind: "Project", map: broken },
        { kind: "Project", map: async () => broken() },
        { kind: "Project" },
      ],
      signals: [{ subscribe: broken }],
      async reconcile({ name }) {
        note(name);
        return settled;
      },
    },
  ]);
  void manager.start();
  await seconds(1);
  await api.create("Project", draft("Project", "p1"));
  await seconds(2);
  expect(seen).toEqual(["p1@1"]);
  expect(manager.counters().review?.wakeFailures).toBe(3);
});

test("a map that the API did not answer is asked again until it does, and what it would have woken is looked at", async () => {
  const { manage, seconds, api, note, seen } = await world();
  let left = 4;
  const manager = manage(() => [
    {
      name: "review",
      watches: [
        {
          kind: "Project",
          async map() {
            left -= 1;
            if (left >= 2) throw new StatusError(503, "ServiceUnavailable", "The API is not available");
            if (left >= 0) throw new TransientError("Unreachable", "No answer came");
            return [{ namespace: "default", name: "whom-it-concerns" }];
          },
        },
      ],
      async reconcile({ name }) {
        note(name);
        return settled;
      },
    },
  ]);
  void manager.start();
  await seconds(1);
  await api.create("Project", draft("Project", "p1"));
  await seconds(60);
  expect(seen.map((what) => what.split("@")[0])).toEqual(["whom-it-concerns"]);
  expect(manager.counters().review?.wakeFailures).toBe(0);
});

test("an object's former relation wakes whom it concerned before", async () => {
  const { manage, seconds, api, note, seen } = await world();
  await api.create("Project", { ...(draft("Project", "p1") as KubeObject), spec: { agent: "a1" } } as never);
  void manage(() => [
    {
      name: "agent",
      watches: [
        {
          kind: "Project",
          map: ({ spec }) => [{ namespace: "default", name: (spec as { agent: string }).agent }],
        },
      ],
      async reconcile({ name }) {
        note(name);
        return settled;
      },
    },
  ]).start();
  await seconds(1);
  await api.patch("Project", p1, { spec: { agent: "a2" } });
  await seconds(2);
  expect(seen.toSorted()).toEqual(["a1@0", "a1@1", "a2@1"]);
});

test("whom a change concerns as before looks once for it, not once more for what the object was", async () => {
  const { manage, seconds, api, note, seen } = await world();
  await api.create("Project", draft("Project", "p1"));
  void manage(() => [
    {
      name: "agent",
      watches: [
        { kind: "Project", map: async () => [{ namespace: "default", name: "a1" }] },
        { kind: "Project", map: () => [{ namespace: "default", name: "a2" }] },
      ],
      concurrency: 2,
      async reconcile({ name }) {
        note(name);
        return settled;
      },
    },
  ]).start();
  await seconds(1);
  await api.patch("Project", p1, { spec: { title: "another" } });
  await seconds(2);
  expect(seen.toSorted()).toEqual(["a1@0", "a1@1", "a2@0", "a2@1"]);
});

test("a signal wakes a key, and stop aborts the signal and waits for the running reconcile", async () => {
  const { manage, seconds, note, seen, life } = await world();
  let wake = (): void => {};
  const manager = manage(() => [
    {
      ...projectController(async (_, signal) => {
        note("begins");
        await life.clock.sleep(10_000);
        note(signal.aborted ? "ends aborted" : "ends");
        return settled;
      }),
      signals: [
        {
          subscribe(ring) {
            wake = () => ring(p1);
          },
        },
      ],
    },
  ]);
  void manager.start();
  await seconds(1);
  wake();
  await seconds(2);
  void manager.stop().then(() => note("stopped"));
  await seconds(60);
  expect(seen).toEqual(["begins@1", "ends aborted@11", "stopped@11"]);
});

test("stop before the caches are synced ends start and leaves nothing running", async () => {
  const never = new Promise<never>(() => {});
  const { manage, seconds, note, seen } = await world({
    through: (client) => ({ ...client, list: () => Promise.reject(new Error("no API")), get: () => never }),
  });
  const manager = manage(() => [projectController(async () => settled)]);
  void manager.start().then(() => note("started"));
  await seconds(5);
  void manager.stop().then(() => note("stopped"));
  expect(await seconds(3600)).toBe("idle");
  expect(seen.map((what) => what.split("@")[0])).toEqual(["started", "stopped"]);
});

test("a controller whose process crashed in the middle of a reconcile changes nothing more", async () => {
  const { manage, seconds, api, life, seen } = await world();
  await api.create("Project", draft("Project", "p1"));
  void manage((client) => [
    projectController(async (key) => {
      seen.push("looks");
      life.revoke();
      await client.patch("Project", key, { spec: { title: "written by a zombie" } });
      return settled;
    }),
  ]).start();
  expect(await seconds(3600)).toBe("idle");
  expect(seen).toEqual(["looks"]);
  expect(await api.get("Project", p1)).not.toHaveProperty("spec");
});

test("every object is looked at again at the resync", async () => {
  const { manage, seconds, api, note, seen } = await world();
  await api.create("Project", draft("Project", "p1"));
  void manage(
    () => [
      projectController(async () => {
        note("look");
        return settled;
      }),
    ],
    hour,
  ).start();
  await seconds(3600 * 5.5);
  expect(seen.length).toBe(6);
});

test("an API that is down is asked again with growing delays, and what happened meanwhile is seen", async () => {
  let down = true;
  const asked: number[] = [];
  const { manage, seconds, api, note, seen, life } = await world({
    through: (client) => ({
      ...client,
      list: (kind, options) => {
        asked.push(life.clock.elapsed());
        return down ? Promise.reject(new Error("connection refused")) : client.list(kind, options);
      },
    }),
  });
  void manage(() => [
    projectController(async ({ name }) => {
      note(name);
      return settled;
    }),
  ]).start();
  await seconds(600);
  await api.create("Project", draft("Project", "p1"));
  down = false;
  await seconds(640);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.length).toBeLessThan(32);
  expect(seen).toHaveLength(1);
});

test("objects that vanished while the watch was away are told as deleted", async () => {
  let cut = (): void => {};
  const { manage, seconds, api, seen } = await world({
    through: (client) => ({
      ...client,
      async *watch(kind, options) {
        const ended = new AbortController();
        options.signal?.addEventListener("abort", () => ended.abort());
        cut = () => ended.abort();
        yield* client.watch(kind, { ...options, signal: ended.signal });
        if (!options.signal?.aborted) {
          await api.delete("Project", p1);
          throw new StatusError(410, "Expired", "The history is gone");
        }
      },
    }),
  });
  await api.create("Project", draft("Project", "p1"));
  void manage((client) => [
    projectController(async (key) => {
      seen.push((await client.get("Project", key)) === undefined ? "gone" : "there");
      return settled;
    }),
  ]).start();
  await seconds(1);
  cut();
  await seconds(60);
  expect(seen).toEqual(["there", "gone"]);
});

test("a read after an own write shows it, although the watch is slow", async () => {
  const { manage, seconds, api, seen } = await world();
  await api.create("Project", draft("Project", "p1"));
  void manage((client) => [
    projectController(async (key) => {
      const project = await client.get("Project", key);
      if (project === undefined || project.spec !== undefined) return settled;
      await client.patch("Project", key, { spec: { title: "written" } });
      seen.push(JSON.stringify((await client.get("Project", key))?.spec));
      await client.create("Project", draft("Project", "p2"));
      seen.push(String((await client.list("Project")).items.length));
      await client.delete("Project", { namespace: "default", name: "p2" });
      seen.push(String((await client.list("Project")).items.length));
      return settled;
    }),
  ]).start();
  await seconds(10);
  expect(seen.slice(0, 3)).toEqual(['{"title":"written"}', "2", "1"]);
});

test("a cache that never shows an own write is passed by after 30 s, not trusted and not waited for again", async () => {
  const { manage, seconds, api, note, seen } = await world({
    through: (client) => ({
      ...client,
      // It says nothing.
      async *watch(_kind, { signal }) {
        await new Promise((resolve) => signal?.addEventListener("abort", resolve, { once: true }));
      },
    }),
  });
  await api.create("Project", draft("Project", "p1"));
  void manage((client) => [
    projectController(async (key) => {
      await client.patch("Project", key, { spec: { title: "one" } });
      note(JSON.stringify((await client.get("Project", key))?.spec));
      await client.patch("Project", key, { spec: { title: "two" } });
      note(JSON.stringify((await client.get("Project", key))?.spec));
      return settled;
    }),
  ]).start();
  await seconds(100);
  expect(seen).toEqual(['{"title":"one"}@30', '{"title":"two"}@30']);
});

test("what a controller says twice is one Event with a count, and a flood is bounded, as is a long message", async () => {
  const { seconds, api, client, life } = await world();
  const project = (await api.create("Project", draft("Project", "p1"))) as unknown as KubeObject;
  const { clock, ids } = life;
  const recorder = eventRecorder({ client, clock, ids, logger: silentLogger, component: "project" });
  recorder.event(project, "Warning", "Stuck", "No file changed for more than 1800 seconds.");
  recorder.event(project, "Warning", "Stuck", "No file changed for more than 1800 seconds.");
  await seconds(1);
  expect(api.objects("Event")).toMatchObject([
    { reason: "Stuck", count: 2, involvedObject: { name: "p1" }, source: { component: "project" } },
  ]);
  for (let index = 0; index < 100; index += 1) recorder.event(project, "Normal", "Progress", `${index} %`);
  await seconds(2);
  // Of the 25 that an object may say at once the first two are one Event, nine stand alone, and the rest are combined.
  expect(api.objects("Event")).toHaveLength(11);
  const combined = api.objects("Event").filter((event) => "count" in event && Number(event.count) > 2);
  expect(combined).toMatchObject([
    { count: 14, message: "(combined from similar events): 22 %", reason: "Progress" },
  ]);
  const other = (await api.create("Project", draft("Project", "p2"))) as unknown as KubeObject;
  recorder.event(other, "Warning", "Stuck", "x".repeat(5000));
  await seconds(1);
  expect(api.objects("Event").at(-1)).toMatchObject({ message: `${"x".repeat(1023)}…` });
});

test("a thousand Events wait to be written at most, and what is written waits no more", async () => {
  const { seconds, api, life } = await world();
  const written: unknown[] = [];
  const client: Client = {
    ...api,
    async create(_kind, object) {
      written.push(object);
      return object as never;
    },
  };
  const { clock, ids } = life;
  const recorder = eventRecorder({ client, clock, ids, logger: silentLogger, component: "project" });
  const say = (name: string): void =>
    recorder.event(draft("Project", name), "Normal", "Queued", "It waits for an agent.");
  for (let index = 0; index < 1_100; index += 1) say(`p${index}`);
  await seconds(1);
  expect(written).toHaveLength(1_000);
  say("another");
  await seconds(2);
  expect(written).toHaveLength(1_001);
});

test("an Event that cannot be written is logged and the next one is", async () => {
  const lines: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (message: string, _fields?: Fields) => lines.push(message),
  };
  let failures = 1;
  const { seconds, api, life } = await world();
  const { clock, ids } = life;
  const client: Client = {
    ...api,
    create: (kind, object) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new Error("no API")) : api.create(kind, object);
    },
  };
  const recorder = eventRecorder({ client, clock, ids, logger, component: "project" });
  const project = (await api.create("Project", draft("Project", "p1"))) as unknown as KubeObject;
  recorder.event(project, "Normal", "Queued", "It waits for an agent.");
  recorder.event(project, "Normal", "Claimed", "agent-1 has it.");
  await seconds(1);
  expect(lines).toEqual(["Event was not written"]);
  expect(api.objects("Event")).toMatchObject([{ reason: "Claimed" }]);
});
