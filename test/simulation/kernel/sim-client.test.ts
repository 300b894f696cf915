import { expect, test } from "vitest";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import type { WatchEvent } from "../../../pkg/runtime/client.ts";
import { Scheduler } from "./scheduler.ts";
import type { Faults } from "./sim-client.ts";
import { noFaults, simClient } from "./sim-client.ts";
import { toyApi } from "./toy-api.ts";

const p1 = { namespace: "default", name: "p1" };
const project = { apiVersion: "bosun.dev/v1alpha1", kind: "Project", metadata: { name: "p1" } } as never;

async function world(faults: Partial<Faults> = {}, seed = 1) {
  const scheduler = new Scheduler({ seed });
  const api = await toyApi(scheduler.world);
  const life = scheduler.incarnation("operator");
  const chance = scheduler.prng("faults");
  const client = simClient({ client: api, incarnation: life, chance, faults: { ...noFaults, ...faults } });
  /** The call's answer, or its error's reason. */
  const answer = async <T>(call: Promise<T>): Promise<T | string> => {
    const settled = call.catch((error: { reason?: string }) => String(error.reason ?? error));
    await scheduler.run({ untilMs: 1000 });
    return settled;
  };
  return { scheduler, api, client, life, answer };
}

test("an unknown answer is an error whose write was made", async () => {
  const { api, client, answer } = await world({ unknown: 1 });
  expect(await answer(client.create("Project", project))).toBe("Timeout");
  expect(api.objects("Project")).toHaveLength(1);
});

test("a refused call is an error and nothing was written", async () => {
  const { api, client, answer } = await world({ refused: 1 });
  expect(await answer(client.create("Project", project))).toBe("ServiceUnavailable");
  expect(await answer(client.list("Project"))).toBe("ServiceUnavailable");
  expect(api.objects("Project")).toHaveLength(0);
});

test("only writes with a precondition meet a conflict", async () => {
  const { api, client, answer } = await world({ conflict: 1 });
  const created = (await answer(client.create("Project", project))) as unknown as KubeObject;
  expect(created.kind).toBe("Project");
  const patched = (await answer(client.patch("Project", p1, { spec: { a: 1 } }))) as unknown as KubeObject;
  expect(patched.spec).toEqual({ a: 1 });
  expect(await answer(client.update("Project", created as never))).toBe("Conflict");
  const { resourceVersion } = patched.metadata;
  expect(await answer(client.patch("Project", p1, { metadata: { resourceVersion } }))).toBe("Conflict");
  expect(api.objects("Project")).toEqual([patched]);
});

test("on some seeds the watch tells of a write before its answer comes, on others after", async () => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 40; seed += 1) {
    const { api, scheduler, client, life } = await world({}, seed);
    const { resourceVersion } = (await api.list("Project")).metadata;
    const order: string[] = [];
    void (async () => {
      for await (const event of client.watch("Project", { resourceVersion })) order.push(event.type);
    })();
    void client.create("Project", project).then(() => order.push("answer"));
    await scheduler.run({ untilMs: 1000 });
    life.revoke();
    orders.add(order.join());
  }
  expect([...orders].toSorted()).toEqual(["ADDED,answer", "answer,ADDED"]);
});

test("a watch expires with 410 and ends when aborted", async () => {
  const { api, client, answer } = await world({ expired: 1 });
  const { resourceVersion } = (await api.list("Project")).metadata;
  await api.create("Project", project);
  const collect = async (signal?: AbortSignal): Promise<WatchEvent<unknown>[]> => {
    const options = signal === undefined ? {} : { signal };
    return Array.fromAsync(client.watch("Project", { resourceVersion, ...options }));
  };
  expect(await answer(collect())).toBe("Expired");
  expect(await answer(collect(AbortSignal.abort()))).toEqual([]);
});
